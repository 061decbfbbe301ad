"""Users' connections to the platforms: the state of their keys, and who asks a source about a key.

`states` is the one owner of a key's state; `probing` asks sources. Here, not yet: `v2_assets.users` (who a run works
for), `v2_assets.clients` and `v2_assets.keys` (decrypting and encrypting).
"""
