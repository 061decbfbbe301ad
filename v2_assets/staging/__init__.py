"""Bringing records in: one way, whoever asks. A page and its cursor are one transaction; nothing here knows V2."""
