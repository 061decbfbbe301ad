"""Contacts of Follow Up Boss and what was done with them."""

from __future__ import annotations

from v2_assets.api.catalogue.words import PERIOD, described
from v2_assets.api.endpoint import Endpoint, Field, figures, rows

_DAY = Field("day", "day", "The day.")


def _touches(path: str, column: str, what: str) -> Endpoint:
    """What was done per day, of one kind."""
    return figures(
        path,
        f"{column}_by_day.sql",
        what,
        reads=("agg_fub_activity_by_agent",),
        fields=(_DAY, Field("user_id", "whole", "Whose it is."), *_BY_DAY[column]),
        also=PERIOD,
    )


_BY_DAY: dict[str, tuple[Field, ...]] = {
    "new_people": described(("new_people", "whole", "New contacts.")),
    "calls": described(
        ("calls", "whole", "Calls."),
        ("calls_incoming", "whole", "Of these, incoming."),
        ("call_seconds", "whole", "Seconds talked."),
    ),
    "events": described(("events", "whole", "Events of contacts.")),
    "appointments": described(("appointments", "whole", "Appointments that began.")),
    "texts": described(("texts", "whole", "Text messages."), ("texts_incoming", "whole", "Of these, incoming.")),
}
CRM = (
    rows(
        "/leads/fub_people",
        "fub_people",
        "Contacts, each with its stage, source and owner.",
        filters=(
            "type stage_name stage_id source_name created_via contacted claimed fub_created_at fub_updated_at "
            "last_activity price deal_status fub_account_id assigned_to_fub_id user_id updated_at"
        ),
        search="people_name email phone",
        sorts="-fub_created_at id",
        walk="user_id",
        finder="api_find_fub_people",
    ),
    _touches("/leads/fub_people/aggregates", "new_people", "New contacts per day and user."),
    rows(
        "/fub/deals",
        "fub_deals",
        "Deals of the CRM.",
        filters=(
            "status type pipeline_id pipeline_name stage_id stage_name price projected_close_date "
            "primary_person_id ad_user_id ad_team_id fub_created_at fub_updated_at updated_at"
        ),
        search="deal_name description",
        sorts="-id price projected_close_date fub_created_at updated_at",
    ),
    figures(
        "/fub/deals/aggregates",
        "fub_deals_aggregates.sql",
        "Deals of the CRM by pipeline, stage and status.",
        reads=("fub_deals",),
        fields=described(
            ("pipeline_name", "text", "Name of the pipeline."),
            ("stage_name", "text", "Name of the stage."),
            ("status", "text", "How the deals stand."),
            ("deals", "whole", "Deals in it."),
            ("price", "number", "Their prices together."),
            ("commission_value", "number", "Their commission together."),
        ),
    ),
    rows(
        "/fub/calls",
        "fub_calls",
        "Calls.",
        filters="is_incoming direction outcome duration fub_people_id fub_user_id user_id fub_created_at updated_at",
        search="name people_name user_name phone",
        sorts="-fub_created_at id",
        walk="user_id",
    ),
    _touches("/fub/calls/aggregates", "calls", "Calls per day and user."),
    rows(
        "/fub/events",
        "fub_events",
        "What contacts did: inquiries, visits, registrations.",
        filters="type event_source occurred property_city property_zip fub_people_id user_id updated_at",
        search="people_name message description",
        sorts="-occurred id",
        walk="user_id",
    ),
    _touches("/fub/events/aggregates", "events", "Events of contacts per day and user."),
    rows(
        "/fub/appointments",
        "fub_appointments",
        "Appointments.",
        filters="type outcome start end is_all_day invited_person_id fub_user_id user_id updated_at",
        search="title description location",
        sorts="-start id",
        walk="user_id",
    ),
    _touches("/fub/appointments/aggregates", "appointments", "Appointments per day and user."),
    rows(
        "/fub/text_messages",
        "fub_text_messages",
        "Text messages.",
        filters="is_incoming status sent archived read fub_people_id fub_user_id user_id updated_at",
        search="name user_name message",
        sorts="-sent id",
        walk="user_id",
    ),
    _touches("/fub/text_messages/aggregates", "texts", "Text messages per day and user."),
)
