"""Who may ask, and how often: tokens, their end, and the limit of requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import ConfigError
from resources.processes import wait_until
from resources.settings import load_settings
from tests.api.conftest import Running, served
from tests.api.world import ANN, GUEST, LONE
from v2_assets.api import tokens
from v2_assets.api.limit import Limiter

DEALS = "/transactions/all"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer v2_" + "A" * 43, "Bearer v2_" + "A" * 44, "bearer é"],
)
def test_without_a_token_of_ours_nothing_is_answered(running: Running, header: str) -> None:
    answer = running.client.get(DEALS, headers={"Authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "no_token"


def test_a_token_ends_when_it_is_revoked_or_expires_and_is_good_only_for_its_scope(changing: Running) -> None:
    with changing.database.connect() as connection:
        connection.execute("delete from ops.api_token where user_id = %s", [GUEST])
        number, good = tokens.create(connection, GUEST, ["read"], label="test")
        ended = tokens.create(connection, GUEST, ["read"], expires_at=datetime.now(UTC) - timedelta(seconds=1))[1]
        narrow = tokens.create(connection, GUEST, ["tasks"])[1]

    def status(token: str) -> int:
        return changing.get(DEALS, headers={"Authorization": f"Bearer {token}"}).status_code

    assert [status(token) for token in (good, ended, narrow)] == [200, 401, 403]
    with changing.database.connect() as connection:
        assert wait_until(lambda: tokens.listed(connection, GUEST)[2]["last_used_at"] is not None, 120)
        assert tokens.revoke(connection, number) is True
        assert tokens.revoke(connection, number) is False
    assert status(good) == 401
    with changing.database.connect() as connection:
        listed = tokens.listed(connection, GUEST)
        assert [(row["id"], row["state"]) for row in listed][2] == (number, "revoked")
        assert [row["state"] for row in listed] == ["good", "expired", "revoked"]
        assert good not in repr(listed)
        stored = connection.execute("select t::text from ops.api_token t").fetchall()
        assert good not in repr(stored)


@pytest.mark.parametrize(("text", "days"), [("30d", 30), ("2w", 14), ("48h", 2), (None, None)])
def test_how_long_a_token_lives_is_said_in_words(text: str | None, days: int | None) -> None:
    ends = tokens.expiry(text)
    if days is None or ends is None:
        assert ends is days
        return
    assert abs((ends - datetime.now(UTC)).total_seconds() - days * 86400) < 60


def test_bad_tokens_cannot_be_made(running: Running) -> None:
    with running.database.connect() as connection:
        for scopes in ([], ["write"]):
            with pytest.raises(ConfigError, match="scope"):
                tokens.create(connection, ANN, scopes)
        with pytest.raises(ConfigError, match="no token 777"):
            tokens.revoke(connection, 777)
    with pytest.raises(ConfigError, match="soon"):
        tokens.expiry("soon")


def test_who_asks_too_often_is_told_when_to_come_again(running: Running) -> None:
    few = load_settings(api_requests_per_minute=60, api_burst=3, api_connections=2)
    with served(running.database, few) as (_, client):
        headers = {user: {"Authorization": f"Bearer {running.tokens[user]}"} for user in (ANN, LONE)}
        answers = [client.get("/listings/count", headers=headers[ANN]) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
        assert refused
        assert int(refused[0].headers["retry-after"]) >= 1
        assert refused[0].json()["error"]["retryable"] is True
        assert client.get("/listings/count", headers=headers[LONE]).status_code == 200


@given(gaps=st.lists(st.floats(0, 3), min_size=1, max_size=80), burst=st.integers(1, 10))
def test_in_no_window_a_token_gets_more_than_its_burst_and_its_rate(gaps: list[float], burst: int) -> None:
    now = 0.0
    limiter = Limiter(60, burst, clock=lambda: now)
    granted: list[float] = []
    for gap in gaps:
        now += gap
        wait = limiter.take("a")
        if wait == 0:
            granted.append(now)
        else:
            now += wait + 1e-6
            assert limiter.take("a") == 0
            granted.append(now)
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            assert last - first + 1 <= burst + (granted[last] - granted[first]) * 1.0 + 1.001
