"""HTTP as the platform does it: one client, shared budgets, one retry decision, and errors without secrets."""
