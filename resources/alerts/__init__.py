"""Channels to people: Slack-compatible webhooks, mail, and any HTTP endpoint. Each sends one message or raises."""

from resources.alerts.channels import Channel, ChannelFailed, configured
from resources.alerts.message import Message

__all__ = ["Channel", "ChannelFailed", "Message", "configured"]
