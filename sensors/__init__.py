"""What starts runs: onboarding of new credentials, sweeps by the clock, merges of what is left over.

Each module is pure functions above and a thin Dagster shell below.
"""
