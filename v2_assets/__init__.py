"""The asset platform: declarations, staging, merges, checks and the `v2` command.

Importing this package does nothing else: no network, no database, no secret. Clients of external systems live in
`resources`, sensors in `sensors`, stand-ins for the external systems in `sandbox`.
"""
