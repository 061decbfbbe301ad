"""The platform without Dagster, for tests: enter the sandbox's users, read streams, merge tables, look at V2.

The order of tables is computed from the same PARENTS that become the asset graph.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from resources.encryption import open_vault
from resources.postgres import Database
from resources.settings import Settings, load_settings
from sandbox import Sandbox
from sandbox.world.model import Key
from v2_assets.connections.probing import probe
from v2_assets.crm import units as crm
from v2_assets.merge import MergeCounts
from v2_assets.order import ALL_WORK, DOMAINS, Work, work_in_order
from v2_assets.schema.stage import STREAMS
from v2_assets.staging.streams import READINGS, stream
from v2_assets.staging.sync import SyncOptions
from v2_assets.staging.users import UserOutcome, sync_users
from v2_assets.tables import merge_user
from v2_assets.users import load_users


def entities_in_order(integration: str) -> list[str]:
    """Streams of an integration, those that others take their keys from first."""
    graph = {s.entity: set(READINGS[integration, s.entity].after) for s in STREAMS if s.integration == integration}
    return list(TopologicalSorter(graph).static_order())


@dataclass
class Story:
    """A database, the sandbox, and the users that were entered."""

    database: Database
    sandbox: Sandbox
    settings: Settings
    users: list[int]

    @classmethod
    def begin(cls, database: Database, sandbox: Sandbox, home: Path, *, users: int = 5) -> Story:
        """Enters the sandbox's first users with verified credentials for both platforms."""
        settings = load_settings(
            home=home,
            fub_base_url=sandbox.fub_url,
            fub_system_key="sandbox-system-key",
            rezen_base_url=sandbox.rezen_url,
            skyslope_base_url=sandbox.skyslope_url,
            skyslope_client_id="sandbox-client",
            skyslope_client_secret="sandbox-client-secret",
            skyslope_limit_per_client=100_000,
            title_base_url=sandbox.title_url,
            title_limit_per_account=100_000,
            xano_base_url=sandbox.xano_url,
            xano_limit_calls=100_000,
            rezen_limit_per_account=100_000,
            rezen_limit_per_system=100_000,
            fub_limit_per_system=100_000,
            sweeps_apart_hours=0,  # a story's sweeps follow on each other, and stand for those of different days
        )
        vault = open_vault(settings)
        ids = []
        with database.connect() as connection:
            for user in sandbox.world.users[:users]:
                row = connection.execute(
                    'insert into v2."user" (email, full_name) values (%s, %s) returning id', [user.email, user.name]
                ).fetchone()
                assert row
                ids.append(row[0])
                keys = {
                    "fub": Key(user.fub_key, "", str(user.fub_account), str(user.fub_user)),
                    "rezen": Key(user.rezen_key, "", user.agent_id, user.agent_id),
                    **user.connections,
                }
                for platform, key in keys.items():
                    secret = vault.encrypt(key.api_secret) if key.api_secret else None
                    connection.execute(
                        "insert into v2.credentials (user_id, platform, account_id, external_user_id, api_key,"
                        " api_secret, state, verified, verified_at) values (%s, %s, %s, %s, %s, %s, 'ok', true, now())",
                        [row[0], platform, key.account_id, key.user_id, vault.encrypt(key.api_key), secret],
                    )
        return cls(database, sandbox, settings, ids)

    def environment(self) -> dict[str, str]:
        """The same for another process: every setting that differs from its default, and the database."""
        told = {f"V2_{name.upper()}": getattr(self.settings, name) for name in self.settings.model_fields_set}
        told = {k: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for k, v in told.items()}
        return told | {"V2_DATABASE_URL": self.database.url, "V2_DAGSTER_DATABASE_URL": self.database.url}

    def sync(
        self,
        integration: str,
        entity: str,
        users: list[int] | None = None,
        *,
        full: bool = False,
        recent_days: int | None = None,
        run: str = "run",
    ) -> dict[int, UserOutcome]:
        """One stream, for some users or all."""
        with self.database.connect() as connection:
            contexts = load_users(connection, users or self.users)
        options = SyncOptions(full=full, recent_days=recent_days)
        return asyncio.run(
            sync_users(self.database, self.settings, stream(integration, entity), contexts, run, options)
        )

    def probe(self, platform: str) -> dict[str, int]:
        """Sources are asked about every key in doubt, as if its time had come."""
        with self.database.connect() as connection:
            connection.execute("update ops.credential_probe set next_at = now() where next_at is not null")
        return asyncio.run(probe(self.database, self.settings, [platform]))

    def sync_all(self, integration: str, users: list[int] | None = None, *, full: bool = False) -> dict[str, Any]:
        """All streams; raises the first failure."""
        told = {}
        for entity in entities_in_order(integration):
            outcomes = self.sync(integration, entity, users, full=full)
            for outcome in outcomes.values():
                if outcome.error:
                    raise outcome.error
            told[entity] = outcomes
        return told

    def merge_all(self, domains: list[Any], users: list[int] | None = None) -> MergeCounts:
        """All tables of these domains."""
        total = MergeCounts()
        for work in work_in_order(domains):
            for user in users or self.users:
                total.add(merge_user(self.database, work, user, "run"))
        return total

    def query(self, text: str, *parameters: Any) -> list[Any]:
        """Rows of a query."""
        with self.database.connect() as connection:
            return connection.execute(text.encode(), parameters).fetchall()

    def only(self, platform: str, *users: int) -> None:
        """Leaves these users' connections to one platform; the others are not there yet."""
        with self.database.connect() as connection:
            connection.execute(
                "delete from v2.credentials where platform <> %s or user_id <> all(%s)", [platform, list(users)]
            )

    def jobs(self) -> list[Any]:
        """User and status of each onboarding job."""
        return self.query("select user_id, status from ops.onboarding_job order by credentials_id, attempt")

    def steps(self, user: int) -> dict[str, dict[str, Any]]:
        """The steps of a user's last onboarding job, by name."""
        [(found,)] = self.query(
            "select steps from ops.onboarding_job where user_id = %s order by attempt desc limit 1", user
        )
        return {step["step"]: step for step in found}

    def notified(self) -> list[Any]:
        """What the product was told, by kind."""
        return self.query("select kind, count(*) from ops.notification group by 1 order by 1")

    def fates(self) -> dict[str, dict[str, int]]:
        """Staged rows by table and status (with its reason)."""
        told: dict[str, dict[str, int]] = {}
        for s in STREAMS:
            rows = self.query(
                f"select concat_ws(':', status, status_reason), count(*) from staging.{s.table} group by 1 order by 1"
            )
            if rows:
                told[s.table] = dict(rows)
        return told


__all__ = ["ALL_WORK", "DOMAINS", "Story", "Work", "crm", "entities_in_order", "work_in_order"]
