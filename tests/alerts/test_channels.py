"""Each channel against a real server: what is sent to whom, and what is never sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.alerts import ChannelFailed, Message, configured
from resources.settings import load_settings
from tests.alerts.sinks import Sink, http_sink, smtp_sink
from tests.certificates import self_signed

LOGIN = {"alert_mail_to": "ops@example.test"}


@pytest.fixture
def http() -> Iterator[Sink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture
def mail() -> Iterator[Sink]:
    with smtp_sink() as sink:
        yield sink


def _with_login(url: str) -> str:
    return url.replace("://", "://ops:mail-password@")


def test_a_mail_server_whose_tls_somebody_hides_is_told_neither_password_nor_message() -> None:
    with smtp_sink(offers=("AUTH PLAIN LOGIN",)) as between:
        settings = load_settings(alert_smtp_url=_with_login(between.url), **LOGIN)
        with pytest.raises(ChannelFailed) as failed:
            configured(settings)["mail"].send(Message(1, "opened", "x", "critical", "a subject"))
    assert (between.headers, between.received) == ([], [])
    assert "no TLS" in str(failed.value) and "mail-password" not in str(failed.value)


def test_the_password_goes_out_after_tls_to_a_server_whose_certificate_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, unknown = (self_signed(tmp_path / f"{name}.pem", tmp_path / f"{name}.key") for name in ("known", "unknown"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "known.pem"))
    for tls in (unknown, known):
        with smtp_sink(tls=tls, offers=("AUTH PLAIN",)) as server:
            channel = configured(load_settings(alert_smtp_url=_with_login(server.url), **LOGIN))["mail"]
            if tls is unknown:
                with pytest.raises(ChannelFailed):
                    channel.send(Message(1, "opened", "x", "critical", "a subject"))
                assert server.headers == []
            else:
                channel.send(Message(1, "opened", "x", "critical", "a subject"))
                assert [login["private"] for login in server.headers] == ["True"]
                assert len(server.received) == 1


@pytest.mark.parametrize(
    "subject", ["a\rBcc: e@example.test", "a\r\nBcc: e@example.test", "a\nb", "a\x0bb\u2028c\x85d"]
)
def test_line_breaks_in_a_subject_make_neither_a_header_nor_an_error(mail: Sink, subject: str) -> None:
    settings = load_settings(alert_smtp_url=mail.url, **LOGIN)
    configured(settings)["mail"].send(Message(1, "opened", "x", "critical", subject))
    (letter,) = mail.received
    assert letter["Bcc"] is None and letter["Subject"] == f"🔴 {' '.join(subject.split())}"


def test_what_a_source_says_mentions_nobody_in_slack_and_hides_no_link(http: Sink) -> None:
    said = "answered 403: <!channel> <https://evil.example|sign in again> & more"
    settings = load_settings(alert_slack_url=http.url)
    configured(settings)["slack"].send(Message(1, "opened", "x", "critical", "<!here> fails", what=said))
    (body,) = http.received
    section = body["blocks"][1]["text"]["text"]
    assert "&lt;!channel&gt; &lt;https://evil.example|sign in again&gt; &amp; more" in section
    assert "<" not in section + body["text"]
