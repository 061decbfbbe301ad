"""The surfaces of Qualia: which documents are known for which, and which of its worlds an address belongs to.

Each surface has a folder of its own below `queries`, with the same file names. Only the partner surface (Connect) has
documents: the schemas of the title company's own instance ("platform") and of api.qualia.com ("api") are shown to
customers alone, and nothing here guesses at them.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal, get_args
from urllib.parse import urlsplit

from resources.errors import ConfigError

Surface = Literal["partner", "platform", "api"]
SURFACES: tuple[Surface, ...] = get_args(Surface)

#: Where an order's selection stands in the other documents.
_ORDER = "ORDER"


@cache
def document(surface: str, name: str) -> str:
    """The text of a query, without its comments. Raises ConfigError for a surface whose schema is not known."""
    file = resources.files("resources.apis.title") / "queries" / surface / f"{name}.graphql"
    if surface not in SURFACES or not file.is_file():
        raise ConfigError(
            f"Title orders cannot be read through Qualia's surface {surface!r}: that needs the gated schema.",
            hint="set V2_TITLE_SURFACE=partner, or ask the customer for the schema and write its documents into"
            f" resources/apis/title/queries/{surface}",
            context={"surface": surface, "document": name},
        )
    lines = file.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    return text if name == "order" else text.replace(_ORDER, document(surface, "order")) if _ORDER in text else text


def environment_of(base_url: str) -> str:
    """Which of Qualia's worlds an address belongs to: "sandbox" (its sandbox- and qa- hosts, loopback) or "production".

    Credentials of one are refused by the other, and rows of the two must never be taken for one another.
    """
    host = urlsplit(base_url).hostname or ""
    test = host in ("localhost", "127.0.0.1", "::1") or any(
        part in ("sandbox", "qa") for label in host.split(".") for part in label.split("-")
    )
    return "sandbox" if test else "production"
