"""Some hundreds of any questions that can be asked, with the application in front and without: no foreign row.

`python -m bench.rows_fuzz` asks 20,000 either way.
"""

from __future__ import annotations

import psycopg

from tests.api.conftest import Running, as_api
from tests.api.fuzz import Fuzz


def fuzz_of(running: Running, seed: int) -> Fuzz:
    with running.database.connect() as connection:
        return Fuzz.of(connection, running.world, running.tokens, seed)


def test_whatever_is_asked_of_the_endpoints_no_answer_holds_anothers_row(running: Running) -> None:
    fuzz = fuzz_of(running, 1)
    for _ in range(400):
        fuzz.over_http(running.client)
    assert fuzz.foreign == []
    assert fuzz.counts["http 200"] > 200 and fuzz.counts["rows"] > 200, fuzz.counts


def test_whatever_is_asked_of_postgres_as_the_endpoints_no_answer_holds_anothers_row(running: Running) -> None:
    fuzz = fuzz_of(running, 2)
    with psycopg.connect(as_api(running.database.url), autocommit=True) as connection:
        for _ in range(400):
            fuzz.in_sql(connection)
            fuzz.as_plain_sql(connection)
    assert fuzz.foreign == []
    assert fuzz.counts["sql answered"] > 200 and fuzz.counts["rows"] > 200, fuzz.counts


def test_the_fuzz_sees_a_row_that_is_anothers(running: Running) -> None:
    """Asked with the token of another, every list with rows of one's own is foreign."""
    fuzz = fuzz_of(running, 3)
    fuzz.token_of = {user: running.tokens[user % len(running.tokens) + 1] for user in running.tokens}
    for _ in range(100):
        fuzz.over_http(running.client)
    assert len(fuzz.foreign) > 10
