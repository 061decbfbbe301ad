"""The `v2` command: thin shells over functions that return data.

`--json` (anywhere on the line) prints exactly one Result document. The exit code is 0 only on success, 1 for an error
that the platform knows, 2 for a wrong call. Heavy imports happen inside the commands, so that help is quick.
"""

from __future__ import annotations

import sys
from functools import cache

import stamina.instrumentation
import typer
from typer.exceptions import TyperException

from resources.errors import V2Error
from v2_assets.cli.output import Output, current

app = typer.Typer(
    name="v2",
    help="Keeps the V2 database complete, fresh and provably right.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cache
def register_commands() -> None:
    """Adds every command to `app`, once; only now, so that importing the package is quick."""
    from v2_assets.cli import (
        backup,
        codes,
        compare,
        data,
        day_command,
        demo_command,
        doctor,
        foreground,
        gap_command,
        gate,
        health,
        imports,
        keys,
        offboard,
        platform_commands,
        retention,
        sandbox_commands,
        tables,
        tokens,
        triggers,
        users,
        webhooks,
        why,
    )

    for module in (
        platform_commands,
        users,
        offboard,
        data,
        codes,
        imports,
        tables,
        compare,
        triggers,
        health,
        gate,
        doctor,
        webhooks,
        tokens,
        backup,
        keys,
        retention,
        why,
        foreground,
        sandbox_commands,
        demo_command,
        gap_command,
        day_command,
    ):
        module.register(app)


def main(arguments: list[str] | None = None) -> None:
    """The console script. Never returns: exits with the command's code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    debug = "--debug" in words
    words = [w for w in words if w not in ("--json", "--debug")]
    output = current(Output(as_json=as_json, step=" ".join(w for w in words[:1] if not w.startswith("-")) or "v2"))
    stamina.instrumentation.set_on_retry_hooks([])  # they print to where the answer belongs
    try:
        register_commands()
        code = app(args=words, prog_name="v2", standalone_mode=False)
    except V2Error as error:
        code = output.fail(error)
    except TyperException as error:
        output.usage(error)
        code = 2
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:
        if debug:
            raise
        # A traceback can hold row values or keys; its kind and place are enough to find it with --debug.
        code = output.fail(V2Error(f"unexpected {type(error).__name__}", hint="run it again with --debug to see where"))
    raise SystemExit(code or 0)
