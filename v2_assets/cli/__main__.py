"""`python -m v2_assets.cli` is `v2`."""

from v2_assets.cli import main

main()
