"""The assets of people and teams. Agents, teams and rosters are one step, because each is completed by the others."""

from v2_assets.people import units as u
from v2_assets.tables import v2_asset

agents_and_teams = v2_asset(*u.AGENTS_AND_TEAMS, parents=u.PARENTS, name="agents_and_teams")
agent_hierarchy = v2_asset(*u.AGENT_HIERARCHY, parents=u.PARENTS)
agent_cap_data = v2_asset(*u.AGENT_CAP_DATA, parents=u.PARENTS)
agent_performance = v2_asset(*u.AGENT_PERFORMANCE, parents=u.PARENTS)

PEOPLE = [agents_and_teams, agent_hierarchy, agent_cap_data, agent_performance]
