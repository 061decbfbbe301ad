"""Settings: the one place that reads `V2_*` variables and `.env`, and says what to write when a value is wrong.

Credentials of users are no settings (they live encrypted in the database, see `encryption`). Nothing is read at import.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from resources.errors import ConfigError

PREFIX = "V2_"
ENV_FILE = ".env"
DEFAULT_HOME = Path(".v2")
#: `V2_SECRET_KEY_FILE` names a file with the value of `V2_SECRET_KEY`: systemd and containers hand secrets over so.
FROM_FILE = "_FILE"

# Set by the platform for its own processes, never by a person.
_INTERNAL_PREFIXES = ("V2_DAGSTER_PG_", "V2_PLATFORM_", "V2_TEST_")


SEVERITIES = ("info", "warning", "critical")
ALERT_CHANNELS = ("slack", "mail", "http")


def _routes(text: str) -> dict[str, tuple[str, ...]]:
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {
        severity.strip(): tuple(name.strip() for name in channels.split(",") if name.strip())
        for severity, _, channels in pairs
    }


class Settings(BaseSettings):
    """Everything that can be set from outside. The field `ui_port` is the variable `V2_UI_PORT`.

    A variable of the environment wins over `.env`; an empty one counts as not set. Secrets are `SecretStr`, so neither
    `repr` nor a log line shows them.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    home: Annotated[
        Path, Field(description="where the embedded database, logs and pid files live", examples=[".v2"])
    ] = DEFAULT_HOME
    database_url: Annotated[
        SecretStr | None,
        Field(
            description="a PostgreSQL server (15 or newer) to use instead of the embedded one",
            examples=["postgresql://user:password@host:5432/v2"],
        ),
    ] = None
    dagster_database_url: Annotated[
        SecretStr | None,
        Field(
            description="the database of Dagster's own records; by default `dagster` on the server of database_url",
            examples=["postgresql://user:password@host:5432/dagster"],
        ),
    ] = None
    allow_newer_schema: Annotated[
        bool, Field(description="run although the database has newer revisions: to go back to the release before")
    ] = False
    secret_key: Annotated[
        SecretStr | None,
        Field(
            description="the key that encrypts stored credentials; several, newest first, are separated by commas",
            examples=["the line that `python -m resources.encryption` prints"],
        ),
    ] = None

    fub_base_url: Annotated[str, Field(examples=["https://api.followupboss.com/v1"])] = (
        "https://api.followupboss.com/v1"
    )
    fub_system: Annotated[str, Field(description="the registered X-System name", examples=["my-system"])] = "v2-assets"
    fub_system_key: Annotated[SecretStr | None, Field(description="the registered X-System-Key")] = None
    fub_system_key_previous: Annotated[
        SecretStr | None, Field(description="the X-System-Key before the last change; webhooks may still carry it")
    ] = None
    rezen_base_url: Annotated[
        str,
        Field(
            description="`{service}` stands for the service's host name",
            examples=["https://{service}.therealbrokerage.com/api/v1"],
        ),
    ] = "https://{service}.therealbrokerage.com/api/v1"

    fub_limit_per_system: Annotated[
        int, Field(ge=1, description="calls in 10 s over all Follow Up Boss accounts together", examples=[750])
    ] = 750
    rezen_limit_per_account: Annotated[
        int, Field(ge=1, description="calls in 10 s with one agent's reZEN key; no limit is published", examples=[100])
    ] = 100
    rezen_limit_per_system: Annotated[
        int, Field(ge=1, description="calls in 10 s with all reZEN keys together", examples=[400])
    ] = 400

    skyslope_base_url: Annotated[str, Field(examples=["https://api.skyslope.com"])] = "https://api.skyslope.com"
    skyslope_client_id: Annotated[
        str | None, Field(description="the integrator's id that SkySlope issued", examples=["client-id"])
    ] = None
    skyslope_client_secret: Annotated[
        SecretStr | None, Field(description="the secret of skyslope_client_id", examples=["client-secret"])
    ] = None
    skyslope_limit_per_client: Annotated[
        int,
        Field(ge=1, description="calls in 60 s under the SkySlope client id; none is published", examples=[100]),
    ] = 100
    title_base_url: Annotated[
        str,
        Field(description="the GraphQL address of Qualia", examples=["https://connect.qualia.io/api/partner/graphql"]),
    ] = "https://connect.qualia.io/api/partner/graphql"
    title_surface: Annotated[
        Literal["partner", "platform", "api"],
        Field(description="which of Qualia's GraphQL schemas is behind title_base_url", examples=["partner"]),
    ] = "partner"
    title_closed_days: Annotated[
        int,
        Field(ge=0, le=3650, description="how long after its last news a closed title order is asked for again"),
    ] = 30
    title_limit_per_account: Annotated[
        int, Field(ge=1, description="calls in 10 s with one pair of Qualia credentials; none is published")
    ] = 20
    xano_base_url: Annotated[
        str | None,
        Field(description="the Metadata API of V1's Xano instance", examples=["https://example.xano.io/api:meta"]),
    ] = None

    xano_workspace: Annotated[
        str | None, Field(description="the name V1's workspace must have, or nothing is read", examples=["V1"])
    ] = None
    xano_least_tables: Annotated[
        int, Field(ge=0, description="how many tables V1's workspace has at least", examples=[150])
    ] = 0
    xano_limit_calls: Annotated[
        int,
        Field(ge=1, description="calls in xano_limit_window_s seconds to V1's instance", examples=[10]),
    ] = 10
    xano_limit_window_s: Annotated[
        int, Field(ge=1, description="seconds in which xano_limit_calls are allowed", examples=[20])
    ] = 20

    fub_sweep_cron: Annotated[
        str, Field(description="when every user's Follow Up Boss changes are read", examples=["*/15 * * * *"])
    ] = "*/15 * * * *"
    rezen_sweep_cron: Annotated[
        str, Field(description="when every user's reZEN lists are walked", examples=["7 * * * *"])
    ] = "7 * * * *"
    skyslope_sweep_cron: Annotated[
        str, Field(description="when every user's SkySlope changes are read", examples=["*/15 * * * *"])
    ] = "*/15 * * * *"
    title_sweep_cron: Annotated[
        str, Field(description="when every user's open title orders are read", examples=["22 * * * *"])
    ] = "22 * * * *"

    full_sweep_cron: Annotated[
        str, Field(description="when everything is read again, deletions included", examples=["30 2 * * 0"])
    ] = "30 2 * * 0"
    aggregates_cron: Annotated[
        str, Field(description="when what depends on the day is computed", examples=["50 4 * * *"])
    ] = "50 4 * * *"
    checks_cron: Annotated[
        str, Field(description="when every table's standing checks run", examples=["11,41 * * * *"])
    ] = "11,41 * * * *"
    report_cron: Annotated[
        str, Field(description="when the health report of the day is drawn", examples=["10 6 * * *"])
    ] = "10 6 * * *"
    compare_cron: Annotated[str, Field(description="when V1 and V2 are compared", examples=["20 5 * * *"])] = (
        "20 5 * * *"
    )
    compare_refresh_days: Annotated[
        int,
        Field(ge=0, description="V1's tables are read again for the daily comparison when they are older than this"),
    ] = 7

    retention_cron: Annotated[
        str, Field(description="when what is old enough is forgotten", examples=["40 3 * * *"])
    ] = "40 3 * * *"
    retention_runs_days: Annotated[
        int, Field(ge=1, description="for how long Dagster's runs are kept after they ended, with their events")
    ] = 30
    retention_inbox_days: Annotated[int, Field(ge=1, description="for how long handled webhook events are kept")] = 30
    retention_parked_days: Annotated[
        int, Field(ge=1, description="for how long webhook events are kept that were put aside")
    ] = 180
    retention_alerts_days: Annotated[
        int, Field(ge=1, description="for how long incidents that are over are kept, and delivered messages")
    ] = 365
    retention_errors_days: Annotated[int, Field(ge=1, description="for how long the error log is kept")] = 90
    retention_work_days: Annotated[
        int, Field(ge=1, description="for how long the counts of single merges and sweeps are kept")
    ] = 30
    retention_comparisons_days: Annotated[
        int, Field(ge=1, description="for how long the single differences of a comparison of V1 and V2 are kept")
    ] = 30
    retention_gone_days: Annotated[
        int, Field(ge=1, description="for how long a staged record is kept that its source has deleted")
    ] = 365

    monitor_port: Annotated[
        int, Field(ge=1, le=65535, description="port of /health, /metrics and the reports on 127.0.0.1")
    ] = 3010
    supervise: Annotated[
        bool, Field(description="start again what `v2 up` started and what ended by itself", examples=["true"])
    ] = True
    start_command: Annotated[
        str,
        Field(description="what starts the platform here, for messages", examples=["systemctl restart v2.target"]),
    ] = "v2 up"
    code_socket: Annotated[
        Path | None,
        Field(
            description="the code server's Unix socket, for whom its folder is open; unset, it has a port of 127.0.0.1",
            examples=["/run/v2-code-server/socket"],
        ),
    ] = None
    receiver_port: Annotated[
        int, Field(ge=1, le=65535, description="port of the webhook receiver on 127.0.0.1", examples=[3020])
    ] = 3020
    receiver_public_url: Annotated[
        str | None,
        Field(
            description="where the sources reach the receiver; without it no webhook is registered",
            examples=["https://hooks.example.com"],
        ),
    ] = None
    receiver_database_url: Annotated[
        SecretStr | None,
        Field(
            description="the receiver's own login, a member of v2_receiver, on the server of database_url",
            examples=["postgresql://receiver:password@host:5432/v2"],
        ),
    ] = None
    api_port: Annotated[
        int, Field(ge=1, le=65535, description="port of the read endpoints on 127.0.0.1", examples=[3030])
    ] = 3030
    api_database_url: Annotated[
        SecretStr | None,
        Field(
            description="the endpoints' own login, a member of v2_api, on the server of database_url",
            examples=["postgresql://api:password@host:5432/v2"],
        ),
    ] = None
    api_connections: Annotated[
        int, Field(ge=1, le=200, description="connections to the database that the endpoints hold at most")
    ] = 8
    api_requests_per_minute: Annotated[
        int, Field(ge=1, description="requests a minute with one token; more are answered with 429")
    ] = 600
    api_burst: Annotated[int, Field(ge=1, description="requests that may come at once with one token")] = 60
    api_time_percent: Annotated[
        int, Field(ge=1, description="of a connection's time, what one token's answers may take in the long run")
    ] = 25
    api_tasks_key: Annotated[
        SecretStr | None,
        Field(
            description="what the endpoints show to start work; the web server's must be the same. `v2 up` makes one"
        ),
    ] = None
    inbox_old_minutes: Annotated[
        int, Field(ge=1, description="how long a webhook event may wait before people are told")
    ] = 5
    receiver_largest_body: Annotated[
        int, Field(ge=1024, description="bytes of a webhook's body; a larger one is answered with 413")
    ] = 262_144
    receiver_megabytes_per_day: Annotated[
        int, Field(ge=1, description="megabytes of webhook events that one connection may send a day; more get a 429")
    ] = 20
    ui_port: Annotated[
        int, Field(ge=1, le=65535, description="port of the web pages on 127.0.0.1", examples=[3000])
    ] = 3000
    ui_key: Annotated[
        SecretStr | None,
        Field(description="what the proxy shows with each request for the web pages; whoever does not is refused"),
    ] = None
    public_url: Annotated[
        str,
        Field(description="where people reach the web pages, for links in alerts", examples=["https://v2.example.com"]),
    ] = "http://127.0.0.1:3000"

    alert_slack_url: Annotated[
        SecretStr | None, Field(description="an incoming webhook of Slack, or of something that takes the same")
    ] = None
    alert_smtp_url: Annotated[
        SecretStr | None,
        Field(
            description="the mail server: smtp:// or smtps://", examples=["smtp://user:password@mail.example.com:587"]
        ),
    ] = None
    alert_mail_from: Annotated[str | None, Field(examples=["v2@example.com"])] = None
    alert_mail_to: Annotated[
        str | None, Field(description="who gets mail, with commas", examples=["ops@example.com"])
    ] = None
    alert_http_url: Annotated[SecretStr | None, Field(description="an endpoint that takes each alert as JSON")] = None
    alert_http_secret: Annotated[
        SecretStr | None, Field(description="signs what goes to alert_http_url (X-V2-Signature)")
    ] = None
    alert_routes: Annotated[
        str,
        Field(
            description="for each severity the channels in the order in which they are tried",
            examples=["critical=slack,mail,http;warning=slack,mail,http;info=http"],
        ),
    ] = "critical=slack,mail,http;warning=slack,mail,http;info=slack,mail,http"
    alert_reminder_hours: Annotated[
        float, Field(gt=0, le=8760, description="after how long an open incident is told again", examples=[24])
    ] = 24
    alert_quiet_hours: Annotated[
        str | None,
        Field(description="when only critical alerts are sent", examples=["22:00-07:00 Europe/Berlin"]),
    ] = None
    alert_dry_run: Annotated[bool, Field(description="write alerts to the log and send nothing")] = False

    health_backlog_warning: Annotated[
        int, Field(ge=0, description="staged records of one table that are not merged: more is a warning")
    ] = 1000
    health_backlog_critical: Annotated[
        int, Field(ge=0, description="staged records of one table that are not merged: more is critical")
    ] = 5000
    health_sync_hours_warning: Annotated[
        float, Field(ge=0, description="hours since a user's last successful sync of a stream: more is a warning")
    ] = 24
    health_sync_hours_critical: Annotated[
        float, Field(ge=0, description="hours since a user's last successful sync of a stream: more is critical")
    ] = 72
    health_onboarding_hours_warning: Annotated[
        float, Field(ge=0, description="hours that an onboarding has been at work: more is a warning")
    ] = 4
    health_onboarding_hours_critical: Annotated[
        float, Field(ge=0, description="hours that an onboarding has been at work: more is critical")
    ] = 24
    health_failed_percent_warning: Annotated[
        float,
        Field(ge=0, description="per cent of an integration's streams that failed when last read: more is a warning"),
    ] = 10
    health_failed_percent_critical: Annotated[
        float,
        Field(ge=0, description="per cent of an integration's streams that failed when last read: more is critical"),
    ] = 30
    health_gap_percent_warning: Annotated[
        float,
        Field(
            ge=0, description="per cent of the source's own count that a complete sweep did not meet: more is a warning"
        ),
    ] = 1
    health_gap_percent_critical: Annotated[
        float,
        Field(
            ge=0, description="per cent of the source's own count that a complete sweep did not meet: more is critical"
        ),
    ] = 5
    health_rejected_percent_warning: Annotated[
        float, Field(ge=0, description="per cent of a table's staged records that are rejected: more is a warning")
    ] = 0.5
    health_rejected_percent_critical: Annotated[
        float, Field(ge=0, description="per cent of a table's staged records that are rejected: more is critical")
    ] = 5
    health_backup_hours_warning: Annotated[
        float | None, Field(ge=0, description="hours since the last backup: more is a warning; unset, nobody is told")
    ] = None
    health_backup_hours_critical: Annotated[
        float | None, Field(ge=0, description="hours since the last backup: more is critical")
    ] = None

    log_format: Annotated[
        Literal["text", "json"],
        Field(description="how the processes of the platform write their logs", examples=["json"]),
    ] = "text"

    overlap_minutes: Annotated[
        int, Field(ge=0, le=1440, description="how far an incremental window reaches back", examples=[10])
    ] = 10
    refusal_confirm_minutes: Annotated[
        float,
        Field(
            gt=0,
            le=1440,
            description="how long after a first refusal its source is asked again, before a key is put out of use",
            examples=[5],
        ),
    ] = 5
    onboarding_recent_days: Annotated[
        int, Field(ge=1, le=365, description="how many days back a new user's first run reads; the rest comes behind")
    ] = 7
    onboarding_history_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=60,
            description="how long a new user's first run reads each stream's history, so that small accounts need no"
            " second one; 0 for not at all",
            examples=[5],
        ),
    ] = 5
    history_seconds: Annotated[
        int,
        Field(ge=0, le=3600, description="how long a visit to a stream reads history after what is new", examples=[60]),
    ] = 60
    sweep_shrink_floor: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="share of the known records a complete sweep may miss before deletion stops for a person",
            examples=[0.2],
        ),
    ] = 0.2
    sweeps_apart_hours: Annotated[
        float,
        Field(
            ge=0,
            le=720,
            description="a record is gone when two full sweeps missed it that began at least so many hours apart",
            examples=[24],
        ),
    ] = 24

    shadow_v1_url: Annotated[
        str | None,
        Field(
            description="V1's endpoints; with it they are read beside ours", examples=["https://example.xano.io/api:x"]
        ),
    ] = None
    shadow_sample_percent: Annotated[
        float, Field(ge=0, le=100, description="per cent of the requests to V1 that are compared with ours")
    ] = 100
    shadow_timeout_seconds: Annotated[
        float, Field(gt=0, description="how long ours may take when they are compared")
    ] = 5
    shadow_v1_timeout_seconds: Annotated[float, Field(gt=0, description="how long V1 may take to answer")] = 30

    gate_unexplained: Annotated[
        int, Field(ge=0, description="differences without an accepted reason that a table may have and be switched")
    ] = 0
    gate_gap_percent: Annotated[
        float, Field(ge=0, le=100, description="per cent of V1's rows of a table that V2 may lack and be switched")
    ] = 1
    gate_exact_cells: Annotated[
        int, Field(ge=0, description="values of money, dates or ids that may differ from V1 without an excuse")
    ] = 0
    gate_green_runs: Annotated[
        int, Field(ge=1, le=50, description="complete comparisons in a row that must be green before the switch")
    ] = 3
    gate_comparison_hours: Annotated[
        float, Field(gt=0, description="how old the last complete comparison may be", examples=[26])
    ] = 26
    gate_staleness_minutes: Annotated[
        float, Field(ge=0, description="how much older than V1's the data of V2 may be", examples=[120])
    ] = 120
    gate_shadow_requests: Annotated[
        int, Field(ge=0, description="requests of an endpoint that must be compared with V1's answers; 0: none")
    ] = 100
    gate_shadow_days: Annotated[int, Field(ge=1, le=365, description="days of shadow reading that count")] = 7
    gate_shadow_differences: Annotated[
        int, Field(ge=0, description="differences from V1's answers without an accepted reason that may be there")
    ] = 0

    @field_validator("database_url", "dagster_database_url", "receiver_database_url", "api_database_url")
    @classmethod
    def _is_a_postgres_url(cls, value: SecretStr | None) -> SecretStr | None:
        # The message must not repeat the value: it holds a password.
        if value is None:
            return None
        url = value.get_secret_value().strip()
        scheme, separator, rest = url.partition("://")
        if scheme not in ("postgresql", "postgres") or not separator or not rest:
            raise ValueError("is not a URL that starts with postgresql://")
        return SecretStr("postgresql://" + rest)

    @field_validator(
        "fub_base_url",
        "rezen_base_url",
        "skyslope_base_url",
        "title_base_url",
        "xano_base_url",
        "receiver_public_url",
        "shadow_v1_url",
    )
    @classmethod
    def _is_an_http_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("https://", "http://")):
            raise ValueError("is not a URL that starts with https:// or http://")
        return value.rstrip("/")

    @field_validator("alert_slack_url", "alert_http_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("is not a URL that starts with https:// or http://")
        return value

    @field_validator("alert_smtp_url")
    @classmethod
    def _is_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.match(r"smtps?://[^/]+", value.get_secret_value()):
            raise ValueError("is not a URL that starts with smtp:// or smtps://")
        return value

    @field_validator("alert_routes")
    @classmethod
    def _routes_are_known(cls, value: str) -> str:
        for severity, channels in _routes(value).items():
            if severity not in SEVERITIES or not set(channels) <= set(ALERT_CHANNELS):
                raise ValueError(
                    f"a route is one of {', '.join(SEVERITIES)}, = and some of {', '.join(ALERT_CHANNELS)}"
                )
        return value

    @field_validator("alert_quiet_hours")
    @classmethod
    def _hours_are_hours(cls, value: str | None) -> str | None:
        if value is None:
            return None
        found = re.fullmatch(r"(\d\d:\d\d)-(\d\d:\d\d)(?: (\S+))?", value)
        if found is None:
            raise ValueError("is not like 22:00-07:00 Europe/Berlin")
        try:
            begin, end = time.fromisoformat(found[1]), time.fromisoformat(found[2])
            ZoneInfo(found[3] or "UTC")
        except (ValueError, KeyError, OSError):
            raise ValueError("is not like 22:00-07:00 Europe/Berlin") from None
        if begin == end:
            raise ValueError("begins and ends at once; leave it out to have no quiet hours")
        return value

    def alert_route(self, severity: str) -> tuple[str, ...]:
        """The channels for messages of a severity, in the order in which they are tried."""
        return _routes(self.alert_routes).get(severity, ())

    @field_validator("home")
    @classmethod
    def _home_is_absolute(cls, value: Path) -> Path:
        value = value.expanduser()
        return value if value.is_absolute() else project_root() / value


def project_root() -> Path:
    """The nearest folder, from the working directory upwards, that holds `dagster.yaml`; else the working directory."""
    return _nearest(lambda folder: (folder / "dagster.yaml").is_file())


def nearest_home() -> Path:
    """The home that is meant where none is named: `.v2` of the nearest folder upwards that has one or is a project's.

    Relative when that is the working directory, which is also the answer where neither is found.
    """
    folder = _nearest(lambda folder: (folder / DEFAULT_HOME).is_dir() or (folder / "dagster.yaml").is_file())
    return DEFAULT_HOME if folder == Path.cwd() else folder / DEFAULT_HOME


def _nearest(holds: Callable[[Path], bool]) -> Path:
    """The nearest folder, from the working directory upwards, of which that is so; else the working directory."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if holds(folder)), here)


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and `.env` of the project root; `overrides` (field=value) win over both.

    A setting that neither gives may stand in a file of its own, which NAME_FILE names. A home that nobody names is
    looked for upwards (`nearest_home`).

    Raises ConfigError that names the variable and what to write; it never repeats a value.
    """
    env_file = project_root() / ENV_FILE
    _refuse_unknown_names(env_file)
    try:
        # pydantic-settings takes the file as an argument of the constructor, which its type does not show.
        settings = Settings(_env_file=env_file if env_file.is_file() else None, **_from_files(env_file) | overrides)  # type: ignore[call-arg]
    except ValidationError as error:
        raise _readable(error) from None
    return settings if "home" in settings.model_fields_set else settings.model_copy(update={"home": nearest_home()})


def _from_files(env_file: Path) -> dict[str, str]:
    """The settings that are not given themselves and whose file is."""
    given = {**(dotenv_values(env_file) if env_file.is_file() else {}), **os.environ}
    values: dict[str, str] = {}
    for field in Settings.model_fields:
        name = PREFIX + field.upper()
        path = given.get(name + FROM_FILE)
        if not path or given.get(name):
            continue
        try:
            values[field] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"The file that {name + FROM_FILE} names cannot be read: {type(error).__name__}.",
                hint="let the account of this process read it, and write the value into it and nothing else",
                context={"setting": name + FROM_FILE},
            ) from None
    return values


