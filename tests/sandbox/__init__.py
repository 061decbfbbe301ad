"""The sandbox held to the sheets: every documented behaviour over real HTTP."""
