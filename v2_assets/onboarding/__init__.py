"""Onboarding: its steps, its jobs, and what takes a user away again. What starts runs is in `sensors.onboarding`."""
