"""What comes of webhooks: what an event means, reading its records again, and what is registered at the sources.

Not here: the receiver (`sensors.receiver`), and what starts this (`sensors.inbox`, `sensors.webhook_audit`).
"""
