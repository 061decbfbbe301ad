"""People and teams: agents, what they earn by, who sponsors them, and the teams they work in.

Here: the catalogue's section 3. The down-line network is a later domain; users of the product are in `identity.py`.
"""

from __future__ import annotations

from sqlalchemy import Index, Table, func
from sqlalchemy.schema import SchemaItem

from v2_assets.schema.vocabulary import day, flag, law, money, number, parent, percent, ts, v2_table, words

_FROM_V1 = "Known to V1 only; filled by the V1 import."

agent = v2_table(
    "agent",
    words("agent_id_raw", "The agent's id at reZEN.", required=True),
    words("display_name", "Name as shown."),
    words("first_name", "Given name."),
    words("last_name", "Family name."),
    words("email", "E-mail address."),
    words("phone", "Phone number as the source writes it."),
    words("agent_status", "Where the agent stands at the brokerage; code set agent_status."),
    words("type", "Kind of person, e.g. AGENT."),
    words("title", "Title the agent goes by."),
    words("avatar", "Address of the agent's picture."),
    day("birthdate", "Date of birth."),
    day("join_date", "Day the agent joined the brokerage."),
    day("anniversary_date", "Day on which the agent's cap year turns."),
    flag("real_agent", "Whether the agent belongs to our brokerage."),
    flag("active_on_team", "Whether the agent is on a team now."),
    flag("is_demo", "Whether the agent is made up."),
    flag("is_stub", "Whether a record only named the agent and the profile was never read.", default=False),
    words("city", "City of work."),
    words("state", "State of work as the source writes it."),
    words("state_abbreviation", "State of work, two letters."),
    words("commission_plan_id", "The commission plan's id at the source."),
    parent("user_id", "v2.user", "The user of the product this agent is."),
    parent("team_id", "v2.team", "The agent's team; the first where there are several."),
    parent("brokerage_id", "v2.brokerage", "The agent's brokerage.", index=False),
    parent("home_address_id", "v2.address", "Where the agent lives.", index=False),
    grain="one agent",
    key=("agent_id_raw",),
    sources=("rezen", "v1"),
    domain="people",
    freshness="hourly",
    personal=("display_name", "first_name", "last_name", "email", "phone", "avatar", "birthdate", "home_address_id"),
    v1={
        "table": "agent",
        "codes": {"agent_status": "agent_status"},
        "forms": {"agent_id_raw": "raw", "email": "lower"},
        "left_out": {"api_key": "moved to credentials.api_key, which is entered anew"},
    },
)
# Systems that know no reZEN id name an agent by the e-mail address.
Index("agent_email_idx", func.lower(agent.c.email))

agent_cap_data = v2_table(
    "agent_cap_data",
    parent("agent_id", "v2.agent", "The agent whose cap it is.", required=True, index=False),
    money("team_cap", "Most the agent pays the team in a cap year."),
    money("team_cap_paid", "Paid towards the team cap so far."),
    money("brokerage_cap", "Most the agent pays the brokerage in a cap year."),
    money("brokerage_cap_paid", "Paid towards the brokerage cap so far."),
    money("annual_cap", "The whole cap of the year."),
    money("group_team_cap", "Cap of the group team."),
    flag("capped", "Whether the cap is reached."),
    flag("unlocked", "Whether the agent's rev-share tier is unlocked."),
    ts("capped_at", "When the cap was reached."),
    day("next_anniversary", "Day on which the cap year turns next."),
    day("sponsor_producing_grace_period_end", "Last day on which the sponsor counts as producing."),
    day("deferred_cap_end_date", "Day on which a deferred cap ends."),
    day("grace_period_end", "Last day of the agent's grace period."),
    words("currency", "Currency of the amounts."),
    grain="the cap of one agent in the current cap year",
    key=("agent_id",),
    sources=("rezen", "v1"),
    domain="people",
    freshness="daily",
)

agent_commission = v2_table(
    "agent_commission",
    parent("agent_id", "v2.agent", "The agent whose splits these are.", required=True, index=False),
    percent("leader_split", "Share that goes to the leader, 0 to 100."),
    percent("member_commission_split", "Share the member keeps, 0 to 100."),
    money("pre_cap_fee", "Fee per deal before the cap is reached."),
    money("post_cap_fee", "Fee per deal after the cap is reached."),
    percent("pre_cap_real_commission_split", "Share the brokerage keeps before the cap, 0 to 100."),
    flag("pays_leader_split", "Whether the agent pays a leader split."),
    money("normal_team_lead_annual_cap", "Yearly cap of the lead of a normal team."),
    grain="the commission splits of one agent",
    key=("agent_id",),
    sources=("rezen", "v1"),
    domain="people",
    freshness="hourly",
)

agent_hierarchy = v2_table(
    "agent_hierarchy",
    parent("agent_id", "v2.agent", "The sponsored agent.", required=True, index=False),
    parent("sponsor_agent_id", "v2.agent", "The sponsor.", required=True),
    number("level", "How far the sponsor is from the agent, as the source counts; two sponsors may share one."),
    flag("is_director", "Whether the sponsor is the agent's director."),
    flag("is_leader", "Whether the sponsor is the agent's leader."),
    flag("is_mentor", "Whether the sponsor is the agent's mentor."),
    flag("needs_mentorship", "Whether the agent still needs a mentor."),
    parent("director_id", "v2.director", "The director role behind the link.", index=False),
    parent("leader_id", "v2.leader", "The leader role behind the link.", index=False),
    parent("mentor_id", "v2.mentor", "The mentor role behind the link.", index=False),
    law("own_sponsor", "agent_id <> sponsor_agent_id"),
    grain="one link between an agent and one of the agent's sponsors",
    key=("agent_id", "sponsor_agent_id"),
    sources=("rezen", "v1"),
    domain="people",
    freshness="daily",
)

