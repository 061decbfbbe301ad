"""Telling people: which kinds of trouble there are, and how a message reaches somebody. No Dagster here."""
