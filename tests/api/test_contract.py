"""The contract: what OpenAPI promises is what is answered, and the catalogue says nothing that is not so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks

from resources.postgres import Database
from tests.api.conftest import Running, generous
from tests.api.world import ADMIN
from v2_assets.api import pages, reference
from v2_assets.api.app import Api
from v2_assets.api.asked import Parameters
from v2_assets.api.catalogue import CATALOGUE
from v2_assets.api.endpoint import rows
from v2_assets.api.shortcut import Shortcut
from v2_assets.schema.describe import table_named
from v2_assets.schema.visibility import RULES

#: Of the application itself; it needs no database to say what it promises.
APP = Api(generous(), Database("postgresql://nobody@127.0.0.1:1/v2")).app
SCHEMA = schemathesis.openapi.from_dict(APP.openapi())
#: What is generated is the library's matter, and how fast the machine's.
HEALTH = list(HealthCheck)
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def of_every_kind() -> list[str]:
    """Endpoints that together have a parameter of every kind: the others' are made by the same lines."""
    own = {"description", "title", "default", "enum"}  # what makes a sort or a filter another, but not of another kind
    kinds: dict[str, set[bytes]] = {}
    for endpoint in CATALOGUE:
        schemas = [parameter["schema"] for parameter in Parameters(endpoint).openapi()]
        told = [{name: schema[name] for name in sorted(schema) if name not in own} for schema in schemas]
        kinds[endpoint.path] = {endpoint.kind.encode(), *map(orjson.dumps, told)}
    chosen: list[str] = []
    missing = set().union(*kinds.values())
    while missing:
        chosen.append(min(kinds, key=lambda path: (-len(kinds[path] & missing), -len(kinds[path]))))
        missing -= kinds[chosen[-1]]
    return chosen


TASKS = ["/tasks/sync/{integration}", "/tasks/merge", "/tasks/state"]


@pytest.fixture(scope="module")
def contract(running: Running) -> Iterator[tuple[Running, requests.Session]]:
    with requests.Session() as session:
        session.trust_env = False
        yield running, session


def validated(case: schemathesis.Case, contract: tuple[Running, requests.Session]) -> None:
    running, session = contract
    case.headers["Authorization"] = f"Bearer {running.tokens[ADMIN]}"
    answer = case.call(base_url=str(running.client.base_url), session=session)
    case.validate_response(answer, checks=CHECKS)


@SCHEMA.parametrize()
@settings(max_examples=6, deadline=None, suppress_health_check=HEALTH, phases=[Phase.generate])
def test_every_answer_is_one_that_the_own_openapi_promises(case: schemathesis.Case, contract: Any) -> None:
    validated(case, contract)


@SCHEMA.include(path=[*of_every_kind(), *TASKS]).parametrize()
@settings(max_examples=1, deadline=None, suppress_health_check=HEALTH, phases=[Phase.explicit])
def test_parameters_of_every_kind_are_answered_as_promised_at_their_limits_and_beyond(
    case: schemathesis.Case, contract: Any
) -> None:
    validated(case, contract)


def test_every_endpoint_reads_only_tables_with_a_rule_and_says_which() -> None:
    for endpoint in CATALOGUE:
        looked_up = {"address"}  # by a function that knows the rule itself
        assert set(endpoint.reads) - looked_up <= set(RULES), endpoint.path
        if endpoint.sql:
            text = (Path(reference.__file__).with_name("figures") / endpoint.sql).read_text(encoding="utf-8")
            found = {word for word in RULES if f"v2.{word} " in text or f"{word} s\n" in text}
            assert found == set(endpoint.reads), endpoint.path


def test_no_answer_has_the_birth_date_or_the_home_of_an_agent() -> None:
    private = {"birthdate", "home_address_id"}
    assert private <= {column.name for column in table_named("agent").columns}
    for endpoint in CATALOGUE:
        asked = {field.name for field in endpoint.fields} | set(endpoint.filters) | set(endpoint.search)
        asked |= {sort.removeprefix("-") for sort in endpoint.sorts}
        assert not private & asked, endpoint.path
    for path in (Path(pages.__file__).parent / "figures").glob("*.sql"):
        assert not any(name in path.read_text(encoding="utf-8") for name in private), path


def test_a_column_that_does_not_exist_cannot_be_put_into_the_catalogue() -> None:
    with pytest.raises(ValueError, match="no_such"):
        rows("/x", "agent", "x", filters="no_such")


def test_the_shortcut_answers_with_the_functions_that_openapi_is_written_from() -> None:
    shortcut = next(layer for layer in APP.user_middleware if layer.cls is Shortcut)
    promised = {route.path: route.endpoint for route in APP.routes if isinstance(route, APIRoute)}
    answers = dict(shortcut.kwargs["answers"])
    assert answers.pop("/openapi.json") and answers.pop("/docs"), "the documents are answered there too"
    assert answers == {endpoint.path: promised[endpoint.path] for endpoint in CATALOGUE}


def test_the_reference_page_is_what_the_catalogue_says() -> None:
    assert reference.differs() is False, "run: python -m v2_assets.api.reference"
