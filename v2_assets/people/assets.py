"""The assets of people and teams, one call per V2 table (a team and its settings are one record)."""

from v2_assets.people import units as u
from v2_assets.tables import v2_asset

agent = v2_asset(*u.AGENT, parents=u.PARENTS)
team = v2_asset(*u.TEAM, parents=u.PARENTS)
team_members = v2_asset(*u.TEAM_MEMBERS, parents=u.PARENTS)
agent_commission = v2_asset(*u.AGENT_COMMISSION, parents=u.PARENTS)
leader = v2_asset(*u.LEADER, parents=u.PARENTS)
agent_hierarchy = v2_asset(*u.AGENT_HIERARCHY, parents=u.PARENTS)
agent_cap_data = v2_asset(*u.AGENT_CAP_DATA, parents=u.PARENTS)

PEOPLE = [agent, team, team_members, agent_commission, leader, agent_hierarchy, agent_cap_data]
