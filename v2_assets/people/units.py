"""What the tables of people and teams are merged from, and which tables their selects look up."""

from __future__ import annotations

from v2_assets.merge import Child, Derived, Fact, Unit

_HERE = "v2_assets.people"


def _agents_of(entity: str, file: str) -> Fact:
    return Fact(table="agent", package=_HERE, file=file, stage=f"stage_rezen_{entity}")


AGENT = (
    _agents_of("team_members", "agent.team_members.sql"),
    _agents_of("transactions", "agent.deals.sql"),
    _agents_of("listings", "agent.deals.sql"),
    _agents_of("sponsor_tree", "agent.sponsor_tree.sql"),
    Unit(table="agent", package=_HERE, file="agent.sql", stage="stage_rezen_agents"),
    Derived(table="agent", package=_HERE, file="agent.derived.sql"),
)
TEAM = (
    Unit(
        table="team",
        package=_HERE,
        file="team.sql",
        stage="stage_rezen_teams",
        children=(Child(table="team_settings", package=_HERE, file="team_settings.sql", parent="team_id"),),
    ),
)
TEAM_MEMBERS = (Unit(table="team_members", package=_HERE, file="team_members.sql", stage="stage_rezen_team_members"),)
AGENT_COMMISSION = (Derived(table="agent_commission", package=_HERE, file="agent_commission.sql"),)
LEADER = (Derived(table="leader", package=_HERE, file="leader.sql"),)
AGENT_HIERARCHY = (
    Unit(table="agent_hierarchy", package=_HERE, file="agent_hierarchy.sql", stage="stage_rezen_sponsor_tree"),
)
AGENT_CAP_DATA = (
    Unit(table="agent_cap_data", package=_HERE, file="agent_cap_data.sql", stage="stage_rezen_cap_data"),
)

WORK = (AGENT, TEAM, TEAM_MEMBERS, AGENT_COMMISSION, LEADER, AGENT_HIERARCHY, AGENT_CAP_DATA)
PARENTS: dict[str, tuple[str, ...]] = {
    "agent": ("brokerage", "credentials"),
    "team": ("agent",),
    "team_settings": ("team",),
    "team_members": ("team", "agent"),
    "agent_commission": ("agent", "team_members"),
    "leader": ("agent", "team_members"),
    "agent_hierarchy": ("agent",),
    "agent_cap_data": ("agent",),
}
