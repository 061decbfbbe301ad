"""Every value that a select casts is typed in its record's model, so that a refusal or a warning names the field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from resources.apis import MODELS
from tests.merge.stage import STREAM_OF
from v2_assets.merge import Derived, Fact, Unit
from v2_assets.order import ALL_WORK

#: Functions that make a number, a flag or a time of a value.
_READERS = (
    *("money", "skyslope_money", "title_money", "percent", "whole", "small", "flag"),
    *("instant", "day", "skyslope_day", "epoch_ms"),
)
_CALL = re.compile(rf"ops\.({'|'.join(_READERS)})\(")
_CAST = re.compile(r"(?:->>?|#>>?)\s*'([^']+)'\s*\)*\s*::(bigint|int|smallint|numeric|date|timestamptz|boolean)\b")
#: A key of the payload in an expression: after an arrow, in a path, or among the names of `first_of`.
_KEY = re.compile(r"(?:->>?|#>>?)\s*'([^']+)'")
_NAMES = re.compile(r"first_of\(([^()]*)\)")
#: Written by us (`_v2`), or by a tool that types each cell before it is stored (files, V1).
_OURS = ("_v2",)
_TYPED_ELSEWHERE = ("csv",)


def arguments(text: str) -> Iterator[str]:
    """What stands between the brackets of each call of a reader, and before each bare cast."""
    for call in _CALL.finditer(text):
        depth, end = 1, call.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[call.end() : end - 1]
    for cast in _CAST.finditer(text):
        yield cast.group(0)


def keys_cast(text: str) -> set[str]:
    """Names of payload fields that a select casts."""
    plain = "\n".join(line.partition("--")[0] for line in text.splitlines())
    found: set[str] = set()
    for argument in arguments(plain):
        for path in _KEY.findall(argument):
            parts = [p for p in path.strip("{}").split(",") if p and not p.isdecimal()]
            if parts and parts[0] not in _OURS:
                found.add(parts[-1])
        for names in _NAMES.findall(argument):
            found |= set(re.findall(r"'([^']+)'", names))
    return found


def fields_of(model: type[BaseModel]) -> set[str]:
    """Names of a model's fields and of those of the models inside of it."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for inner in _models_in(field.annotation):
            found |= fields_of(inner)
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def selects() -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Staging tables, file and text of every select that reads payloads."""
    for work in ALL_WORK:
        if isinstance(work, Derived):
            yield tuple(sorted(set(re.findall(r"staging\.(stage_\w+)", work.sql)))), work.file, work.sql
        if isinstance(work, Unit | Fact):
            yield (work.stage,), work.file, work.sql
        if isinstance(work, Unit):
            for part in (*work.history, *work.children):
                yield (work.stage,), part.file, part.sql


def _typed(stage: str) -> set[str]:
    stream = STREAM_OF[stage]
    return fields_of(MODELS[stream.integration][stream.entity])


CASES = sorted({each for each in selects() if each[0] and STREAM_OF[each[0][0]].integration not in _TYPED_ELSEWHERE})


@pytest.mark.parametrize(("stages", "text"), [(s, t) for s, _, t in CASES], ids=[f"{s[0]}/{f}" for s, f, _ in CASES])
def test_the_model_types_every_value_that_the_select_casts(stages: tuple[str, ...], text: str) -> None:
    untyped = keys_cast(text) - set().union(*map(_typed, stages))
    assert not untyped, f"no model of {', '.join(stages)} types {sorted(untyped)}"


def test_the_rule_sees_a_cast_in_every_form() -> None:
    text = """
      ops.money(p -> 'price'), ops.day(ops.first_of(p, 'soldAt', 'closedAt') #>> '{}'), -- ops.flag(p -> 'comment')
      ops.whole(payload #> '{people,0,id}'), ops.small(coalesce(p #> '{_v2,tier}', p -> 'tier')),
      (p ->> 'active')::boolean, ops.blank_null(p ->> 'name')
    """
    assert keys_cast(text) == {"price", "soldAt", "closedAt", "id", "tier", "active"}
    assert {"id", "payment", "percent"} <= fields_of(MODELS["rezen"]["transactions"])
