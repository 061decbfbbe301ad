"""The read endpoints, on a real server over a real database with the role that they have in an installation."""
