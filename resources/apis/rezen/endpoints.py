"""reZEN endpoints as data. Sources: the vendor's sign-in guide for the key and its check; the rest is known from public
clients only, so every list accepts all the names that were seen and nothing depends on an unknown.
"""

from __future__ import annotations

from resources.http.endpoint import Endpoint

#: No limit is published, so ours is modest: calls per 10 s. Long answers (rosters, trees) were seen to take seconds.
WINDOW_S = 10

ME = Endpoint(name="yenta users/me", path="/users/me", why="whose key this is; the cheap check of a key")
AGENT_ME = Endpoint(name="yenta agents/me", path="/agents/me", why="the key owner's profile, with teams")
AGENTS = Endpoint(
    name="yenta agents/ids",
    path="/agents/ids",
    lists=("agents", "results"),
    root_list=True,
    page_size=20,
    why="profiles of named agents, at most 20 at once",
)
TEAM = Endpoint(name="yenta teams/{id}", path="/teams/{team}", why="a team and its roster", deadline_s=60)
#: The roster's key has changed before; a roster under none of these is an error that keeps the old one.
ROSTER = Endpoint(
    name="yenta teams/{id} roster",
    path="/teams/{team}",
    lists=("agents", "members", "teamMembers", "content"),
    root_list=True,
    why="who is on a team",
    deadline_s=60,
)
SPONSORS = Endpoint(
    name="yenta agents/{id}/sponsor-tree",
    path="/agents/{agent}/sponsor-tree",
    lists=("flattenedSponsors",),
    no_content=True,
    why="who brought an agent in, level by level",
    deadline_s=60,
)
CAP = Endpoint(name="yenta agents/{id}/cap-info", path="/agents/{agent}/cap-info", why="an agent's cap this year")
DOWN_LINE = Endpoint(
    name="yenta agents/{id}/down-line/{tier}",
    path="/agents/{agent}/down-line/{tier}",
    lists=("downLineAgents", "agents", "content", "results"),
    no_content=True,
    page_size=500,
    why="who is in an agent's network, tier by tier",
    deadline_s=120,  # two to five seconds a tier were seen, and a minute for all of a large one
)
FRONT_LINE = Endpoint(
    name="yenta agents/{id}/front-line-agents-info",
    path="/agents/{agent}/front-line-agents-info",
    lists=("frontLineAgentInfos",),
    no_content=True,
    why="the agents right below an agent, with what is known of their networks",
    deadline_s=120,
)
DETAIL = Endpoint(
    name="arrakis transactions/{id}", path="/transactions/{id}", why="a deal or listing with participants"
)

_LIST_KEYS = ("transactions", "listings", "openTransactions", "results", "content")


def _group_list(kind: str) -> Endpoint:
    return Endpoint(
        name=f"arrakis participant/{kind}/{{group}}",
        path=f"/transactions/participant/{{agent}}/{kind}/{{group}}",
        lists=_LIST_KEYS,
        no_content=True,
        root_list=True,
        why="an agent's deals by lifecycle group; thin rows, details are fetched one by one",
        deadline_s=60,
    )


def _counts(kind: str) -> Endpoint:
    return Endpoint(
        name=f"arrakis participant/{kind}/lifecycle-group-counts",
        path=f"/transactions/participant/{{agent}}/{kind}/lifecycle-group-counts",
        why="how many each group has: the completeness check",
    )


GROUPS = ("OPEN", "CLOSED", "TERMINATED")
LISTS = {"transactions": _group_list("transactions"), "listings": _group_list("listing-transactions")}
COUNTS = {"transactions": _counts("transactions"), "listings": _counts("listing-transactions")}

#: The names under which one client looks for the rows of a rev-share list.
_EARNED = ("contributions", "payments", "contributors", "content", "items", "results", "data")


def _earnings(name: str, path: str, why: str) -> Endpoint:
    return Endpoint(
        name=name, path=path, lists=_EARNED, root_list=True, no_content=True, page_size=200, why=why, deadline_s=120
    )


CONTRIBUTIONS = _earnings(
    "arrakis revshares/{id}/contributions/{tier}",
    "/revshares/{agent}/contributions/{tier}",
    "what one tier of the network earned the agent",
)
PENDING = _earnings(
    "arrakis revshares/{id}/payments/pending", "/revshares/{agent}/payments/pending", "what is earned and not settled"
)
PAYMENTS = _earnings("arrakis revshares/{id}/payments", "/revshares/{agent}/payments", "what was paid out")
