"""`v2 codes`: words of the sources that nobody has taught yet, and teaching one without a release."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table

codes = typer.Typer(help="Words of the sources that V2 does not know yet.", invoke_without_command=True)


@codes.callback()
def unknown(context: typer.Context) -> None:
    """Unknown words: in which field, in how many records, how many they hold back, and one record to look at."""
    if context.invoked_subcommand is not None:
        return
    from v2_assets.merge.words import unknown_words

    with opened() as o, o.database.connect() as connection:
        told = unknown_words(connection)
    columns = ("source", "code set", "word", "staging table", "field", "records", "held back", "for example")
    rows = [(w.source, w.code_set, w.word, w.table, w.field, w.records, w.held, w.example) for w in told]
    current().done(
        [asdict(w) for w in told],
        lambda c: c.print(table(columns, rows) if rows else "no unknown words: every code means something in V2"),
    )


@codes.command()
def add(
    source: Annotated[str, typer.Argument(help="fub, rezen, skyslope, title, v1 or csv")],
    code_set: Annotated[str, typer.Argument(help="as `v2 codes` lists it, e.g. user_role")],
    word: Annotated[str, typer.Argument(help="the word as `v2 codes` lists it")],
    value: Annotated[str, typer.Argument(help="what V2 says for it")],
    new: Annotated[bool, typer.Option(help="a value that no word of the set has had so far")] = False,
) -> None:
    """Teach a word. What carries it is merged again from what is stored; nothing is fetched."""
    from v2_assets.merge.words import teach

    with opened() as o, o.database.connect() as connection:
        again = teach(connection, source, code_set, word, value, new=new)
    count = sum(again.values())
    told = f"{word} means {value}; {count} records are pending" + (
        ": the next runs merge them, or `v2 merge` now" if count else ""
    )
    current().done(
        {"source": source, "code_set": code_set, "word": word, "value": value, "pending": again},
        lambda c: c.print(told),
    )


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(codes, name="codes")
