"""How a command speaks: tables and lines for people, one JSON document for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from resources.errors import V2Error
from v2_assets.result import Result, ResultError


@dataclass(slots=True)
class Output:
    """Where this call's words go."""

    as_json: bool = False
    step: str = "v2"

    @property
    def console(self) -> Console:
        """Standard output; as wide as it needs where it is no terminal."""
        return Console(width=None if sys.stdout.isatty() else 140, highlight=False)

    def say(self, text: str) -> None:
        """A line of progress: with --json it goes to standard error, so that the document stays alone."""
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def done(self, data: Any, human: Callable[[Console], None] | None = None) -> None:
        """The end of a command that went well."""
        if self.as_json:
            self._document(Result[Any](success=True, data=data, step=self.step))
        elif human:
            human(self.console)

    def fail(self, error: V2Error, data: Any = None) -> int:
        """The end of a command that did not. Returns the exit code."""
        if self.as_json:
            result: Result[Any] = Result.failure(self.step, error)
            result.data = data
            self._document(result)
        else:
            print(f"error [{error.code}]: {error.message}", file=sys.stderr)
            if error.hint:
                print(f"  → {error.hint}", file=sys.stderr)
        return 1

    def usage(self, error: Exception) -> None:
        """A wrong call: what is wrong with it, and where the right ones are listed."""
        told = getattr(error, "format_message", None)
        message = told() if told else str(error)
        if self.as_json:
            self._document(Result[Any](success=False, error=ResultError(code="usage", message=message), step=self.step))
        else:
            print(f"error [usage]: {message}\n  → v2 {self.step} --help", file=sys.stderr)

    def _document(self, result: Result[Any]) -> None:
        text = orjson.dumps(result.model_dump(mode="json"), option=orjson.OPT_INDENT_2, default=str)
        print(text.decode(), flush=True)

    @contextmanager
    def progress(self, total: int, what: str) -> Iterator[Callable[[str], None]]:
        """Steps forward by one with each call: a bar on a terminal, plain lines elsewhere."""
        if sys.stdout.isatty() and not self.as_json:
            from rich.progress import Progress

            with Progress(console=self.console) as bar:
                task = bar.add_task(what, total=total)

                def step(text: str) -> None:
                    bar.update(task, advance=1, description=text)

                yield step
            return
        count = 0

        def line(text: str) -> None:
            nonlocal count
            count += 1
            self.say(f"[{count}/{total}] {text}")

        yield line


_output = Output()


def current(output: Output | None = None) -> Output:
    """This call's output; sets it when one is given."""
    global _output
    if output is not None:
        _output = output
    return _output


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> Table:
    """A table; numbers to the right, nothing as nothing."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for number, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[number], int | float | type(None)) for row in rows)
        made.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*("" if value is None else str(value) for value in row))
    return made
