"""Every secret there is, and sources that repeat them: after all that a platform does none is written anywhere.

The platform runs as `v2 up` runs it, against the sandbox behind a mirror: users are onboarded, swept, refused and told
about; webhooks, the endpoints, shadow reading, tasks, reports, the database going away and the commands of the manual
have their turn. Then every file of the home, every row of both databases, every message to people, every page and every
command's output is searched for every secret, in each form in which it may have been written; and logs, Dagster's
records, messages and the monitor's pages for every contact.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psutil
import psycopg
import pytest
from psycopg import sql

from resources.embedded import DatabaseUrls, EmbeddedPostgres, api_url, ensure_databases, receiver_url
from resources.encryption import new_key, secret_keys
from resources.postgres import Database
from resources.processes import free_port, wait_until
from resources.settings import Settings, load_settings
from resources.webhooks import Addresses, fub_signature
from sandbox import Sandbox, Scale, World, serve
from sandbox.hooks import SYSTEM_KEY
from sandbox.sinks import Sink, http_sink, smtp_sink
from sandbox.world.files import CLIENT
from tests.certificates import self_signed
from tests.secrets.mirror import Mirror, mirror
from v2_assets.api import tokens
from v2_assets.automation import SWEEP_CRONS
from v2_assets.cli.sandbox_users import credentials_of, enter_users, keys_of, sandbox_settings
from v2_assets.platform import Platform

#: Longer than any machine needs: what is waited for comes.
PATIENCE_S = 1200
REFUSALS = (400, 403, 422, 500)
SLACK, ENDPOINT = "services/T0PLANTED/B0PLANTED/slack-planted-secret", "hook?token=endpoint-planted-secret"
MAIL, SIGNING, UI, TASKS = ("mail-planted:pass/word", "signing-planted-secret", "ui-planted-key", "tasks-planted-key")
WRONG = {"fub": "fka_wrong-planted-key-01", "rezen": "real_wrong-planted-key-02", "secret": new_key()}


@dataclass
class Planted:
    """The platform, its neighbours, and what commands and pages have said."""

    platform: Platform
    settings: Settings
    urls: DatabaseUrls
    sandbox: Sandbox
    source: Mirror
    sinks: dict[str, Sink]
    users: list[int]
    tokens: list[str]
    said: dict[str, str] = field(default_factory=dict)

    def rows(self, query: str) -> list[Any]:
        with Database(self.urls.v2).connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def until(self, query: str, what: str) -> None:
        """Waits until a query finds that it is so."""
        assert wait_until(lambda: self.rows(query)[0][0], PATIENCE_S, poll_s=1), what

    def command(self, *words: str, text: str = "", **environment: str) -> None:
        """A person's command; what it prints is searched later, whatever its outcome."""
        told = {**os.environ, **self.platform.environment(self.urls), **environment}
        argv = [sys.executable, "-m", "v2_assets.cli", *words]
        done = subprocess.run(
            argv, input=text, env=told, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        self.said[f"v2 {' '.join(words)} {' '.join(environment)}"] = done.stdout + done.stderr

    def page(self, port: int, path: str, **more: Any) -> httpx.Response:
        """A page or an answer; its head and text are searched later."""
        method = more.pop("method", "GET")
        with httpx.Client(trust_env=False, timeout=120) as client:
            answer = client.request(method, f"http://127.0.0.1:{port}{path}", **more)
        self.said[f"{method} {path} {len(self.said)}"] = f"{answer.headers} {answer.text}"
        return answer

    def people(self) -> set[str]:
        """Mail addresses and telephone numbers of every contact."""
        tables = [account.tables["people"].values() for account in self.sandbox.world.accounts.values()]
        return {
            each["value"]
            for people in tables
            for one in people
            for each in (*one["emails"], *one["phones"])
            if each["value"]
        }

    def secrets(self) -> set[str]:
        """All that nobody may read, the pieces of what was sent included."""
        parts = [
            part
            for user in credentials_of(self.sandbox.url)
            for platform, key in keys_of(user).items()
            # At Qualia the first part is a name, under which the account is known here too.
            for part in (None if platform == "title" else key["api_key"], key.get("api_secret"))
        ]
        dsns = (
            self.urls.v2,
            self.urls.dagster,
            api_url(self.settings, self.urls),
            receiver_url(self.settings, self.urls),
        )
        addresses = Addresses(secret_keys(self.settings))
        marks = [
            addresses.mark(source, row[0]).partition(".")[2]
            for row in self.rows("select id from v2.credentials")
            for source in ("fub", "rezen", "title")
        ]
        given = [SYSTEM_KEY, CLIENT[1], SIGNING, UI, TASKS, MAIL.partition(":")[2], *secret_keys(self.settings)]
        given += [SLACK.rpartition("/")[2], ENDPOINT.partition("=")[2], *WRONG.values(), *self.tokens]
        given += [urlsplit(dsn).password or "" for dsn in dsns]
        return {text for text in [*parts, *marks, *given, *self.source.met] if text}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    home = Path(tempfile.mkdtemp(prefix="v2-planted-"))
    home.chmod(0o711)  # when root starts it, the server runs as another account that has to pass here
    folder = tmp_path_factory.mktemp("tls")
    tls = self_signed(folder / "mail.pem", folder / "mail.key")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("SSL_CERT_FILE", str(folder / "mail.pem"))
        sandbox = stack.enter_context(serve(World(7, Scale(people=12, deals=10, seats=(2,)))))
        sandbox.limits.raised = dict.fromkeys(("global", "events", "xano"), 100_000)
        source = stack.enter_context(mirror(sandbox.url))
        slack, endpoint = stack.enter_context(http_sink()), stack.enter_context(http_sink())
        mail = stack.enter_context(smtp_sink(tls=tls, offers=("AUTH PLAIN",)))
        settings = _settings(home, sandbox, source, {"slack": slack, "http": endpoint, "mail": mail})
        platform = Platform(settings)
        stack.callback(platform.down)
        platform.up()
        urls = ensure_databases(settings)
        users = credentials_of(sandbox.url)
        with Database(urls.v2).connect() as connection:
            ids = enter_users(Database(urls.v2), settings, users)
            made = [tokens.create(connection, ids[0], ["read", "tasks"])[1] for _ in range(2)]
        sinks = {"slack": slack, "http": endpoint, "mail": mail}
        yield Planted(platform, settings, urls, sandbox, source, sinks, ids, made)


def _settings(home: Path, sandbox: Sandbox, source: Mirror, sinks: dict[str, Sink]) -> Settings:
    ports = {name: free_port() for name in ("ui_port", "receiver_port", "monitor_port", "api_port")}
    base = load_settings(home=home, **ports)
    crons = dict.fromkeys([*(f"{name}_sweep_cron" for name in SWEEP_CRONS), "report_cron", "checks_cron"], "* * * * *")
    return load_settings(
        home=home,
        **ports,
        **crons,
        **sandbox_settings(base, source.url),
        supervise=False,
        secret_key=new_key(),
        ui_key=UI,
        api_tasks_key=TASKS,
        shadow_v1_url=sandbox.v1_url.replace(sandbox.url, source.url),
        alert_slack_url=sinks["slack"].url.replace("hook", SLACK),
        alert_http_url=sinks["http"].url.replace("hook", ENDPOINT),
        alert_http_secret=SIGNING,
        alert_smtp_url=sinks["mail"].url.replace("://", f"://ops:{quote(MAIL, safe='')}@"),
        alert_mail_to="ops@example.test",
        alert_routes="critical=mail,http;warning=slack,mail;info=http,slack",
        health_failed_percent_warning=5,
        health_failed_percent_critical=10,
    )


@pytest.mark.timeout(4 * PATIENCE_S)
def test_every_process_listens_on_loopback_alone(planted: Planted) -> None:
    listening = [
        each.laddr
        for process in planted.platform._marked()
        for each in psutil.Process(process.pid).net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 5, listening
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


@pytest.mark.timeout(4 * PATIENCE_S)
def test_no_secret_is_written_anywhere_though_the_sources_repeat_them_all(planted: Planted) -> None:
    _onboard(planted)
    _webhooks(planted)
    _endpoints(planted)
    _refuse(planted)
    _commands(planted)
    _pages(planted)
    secrets, people = planted.secrets(), planted.people()
    assert len(secrets) > 30 and len(people) > 10
    running = planted.platform._marked()
    assert len(running) >= 6
    commands = [" ".join(psutil.Process(process.pid).cmdline()) for process in running]
    _without_postgres(planted)
    planted.platform.down()
    assert _search(planted, secrets, people, commands) == []


def _onboard(planted: Planted) -> None:
    """Everybody is read, merged and swept while each record repeats the key."""
    planted.until(
        "select count(*) > 0 and bool_and(status in ('Complete', 'Partial', 'Error')) from ops.onboarding_job"
        " where not exists (select from v2.credentials where state = 'new' and platform <> 'xano')",
        "onboarding",
    )
    planted.until("select count(*) > 0 from staging.stage_fub_people where payload::text like '%echoed%'", "an echo")
    planted.until("select count(*) > 0 from ops.webhook_registration where active > 0", "registering webhooks")


def _webhooks(planted: Planted) -> None:
    """Events of every source that repeat what proves them, forged ones, and more than a connection may send."""
    addresses, port = Addresses(secret_keys(planted.settings)), planted.settings.receiver_port
    for number, platform in planted.rows("select id, platform from v2.credentials"):
        address, (name, password) = addresses.path(platform, number), addresses.basic(number)
        if platform == "fub":
            event = {"event": "peopleUpdated", "eventId": "1", "resourceIds": [1], "url": address}
            body = json.dumps(event).encode()
            signed = {"FUB-Signature": fub_signature(SYSTEM_KEY, body)}
            assert planted.page(port, address, method="POST", content=body, headers=signed).status_code == 200
            assert planted.page(port, address, method="POST", content=body).status_code == 401
        elif platform == "rezen":
            body = json.dumps({"eventName": "x", "url": address, "timestamp": "t"}).encode()
            assert planted.page(port, address, method="POST", content=body).status_code == 200
            planted.page(port, address + "x", method="POST", content=body)
        elif platform == "title":
            body, auth = json.dumps({"type": "x", "by": password}).encode(), (name, password)
            assert planted.page(port, "/hooks/title", method="POST", content=body, auth=auth).status_code == 200
            planted.page(port, "/hooks/title", method="POST", content=body[:-1], auth=auth)


def _endpoints(planted: Planted) -> None:
    """Readers with good and bad tokens, in V1's shadow and without, and a task."""
    port, (good, other) = planted.settings.api_port, planted.tokens
    login = next(iter(planted.sandbox.world.v1.logins))
    planted.source.met.add(login)
    paths = ("/leads/fub_people?search=x", "/contributions", f"/transactions/all?cursor={good}", "/nowhere")
    for header in (f"Bearer {good}", f"bearer  {good}", f"Bearer {good[:-1]}", f"Token {good}"):
        for path in paths:
            planted.page(port, path, headers={"Authorization": header})
    # Here V1 answers, and repeats to its caller what that caller told it; of us it was told nothing.
    for header in (f"Bearer {login}", "Bearer of-nobody-planted-01"):
        for path in paths[:2]:
            said = planted.page(
                port, path, headers={"Authorization": header, "X-V2-Token": other, "Cookie": f"s={login}"}
            )
            assert other not in f"{said.headers} {said.text}"
            planted.said.popitem()
    headers = {"Authorization": f"Bearer {good}", "Idempotency-Key": "planted-1"}
    for path in ("/tasks/sync/fub", "/tasks/merge"):
        planted.page(port, path, method="POST", json={}, headers=headers)
    planted.until("select count(*) > 0 from ops.shadow_count", "shadow reading")


def _refuse(planted: Planted) -> None:
    """Sources refuse in every way and repeat what they were sent; people are told through every channel."""
    planted.source.refuses = REFUSALS
    failed = " and ".join(
        f"count(*) filter (where integration = '{name}' and error is not null) > 0" for name in SWEEP_CRONS
    )
    planted.until(f"select {failed} from ops.sync_state", "failing")
    planted.source.refuses = (401,)
    planted.until("select count(*) > 0 from ops.incident where code like '%refus%'", "the refusal of a key")
    planted.until("select count(*) > 0 from ops.alert where delivered_at is not null", "an alert")
    planted.until("select count(*) > 0 from ops.report", "a report")


def _commands(planted: Planted) -> None:
    """The manual's commands, while the sources refuse, with wrong keys, and with a database that is not there."""
    (email,) = planted.rows('select email from v2."user" order by id limit 1')[0]
    planted.source.refuses = REFUSALS
    for platform in ("fub", "rezen"):
        enter = ("onboard", "--user", "new@example.test", "--name", "New", "--platform", platform, "--key-stdin")
        planted.command(*enter, text=f"{WRONG[platform]}\n")
    planted.command("sync", "--integration", "fub", "--user", str(email))
    planted.command("import", "v1", "--user", str(email))
    for words in ("status", "health --behind", "doctor", "alerts --test", "reconcile", "webhooks audit"):
        planted.command(*words.split())
    planted.command("status", V2_SECRET_KEY=WRONG["secret"])
    planted.command("doctor", V2_SECRET_KEY=f"{WRONG['secret']}x")
    url = planted.urls.v2
    planted.command("status", V2_DATABASE_URL=re.sub(r":\d+/", f":{free_port()}/", url))
    planted.command("status", V2_DATABASE_URL=url.replace("@", "x@"))
    planted.command("migrate", V2_DATABASE_URL=url.replace("postgresql://", "postgres//"))


def _pages(planted: Planted) -> None:
    """What is shown: the monitor's pages, the open ones of the endpoints, and Dagster's, with its key and without."""
    monitor, ui, api = (getattr(planted.settings, f"{name}_port") for name in ("monitor", "ui", "api"))
    (report,) = planted.rows("select max(id) from ops.report")[0]
    for path in ("/metrics", "/health", f"/reports/{report}", "/reports/0"):
        planted.page(monitor, path)
    for path in ("/docs", "/openapi.json", "/health"):
        planted.page(api, path)
    planted.page(ui, "/runs")
    query = "{ runsOrError { ... on Runs { results { runConfigYaml tags { key value } assets { key { path } } } } } }"
    planted.page(ui, "/graphql", method="POST", json={"query": query}, headers={"X-V2-Key": UI})


def _without_postgres(planted: Planted) -> None:
    """The database goes away under everything that runs."""
    EmbeddedPostgres(planted.platform.home).stop()
    for _ in range(3):
        planted.page(
            planted.settings.api_port, "/contributions", headers={"Authorization": f"Bearer {planted.tokens[0]}"}
        )
        planted.page(planted.settings.receiver_port, "/health")
        planted.page(planted.settings.monitor_port, "/health")
        time.sleep(3)


def _search(planted: Planted, secrets: set[str], people: set[str], commands: list[str]) -> list[str]:
    """Where a secret is, or a contact where none belongs: the place and the beginning."""
    forms = {form: secret for secret in secrets for form in _forms(secret)}
    contacts = dict.fromkeys(people, "a contact: ")
    found: list[str] = []

    def look(where: str, text: str, *, data: bool = False) -> None:
        sought = forms if data else forms | contacts
        found.extend(f"{where}: {sought[form][:12]}…" for form in sought if form in text)

    home = planted.platform.home
    for path in (path for path in home.rglob("*") if path.is_file() and home / "pg" not in path.parents):
        if path.name in ("pg.password", "receiver.password", "api.password"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        else:
            look(str(path.relative_to(home)), path.read_bytes().decode("utf-8", "replace"))
    server = EmbeddedPostgres(home)
    server.hold()
    try:
        for name in ("v2", "dagster"):
            with psycopg.connect(server.url(name)) as connection:
                for table, text in _tables(connection):
                    look(
                        f"{name}.{table}", text, data=table.startswith(("staging.", "v2.", "v1.", "ops.webhook_inbox"))
                    )
    finally:
        server.stop()
    for name, sink in planted.sinks.items():
        assert sink.received, f"nobody was told by {name}"
        for message in sink.received:
            look(f"alert by {name}", str(message))
    for where, text in planted.said.items():
        look(where, text, data=not where.startswith(("GET /metrics", "GET /health", "GET /reports")))
    for command in commands:
        look("a command line", command)
    return sorted(set(found))


def _tables(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    """Every table with all that is in it as one text; bytes are read as the text that they may be."""
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        " and table_schema not in ('pg_catalog', 'information_schema')"
    ).fetchall()
    assert len(tables) > 15
    for schema, table in tables:
        rows = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, table))).fetchall()
        yield f"{schema}.{table}", "\n".join(_text(value) for row in rows for value in row)


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)


def _forms(secret: str) -> set[str]:
    """As it is, in a URL, in JSON, in a Python text, in base64 and in hexadecimal."""
    raw = secret.encode()
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1], raw.hex(),
            base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}  # fmt: skip
