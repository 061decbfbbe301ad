"""Log lines of the platform's processes: text for people or JSON for programs, each with what it was about.

    start(settings.log_format)
    with about(user=7, integration="fub", entity="people", run=run_id):
        log.info("read %s records", 40)

A line is one line. Keys, mail addresses and long numbers are hidden in its words; an exception is told by its type and
place, since its text may hold a row. What it is about are ids, which are told as they are.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from resources.http.redact import clean_text

#: The order in which a line says what it is about.
FIELDS = ("user", "integration", "entity", "run")
LONGEST = 2_000
Format = Literal["text", "json"]
_about: ContextVar[Mapping[str, Any] | None] = ContextVar("about", default=None)


@contextmanager
def about(
    *, user: int | None = None, integration: str | None = None, entity: str | None = None, run: str | None = None
) -> Iterator[None]:
    """Every line that is logged inside, in this task or thread, says that it is about these; nested ones add up."""
    given = {"user": user, "integration": integration, "entity": entity, "run": run}
    token = _about.set({**(_about.get() or {}), **{name: value for name, value in given.items() if value is not None}})
    try:
        yield
    finally:
        _about.reset(token)


class Lines(logging.Formatter):
    """A record as one line of this format."""

    def __init__(self, form: Format) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Called by logging."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean_text(record.getMessage(), longest=LONGEST),
            **(_about.get() or {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            if frames := traceback.extract_tb(record.exc_info[2]):
                line["place"] = f"{frames[-1].filename}:{frames[-1].lineno}"
        if self._form == "json":
            return orjson.dumps(line, default=str).decode()
        more = " ".join(f"{name}={line[name]}" for name in (*FIELDS, "error", "place") if name in line)
        words = (line["at"], line["level"].upper(), line["logger"], line["message"])
        return " ".join(words) + (f" [{more}]" if more else "")


def start(form: Format) -> None:
    """Writes this process's log to standard error in this format, from INFO on. Calling it again changes the format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # What Dagster has set up for itself would write each of its lines a second time, in a form of its own.
    dagster = logging.getLogger("dagster")
    dagster.handlers.clear()
    dagster.propagate = True
    # One line per request would repeat addresses, and the address is the secret of an unsigned webhook.
    # Two lines for each tick that found nothing to do are 100,000 a day; every tick is in the UI.
    quiet = (f"dagster.daemon.{each}Daemon" for each in ("Sensor", "Scheduler", "Monitoring"))
    for name in ("httpx", "httpcore", "uvicorn.access", *quiet):
        logging.getLogger(name).setLevel(logging.WARNING)