agent_performance = v2_table(
    "agent_performance",
    parent("agent_id", "v2.agent", "The agent who is counted.", required=True, index=False),
    number("all_transaction_count", "Deals of the agent in any state."),
    number("pending_transaction_count", "Deals that are under way."),
    number("closed_transaction_count", "Deals that closed."),
    number("terminated_transaction_count", "Deals that fell through."),
    number("all_listing_count", "Listings of the agent in any state."),
    number("active_listing_count", "Listings on the market."),
    number("under_contract_listing_count", "Listings under contract."),
    number("terminated_listing_count", "Listings that were withdrawn."),
    number("size_of_network", "Agents in the agent's down-line; null until the network is known."),
    flag("elite", "Whether the agent has elite status."),
    grain="the counted work of one agent",
    key=("agent_id",),
    sources=("derived",),
    domain="people",
    freshness="hourly",
    derived=True,
)

team = v2_table(
    "team",
    words("team_id_raw", "The team's id at the source.", required=True),
    words("team_name", "The team's name."),
    words("team_type", "Kind of team; code set team_type."),
    flag("active", "Whether the team works now."),
    words("status", "The team's status; code set team_status."),
    number("max_teammates", "Most members the team may have."),
    number("max_leaders", "Most leaders the team may have."),
    words("config_id", "The configuration's id at the source."),
    words("commission_plan_id", "The commission plan's id at the source."),
    words("logo", "Address of the team's logo."),
    parent("team_owner_agent_id", "v2.agent", "The agent who owns the team.", closes_circle=True),
    grain="one team",
    key=("team_id_raw",),
    sources=("rezen", "skyslope", "v1"),
    domain="people",
    freshness="hourly",
    v1={
        "table": "team",
        "codes": {"team_type": "team_type", "status": "team_status"},
        "forms": {"team_id_raw": "raw"},
    },
)

team_settings = v2_table(
    "team_settings",
    parent("team_id", "v2.team", "The team whose settings these are.", required=True, index=False),
    words("country", "Country the team works in, as the source writes it."),
    flag("flex", "Whether members may have flexible roles."),
    flag("instant_payment_eligible", "Whether the team may be paid at once."),
    flag("paid_at_closing", "Whether the team is paid at the closing table."),
    flag("enforce_splits", "Whether leader splits are enforced."),
    percent("min_split_percent", "Least leader split, 0 to 100."),
    percent("member_commission_split", "Usual share a member keeps, 0 to 100."),
    percent("max_member_commission_split", "Most a member may keep, 0 to 100."),
    words("payment_details_visibility", "Who may see payment details, as the source writes it."),
    words("cda_approver", "Who approves commission documents, as the source writes it."),
    money("leader_cap", "The leader's cap."),
    grain="the settings of one team",
    key=("team_id",),
    sources=("rezen", "v1"),
    domain="people",
    freshness="hourly",
)

team_members = v2_table(
    "team_members",
    parent("team_id", "v2.team", "The team.", required=True, index=False),
    parent("agent_id", "v2.agent", "The member.", required=True),
    words("agent_id_raw", "The member's agent id at the source.", required=True),
    flag("active", "Whether the member is on the roster now."),
    words("status", "The member's status on the team; code set agent_status."),
    flag("is_leader", "Whether the member leads the team."),
    flag("is_director", "Whether the member is a director."),
    flag("is_mentor", "Whether the member is a mentor."),
    words("seat", "The member's place on the roster; code set team_role."),
    day("team_join_date", "Day the member joined the team."),
    words("avatar", "Address of the member's picture."),
    grain="one agent on one team",
    key=("team_id", "agent_id"),
    sources=("rezen", "v1"),
    domain="people",
    freshness="hourly",
    personal=("avatar",),
)


def _role(name: str, *more: SchemaItem) -> Table:
    """Directors, leaders and mentors are held alike: who, on which team, since when."""
    return v2_table(
        name,
        parent("team_id", "v2.team", "The team the role is held in.", required=True, index=False),
        parent("agent_id", "v2.agent", "The agent who holds it.", required=True),
        day("effective_start_date", "First day of the role; null when nobody recorded it."),
        day("assigned_on", "Day the role was given."),
        day("unassigned_on", "Day the role was taken back."),
        words("status", "How the role stands."),
        flag("active", "Whether the role is held now."),
        *more,
        grain=f"one {name} role held by one agent on one team",
        key=("team_id", "agent_id", "effective_start_date"),
        sources=("rezen", "v1"),
        domain="people",
        freshness="hourly",
        may_be_empty=_FROM_V1,
        nulls_are_one=True,
    )


director = _role("director")

leader = _role(
    "leader",
    day("effective_end_date", "Last day of the role."),
    flag("training", "Whether the leader is in training."),
    percent("percentage", "Share the leader gets, 0 to 100."),
    parent("director_id", "v2.director", "The director above the leader.", index=False),
)

mentor = _role("mentor")
