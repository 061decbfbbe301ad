"""Alembic's folder: `env.py` and one module per revision. `v2_assets.schema.migrate` runs it."""
