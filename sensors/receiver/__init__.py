"""The webhook receiver: a small HTTP application that stores events and does nothing else.

`python -m sensors.receiver` serves it. It knows neither Dagster nor the records: what events mean is the inbox's work.
"""
