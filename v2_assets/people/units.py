"""What the tables of people and teams are merged from, and which tables their selects look up.

Agents, teams and rosters are one piece of work: an agent's team is known only from the roster, a team's owner too, and
both are merged before it.
"""

from __future__ import annotations

from v2_assets.merge import Child, Derived, Fact, Unit

_HERE = "v2_assets.people"


def _agents_of(entity: str, file: str) -> Fact:
    return Fact(table="agent", package=_HERE, file=file, stage=f"stage_rezen_{entity}")


def _unit(table: str, entity: str, children: tuple[Child, ...] = ()) -> Unit:
    return Unit(table=table, package=_HERE, file=f"{table}.sql", stage=f"stage_rezen_{entity}", children=children)


def _v1(table: str) -> Unit:
    return Unit(table=table, package=_HERE, file=f"{table}.v1.sql", stage=f"stage_xano_{table}")


def _derived(table: str, file: str) -> Derived:
    return Derived(table=table, package=_HERE, file=file)


#: Profiles before stubs; the agent's own profile after both.
AGENT_FACTS = (
    _agents_of("team_members", "agent.team_members.sql"),
    _agents_of("team_members", "agent.seats.sql"),
    _agents_of("transactions", "agent.deals.sql"),
    _agents_of("listings", "agent.deals.sql"),
    _agents_of("sponsor_tree", "agent.sponsor_tree.sql"),
    _agents_of("cap_data", "agent.cap_data.sql"),
    _agents_of("network_downline", "agent.network.sql"),
    _agents_of("network_frontline", "agent.network.sql"),
    _agents_of("contributions", "agent.earnings.sql"),
    _agents_of("pending_contributions", "agent.earnings.sql"),
    _agents_of("revshare_payments", "agent.earnings.sql"),
    _agents_of("equity", "agent.earnings.sql"),
)
AGENT = _unit("agent", "agents")
TEAM = _unit(
    "team", "teams", (Child(table="team_settings", package=_HERE, file="team_settings.sql", parent="team_id"),)
)
TEAM_MEMBERS = _unit("team_members", "team_members")
#: From the roster, once it is merged.
FROM_ROSTER = (
    _derived("team", "team.derived.sql"),
    _derived("agent", "agent.derived.sql"),
    _derived("agent_commission", "agent_commission.sql"),
    _derived("leader", "leader.sql"),
)

#: V1 after the living source, and directors before the leaders who name them.
FROM_V1 = (_v1("agent"), _v1("team"), _v1("director"), _v1("leader"), _v1("mentor"))

AGENTS_AND_TEAMS = (
    *AGENT_FACTS,
    AGENT,
    TEAM,
    TEAM_MEMBERS,
    *FROM_V1,
    *FROM_ROSTER,
    _derived("agent", "agent.v1.derived.sql"),
)
AGENT_HIERARCHY = (_unit("agent_hierarchy", "sponsor_tree"),)
AGENT_CAP_DATA = (_unit("agent_cap_data", "cap_data"),)
AGENT_PERFORMANCE = (_derived("agent_performance", "agent_performance.sql"),)

WORK = (AGENTS_AND_TEAMS, AGENT_HIERARCHY, AGENT_CAP_DATA, AGENT_PERFORMANCE)
PARENTS: dict[str, tuple[str, ...]] = {
    "agent": ("brokerage", "credentials"),
    "team": ("agent",),
    "team_settings": ("team",),
    "team_members": ("team", "agent"),
    "agent_commission": ("agent", "team_members"),
    "director": ("team", "agent"),
    "leader": ("agent", "team", "team_members", "director"),
    "mentor": ("team", "agent"),
    "agent_hierarchy": ("agent",),
    "agent_cap_data": ("agent",),
    "agent_performance": ("agent", "transaction", "listing"),
}
