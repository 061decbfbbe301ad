"""Identity: who a user is in every system."""
