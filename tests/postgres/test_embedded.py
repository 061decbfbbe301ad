"""The embedded server through everything that happens to it: crashes, strangers, lost files, two at once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from resources.embedded import EmbeddedPostgres, databases, ensure_databases, running_database
from resources.embedded.databases import MINIMUM_VERSION
from resources.errors import DatabaseError
from resources.postgres import Database
from resources.processes import ProcessId, wait_until
from resources.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="v2-homes-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(base: Path) -> Iterator[EmbeddedPostgres]:
    """A server that is stopped now. Its home is shared by the tests that leave it whole, which saves each a second."""
    server = EmbeddedPostgres(base / "shared", fsync=False)
    server.start()
    server.stop()
    yield server
    server.stop()


@pytest.fixture
def other_server(base: Path) -> Iterator[EmbeddedPostgres]:
    """A second one, for a test that needs two or breaks its home."""
    server = EmbeddedPostgres(base / "other", fsync=False)
    server.start()
    server.stop()
    yield server
    server.stop()
    shutil.rmtree(server.home)


@pytest.fixture
def stranger(server: EmbeddedPostgres) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us, of the same account as the server."""
    process = subprocess.Popen(["sleep", "600"], user=server.cluster.data.stat().st_uid)
    yield process
    process.kill()
    process.wait()


def answer(url: str, statement: str = "select 1") -> object:
    with psycopg.connect(url) as conn:
        row = conn.execute(statement.encode()).fetchone()
    return row and row[0]


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def test_starting_twice_finds_the_running_server(server: EmbeddedPostgres) -> None:
    url = server.start()
    status = server.status()
    assert EmbeddedPostgres(server.home).start() == url
    assert server.status() == status
    assert answer(url, "select current_database()") == "v2"


def test_after_a_stop_nothing_of_it_runs_and_the_port_is_remembered(server: EmbeddedPostgres) -> None:
    server.start()
    before = server.status()
    assert before.pid is not None
    family = [psutil.Process(before.pid), *psutil.Process(before.pid).children(recursive=True)]
    server.stop()
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert server.status().state == "stopped"
    server.start()
    assert server.status().port == before.port


def test_stopping_what_never_ran_is_fine_and_leaves_no_trace(tmp_path: Path) -> None:
    EmbeddedPostgres(tmp_path / "nowhere").stop()
    assert not (tmp_path / "nowhere").exists()


def test_it_listens_on_loopback_with_a_password_and_keeps_its_promises(server: EmbeddedPostgres) -> None:
    EmbeddedPostgres(server.home).start()
    url = server.url()
    expected = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "max_connections": "300",
        "shared_buffers": "256MB",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
    }
    assert {name: answer(url, f'show "{name}"') for name in expected} == expected
    assert answer(url, "select datlocale from pg_database where datname = 'v2'") == "C.UTF-8"
    password = server.cluster.password()
    assert password is not None
    with pytest.raises(psycopg.OperationalError, match="password"):
        answer(url.replace(password, "guess"))
    assert (server.home / "pg.password").stat().st_mode & 0o777 == 0o600


def test_two_homes_on_one_machine_do_not_collide(server: EmbeddedPostgres, other_server: EmbeddedPostgres) -> None:
    # As after copying a home: both even remember the same port and process.
    shutil.copy(server.home / "pg.json", other_server.home / "pg.json")
    first, second = server.start(), other_server.start()
    assert server.status().port != other_server.status().port
    assert answer(first, "show data_directory") == str(server.cluster.data)
    server.stop()
    assert answer(second) == 1


def test_two_starters_at_once_start_one_server(server: EmbeddedPostgres) -> None:
    code = (
        "import sys; from pathlib import Path; from resources.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False); server.start(); print(server.status().pid)"
    )
    starters = [run_python(code, str(server.home)) for _ in range(3)]
    pids = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    assert pids == {str(server.status().pid)}


def test_after_kill_9_of_the_postmaster_the_next_start_recovers_what_was_committed(server: EmbeddedPostgres) -> None:
    url = server.start()
    with psycopg.connect(url) as conn:
        conn.execute("create table crash as select generate_series(1, 1000) n")
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: server.status().state == "stopped", 120)
    assert answer(server.start(), "select count(*) from crash") == 1000


def test_a_pid_file_that_names_a_stranger_is_no_obstacle_and_the_stranger_lives(
    server: EmbeddedPostgres, stranger: subprocess.Popen[bytes]
) -> None:
    server.start()
    pid_file = server.cluster.data / "postmaster.pid"
    text = pid_file.read_text().splitlines()
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: ProcessId.of(pid) is None, 120)
    pid_file.write_text("\n".join([str(stranger.pid), *text[1:]]) + "\n")

    assert server.status().state == "stopped"
    server.stop()
    assert stranger.poll() is None
    assert answer(server.start()) == 1
    assert stranger.poll() is None


def test_a_pid_file_of_rubbish_is_no_obstacle(server: EmbeddedPostgres) -> None:
    (server.cluster.data / "postmaster.pid").write_bytes(b"\xff\x00 not a pid\n")
    assert answer(server.start()) == 1


def test_a_port_that_a_stranger_took_is_left_to_them(server: EmbeddedPostgres) -> None:
    server.start()
    port = server.status().port
    assert port is not None
    server.stop()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        assert answer(server.start()) == 1
        assert server.status().port != port


