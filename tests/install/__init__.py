"""The manual's installation on a machine of its own: `make install-test`."""
