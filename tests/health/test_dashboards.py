"""The dashboard and the alert rules that are handed out speak only of metrics and labels that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from v2_assets.health.measures import BY_NAME

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
#: Prometheus' own.
OTHERS = {"up", "job"}
WORDS = {"sum", "max", "rate", "by", "absent", "or"}


def expressions() -> Iterator[tuple[str, str]]:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    rules = yaml.safe_load((FOLDER / "prometheus-rules.yml").read_text(encoding="utf-8"))
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("title", "expression"), list(expressions()), ids=[title for title, _ in expressions()])
def test_an_expression_names_metrics_and_labels_that_exist(title: str, expression: str) -> None:
    bare = re.sub(r'"[^"]*"|\[[^]]*\]', "", expression)
    names = set(re.findall(r"[a-z_][a-z0-9_]*", bare)) - WORDS - OTHERS
    metrics = {name for name in names if name.startswith("v2_")}
    assert metrics and metrics <= set(BY_NAME)
    labels = {label for name in metrics for label in BY_NAME[name].labels}
    assert names - metrics <= labels


def test_every_metric_but_none_else_is_on_the_dashboard() -> None:
    text = (FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8")
    assert set(re.findall(r"v2_[a-z_]+", text)) == set(BY_NAME)
