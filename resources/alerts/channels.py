"""The ways to people that the settings name. Whoever sends waits at most TIMEOUT_S for each."""

from __future__ import annotations

import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import httpx
import orjson
from pydantic import SecretStr

from resources.alerts.message import Message
from resources.errors import V2Error
from resources.settings import Settings

TIMEOUT_S = 10.0
#: Signature of the body under V2_ALERT_HTTP_SECRET: `sha256=` and the HMAC in hexadecimal.
SIGNATURE_HEADER = "X-V2-Signature"


class ChannelFailed(V2Error):
    """A channel did not take a message. The text names neither its address nor its secret."""

    code = "alert_channel"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to people: its name in the routes, and what sends."""

    name: str
    send: Callable[[Message], None]


def configured(settings: Settings) -> dict[str, Channel]:
    """The channels that the settings have addresses for, by name."""
    found: dict[str, Channel] = {}
    if slack := settings.alert_slack_url:
        found["slack"] = Channel("slack", lambda message: _slack(slack, message))
    if (smtp := settings.alert_smtp_url) and (to := settings.alert_mail_to):
        sender = settings.alert_mail_from or to.split(",")[0]
        found["mail"] = Channel("mail", lambda message: _mail(smtp, sender, to, message))
    if url := settings.alert_http_url:
        found["http"] = Channel("http", lambda message: _http(url, settings.alert_http_secret, message))
    return found


def _slack(url: SecretStr, message: Message) -> None:
    """Slack's incoming webhooks: the text is for notifications, the blocks are what is read.

    A source's words are among them, so what would be a mention or a link with another name is escaped.
    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    lines = "\n".join(f"*{label}*: {_as_said(text)}" for label, text in message.lines)
    body = {
        "text": _as_said(message.title),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": message.title[:150], "emoji": True}},
            {"type": "section", "text": {"type": "mrkdwn", "text": lines[:3000]}},
        ],
    }
    _post("slack", url, orjson.dumps(body), {})


def _as_said(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _http(url: SecretStr, secret: SecretStr | None, message: Message) -> None:
    body = orjson.dumps(message.as_dict())
    headers = {}
    if secret:
        digest = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
        headers[SIGNATURE_HEADER] = f"sha256={digest}"
    _post("http", url, body, headers)


def _post(name: str, url: SecretStr, body: bytes, headers: dict[str, str]) -> None:
    try:
        answer = httpx.post(
            url.get_secret_value(),
            content=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=TIMEOUT_S,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failed(name, type(error).__name__) from None
    if not answer.is_success:
        raise _failed(name, f"status {answer.status_code}")


def _mail(url: SecretStr, sender: str, to: str, message: Message) -> None:
    """smtp:// or smtps://, with user and password where they are given.

    smtp:// turns to TLS where the server offers it (STARTTLS). With a login it must: whoever stands between and hides
    the offer would be told the password.
    """
    parts = urlsplit(url.get_secret_value())
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.title, sender, to
    mail["X-V2-Alert"] = str(message.number)
    mail.set_content(message.text())
    try:
        host, secure = parts.hostname or "", parts.scheme == "smtps"
        context = ssl.create_default_context()
        server = (
            smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
            if secure
            else smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_S)
        )
        with server:
            if not secure:
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=context)
                elif parts.username:
                    raise _failed("mail", "the server offers no TLS, and a password is not sent without")
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise _failed("mail", type(error).__name__) from None


def _failed(name: str, why: str) -> ChannelFailed:
    return ChannelFailed(
        f"the alert channel {name} did not take a message ({why})",
        hint="look at the settings V2_ALERT_…; `v2 alerts --test` tries each channel",
        retryable=True,
        context={"channel": name, "why": why},
    )