@pytest.mark.parametrize("found", [None, "", "somebody-changed-it"])
def test_a_lost_or_wrong_password_file_is_repaired_without_losing_data(
    server: EmbeddedPostgres, found: str | None
) -> None:
    with psycopg.connect(server.start()) as conn:
        conn.execute("create table if not exists kept as select 7 n")
    password = server.home / "pg.password"
    if found is None:
        server.stop()
        password.unlink()
    else:
        password.write_text(found)
    assert answer(server.start(), "select n from kept") == 7


def test_a_creation_that_was_interrupted_is_begun_anew(other_server: EmbeddedPostgres) -> None:
    shutil.rmtree(other_server.cluster.data)
    draft = other_server.home / "pg.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    assert answer(other_server.start()) == 1


def test_a_folder_with_other_things_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "letters.txt").write_text("dear")
    tmp_path.chmod(0o711)
    with pytest.raises(DatabaseError, match=r"not empty and is no database|belongs to|may not enter"):
        EmbeddedPostgres(tmp_path).start()
    assert (tmp_path / "pg" / "letters.txt").read_text() == "dear"


def test_data_of_another_major_version_are_refused_with_what_to_do(server: EmbeddedPostgres) -> None:
    version = server.cluster.data / "PG_VERSION"
    version.write_text("13\n")
    with pytest.raises(DatabaseError, match="was made by PostgreSQL 13, the installed binaries are 18") as failure:
        server.start()
    version.write_text("18\n")
    assert "PostgreSQL 13" in str(failure.value.hint)


def test_a_server_that_cannot_start_says_why_and_where_its_log_is(other_server: EmbeddedPostgres) -> None:
    (other_server.cluster.data / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(DatabaseError, match=r"did not start: .*pg_control") as failure:
        other_server.start()
    assert "pg.log" in str(failure.value.hint)


def test_the_log_holds_no_values_of_failed_statements(server: EmbeddedPostgres) -> None:
    db = Database(server.start())
    with db.connect() as conn:
        conn.execute("create table person (email text primary key)")
    for statement in ("insert into person values ('jane@example.org')", "select 'jane@example.org'::int"):
        for _ in range(2):
            try:
                with db.connect() as conn:
                    conn.execute(statement.encode())
            except DatabaseError:
                pass
    server.stop()
    assert "jane" not in (server.home / "pg.log").read_text()


def test_a_block_stops_the_server_it_started(server: EmbeddedPostgres) -> None:
    with running_database(Settings(home=server.home)) as urls:
        assert answer(urls.v2) == 1
        assert answer(urls.dagster, "select current_database()") == "dagster"
        assert "@" not in repr(urls)
    assert server.status().state == "stopped"


def test_a_block_leaves_a_server_alone_that_was_up_before(server: EmbeddedPostgres) -> None:
    url = server.start()
    with running_database(Settings(home=server.home)):
        pass
    assert answer(url) == 1


def test_the_last_of_several_holders_stops_the_server(server: EmbeddedPostgres) -> None:
    holder = run_python(HOLDER, str(server.home))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "up\n"
    with running_database(Settings(home=server.home)) as urls:
        holder.send_signal(signal.SIGTERM)
        holder.wait(30)
        holder.stdout.close()
        assert answer(urls.v2) == 1
    assert server.status().state == "stopped"


HOLDER = """
import sys, time
from pathlib import Path
from resources.embedded import running_database
from resources.settings import Settings
with running_database(Settings(home=Path(sys.argv[1]))):
    print("up", flush=True)
    time.sleep(600)
"""


def test_sigterm_to_the_holder_stops_the_server(server: EmbeddedPostgres) -> None:
    holder = run_python(HOLDER, str(server.home))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "up\n"
    holder.send_signal(signal.SIGTERM)
    assert holder.wait(30) == 143
    holder.stdout.close()
    assert server.status().state == "stopped"


def test_a_server_whose_holder_was_killed_is_stopped_by_the_next_one(server: EmbeddedPostgres) -> None:
    holder = run_python(HOLDER, str(server.home))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "up\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert server.status().state == "running"
    with running_database(Settings(home=server.home)):
        pass
    assert server.status().state == "stopped"


def test_another_server_is_used_when_its_url_is_given_and_gets_the_dagster_database(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = server.start()
    settings = Settings(home=tmp_path, database_url=url)  # type: ignore[arg-type]
    with running_database(settings) as urls:
        assert urls.v2 == url
        assert answer(urls.dagster, "select current_database()") == "dagster"
    assert ensure_databases(settings).dagster == urls.dagster
    assert list(tmp_path.iterdir()) == []
    assert answer(url) == 1


def test_a_server_that_is_too_old_is_refused(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "MINIMUM_VERSION", 99)
    settings = Settings(database_url=server.start())  # type: ignore[arg-type]
    with pytest.raises(DatabaseError, match="is version 18; 99 is the oldest"):
        ensure_databases(settings)
    assert MINIMUM_VERSION == 15


def test_a_user_who_may_not_create_the_dagster_database_is_told_who_can(server: EmbeddedPostgres) -> None:
    url = server.start()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create role guest login password 'guest'")
        conn.execute("drop database if exists dagster")
    settings = Settings(database_url=f"postgresql://guest:guest@{url.split('@')[1]}")  # type: ignore[arg-type]
    with pytest.raises(DatabaseError, match="this user may not create it") as failure:
        ensure_databases(settings)
    assert "V2_DAGSTER_DATABASE_URL" in str(failure.value.hint)
