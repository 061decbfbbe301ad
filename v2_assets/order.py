"""The order of V2's tables outside of Dagster: drawn from the same parents that make the asset graph."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter
from types import ModuleType

from v2_assets.aggregates import units as aggregates
from v2_assets.crm import units as crm
from v2_assets.deals import units as deals
from v2_assets.identity import units as identity
from v2_assets.merge import Derived, Fact, Unit
from v2_assets.money import units as money
from v2_assets.network import units as network
from v2_assets.people import units as people
from v2_assets.reference import units as reference
from v2_assets.title import units as title

Work = tuple[Unit | Fact | Derived, ...]
DOMAINS = (reference, identity, people, deals, crm, network, money, title, aggregates)
#: What every domain does, one by one, in no order.
ALL_WORK: Work = tuple(each for domain in DOMAINS for piece in domain.WORK for each in piece)


def work_in_order(domains: Sequence[ModuleType] = DOMAINS) -> list[Work]:
    """Every piece of work of these domains, parents first. A piece fills one table, or those of one transaction."""
    pieces: dict[str, Work] = {}
    owner: dict[str, str] = {}
    for domain in domains:
        for work in domain.WORK:
            name = work[0].table
            pieces[name] = work
            for each in work:
                parts = (*each.history, *each.children) if isinstance(each, Unit) else ()
                for table in (each.table, *(part.table for part in parts)):
                    owner[table] = name
    graph: dict[str, set[str]] = {name: set() for name in pieces}
    for domain in domains:
        for table, parents in domain.PARENTS.items():
            if table in owner:
                graph[owner[table]] |= {owner[p] for p in parents if p in owner} - {owner[table]}
    return [pieces[name] for name in TopologicalSorter(graph).static_order()]
