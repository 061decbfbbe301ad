"""The endpoints as a process of their own: what they write, and how they refuse to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx

from resources.processes import free_port, wait_until

ARGV = [sys.executable, "-m", "v2_assets.api"]


def test_the_endpoints_log_in_json_when_they_are_told_to_and_a_line_holds_no_token(tmp_path: Path) -> None:
    port, token = free_port(), "v2_" + "A" * 43
    more = {
        "V2_HOME": str(tmp_path),
        "V2_LOG_FORMAT": "json",
        "V2_API_PORT": str(port),
        "V2_API_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/v2",
    }
    process = subprocess.Popen(ARGV, env=os.environ | more, stderr=subprocess.PIPE, text=True)
    asked: list[httpx.Response] = []

    def answers() -> bool:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            url = f"http://127.0.0.1:{port}/listings/count"
            asked.append(httpx.get(url, headers=headers, trust_env=False, timeout=30))
        except httpx.ConnectError:
            return False
        return True

    try:
        assert wait_until(answers, 120)
    finally:
        process.terminate()
        _, written = process.communicate(timeout=30)
    assert asked[-1].status_code == 503
    lines = [json.loads(line) for line in written.splitlines()]
    assert ("warning", "v2.api") in {(line["level"], line["logger"]) for line in lines}
    assert token not in written


def test_without_a_database_the_endpoints_say_what_to_do_and_show_no_trace(tmp_path: Path) -> None:
    done = subprocess.run(
        ARGV, env=os.environ | {"V2_HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error [config]: the endpoints do not know their database")
    assert "V2_API_DATABASE_URL" in done.stderr and "Traceback" not in done.stderr
