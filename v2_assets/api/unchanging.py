"""What is the same for everybody and open to everybody: written and packed once, when it is first asked for.

Here: the OpenAPI document, and a page for people that is drawn from it. The page has no script and loads nothing.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import Response

#: Nothing is loaded, run or framed, whatever would get into a page.
PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


class Unchanging:
    """Answers with what `write` returns.

    Unchanging(lambda: b"{}", "application/json")
    """

    def __init__(self, write: Callable[[], bytes], media_type: str, headers: Mapping[str, str] | None = None) -> None:
        self._write = write
        self._media_type = media_type
        self._headers = {"Vary": "Accept-Encoding", "Cache-Control": "public, max-age=300", **(headers or {})}
        self._written: tuple[bytes, bytes] | None = None

    async def __call__(self, request: Request) -> Response:
        """The whole of it, packed for whoever takes it so."""
        if self._written is None:
            plain = self._write()
            self._written = plain, gzip.compress(plain)
        plain, packed = self._written
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(plain, 200, self._headers, self._media_type)
        return Response(packed, 200, {**self._headers, "Content-Encoding": "gzip"}, self._media_type)


def drawn(document: Mapping[str, Any]) -> bytes:
    """The page of an OpenAPI document."""
    environment = Environment(
        loader=PackageLoader("v2_assets.api"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    info = document["info"]
    page = environment.get_template("docs.html").render(
        title=info["title"], description=info["description"], calls=list(_calls(document))
    )
    return page.encode()


def _calls(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            yield {
                "id": call["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": call.get("summary", ""),
                "parameters": [
                    {"name": each["name"], "type": _type(each["schema"]), "what": each.get("description", "")}
                    for each in call.get("parameters", ())
                ],
            }


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    inner = f" of {_type(schema['items'])}" if "items" in schema else ""
    return str(schema.get("format") or schema.get("type", "")) + inner