def _refuse_unknown_names(env_file: Path) -> None:
    """A misspelt name would be ignored and, say, an embedded server started in place of the one meant."""
    known = {PREFIX + name.upper() + end for name in Settings.model_fields for end in ("", FROM_FILE)}
    for name in _names_in(env_file):
        if name.startswith(PREFIX) and name not in known and not name.startswith(_INTERNAL_PREFIXES):
            raise _unknown(name, known, f"the file {ENV_FILE}")
    for name in map(str.upper, os.environ):
        if not name.startswith(PREFIX) or name in known or name.startswith(_INTERNAL_PREFIXES):
            continue
        # The environment may hold names that are somebody else's: only a near miss is an error there.
        if difflib.get_close_matches(name, known, n=1, cutoff=0.85):
            raise _unknown(name, known, "the environment")


def _names_in(env_file: Path) -> list[str]:
    if not env_file.exists():
        return []
    try:
        # Opened here: dotenv takes a folder for an empty file.
        with env_file.open(encoding="utf-8") as file:
            return [name.upper() for name in dotenv_values(stream=file)]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The settings file {env_file.name} cannot be read: {type(error).__name__}.",
            hint=f"make {ENV_FILE} in the project root a readable UTF-8 text file of lines NAME=value, or remove it",
            context={"file": env_file.name},
        ) from None


def _unknown(name: str, known: set[str], where: str) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"write {near[0]}" if near else "remove it; .env.example lists the names there are"
    return ConfigError(f"There is no setting {name} (found in {where}).", hint=hint, context={"setting": name})


def _readable(error: ValidationError) -> ConfigError:
    lines: list[str] = []
    hints: list[str] = []
    names: list[str] = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        field = str(problem["loc"][0]) if problem["loc"] else "?"
        name = PREFIX + field.upper()
        names.append(name)
        text = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {text[0].lower()}{text[1:]}")
        info = Settings.model_fields.get(field)
        if info is not None and info.examples:
            hints.append(f"{name}={info.examples[0]}")
    return ConfigError(
        "A setting cannot be used: " + "; ".join(lines) + ".",
        hint="write for example " + " and ".join(hints) + f" in the environment or in {ENV_FILE}" if hints else None,
        context={"settings": names},
    )
