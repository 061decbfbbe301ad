"""Title: orders, agencies, users, events and the money of a closing."""
