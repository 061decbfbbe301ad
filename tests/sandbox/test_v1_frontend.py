"""V1's endpoints in the sandbox: signed in with V1's token, the own rows only, in V1's shape."""

from __future__ import annotations

import httpx
import pytest

from sandbox import Sandbox
from tests.sandbox.conftest import Client


@pytest.fixture
def signed_in(running: Sandbox, client: Client) -> list[tuple[int, httpx.Client]]:
    """Each user of V1, and a client that is signed in as they are."""
    logins = running.world.v1.logins.items()
    return [(u, client(base_url=running.v1_url, headers={"Authorization": f"Bearer {token}"})) for token, u in logins]


def test_a_user_sees_the_own_rows_by_page_in_xanos_shape(
    signed_in: list[tuple[int, httpx.Client]], running: Sandbox
) -> None:
    tables = running.world.v1.tables
    for number, http in signed_in:
        agent = tables["user"][number]["agent_id"]
        first = http.get("/transactions/all", params={"per_page": 3}).json()
        own = [r["id"] for r in tables["transaction"].values()
               if r["user_id"] == number or r["transaction_owner_agent_id"] == agent]  # fmt: skip
        assert [row["id"] for row in first["items"]] == sorted(own, reverse=True)[:3]
        assert (first["itemsTotal"], first["perPage"], first["prevPage"]) == (len(own), 3, None)
        assert http.get("/listings/count").json()["count"] == http.get("/listings/all").json()["itemsTotal"]
        deals = {person["transaction_id"] for person in http.get("/transactions/participants").json()["items"]}
        assert deals <= set(own)


def test_a_deal_comes_by_v1s_number_with_what_belongs_to_it_and_only_to_whose_it_is(
    signed_in: list[tuple[int, httpx.Client]], running: Sandbox
) -> None:
    tables = running.world.v1.tables
    (number, http), (_, other) = signed_in[:2]
    deal = next(r for r in tables["transaction"].values() if r["user_id"] == number)
    told = http.get("/transactions/details", params={"id": deal["id"]}).json()
    assert told["transaction_id_raw"] == deal["transaction_id_raw"]
    people = [p["id"] for p in tables["participant"].values() if p["transaction_id"] == deal["id"]]
    assert [person["id"] for person in told["participants"]] == people
    assert other.get("/transactions/details", params={"id": deal["id"]}).status_code == 404
    assert http.get("/transactions/details").status_code == 404


def test_figures_are_of_the_own_rows(signed_in: list[tuple[int, httpx.Client]]) -> None:
    _, http = signed_in[0]
    total = http.get("/transactions/all").json()["itemsTotal"]
    assert sum(line["transactions"] for line in http.get("/transactions/metrics").json()) == total > 0


def test_without_a_token_of_v1_there_is_nothing_and_private_columns_never_come(
    signed_in: list[tuple[int, httpx.Client]], running: Sandbox, client: Client
) -> None:
    for headers in ({}, {"Authorization": f"Bearer {running.world.v1.token}"}):
        answer = client(base_url=running.v1_url, headers=headers).get("/transactions/all")
        assert (answer.status_code, answer.json()["code"]) == (401, "ERROR_CODE_UNAUTHORIZED")
    for _, http in signed_in:
        for path in ("/team_management/details", "/contributions", "/team_management/leaders"):
            assert not {"api_key", "password"} & {name for row in http.get(path).json()["items"] for name in row}
    assert signed_in[0][1].get("/charts/revenue-trends").status_code == 404, "V1 had no such endpoint"
