"""`/metrics` for Prometheus and `/reports/<id>` for people: pages that only read the database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from resources.errors import V2Error
from resources.postgres import Database
from v2_assets.health.measures import BY_NAME, Sample, take
from v2_assets.webserver.guard import KEY_HEADER, shows

#: Measuring reads every staging table's indexes; who asks more often gets the same answer again.
FRESH_FOR_S = 30.0


class _Collector:
    """The samples of one moment in Prometheus' own classes."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = list(samples)

    def collect(self) -> Iterator[Metric]:
        families = {
            name: (CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily)(
                name, measure.meaning, labels=measure.labels
            )
            for name, measure in BY_NAME.items()
        }
        for sample in self._samples:
            families[sample.name].add_metric(sample.labels, sample.value)
        yield from families.values()


def exposition(samples: Iterable[Sample]) -> bytes:
    """Samples in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collector(samples))
    return generate_latest(registry)


class Pages:
    """The routes. One object serves one process. With a `key`, reports are for the proxy that shows it."""

    def __init__(self, database: Database, key: str | None = None) -> None:
        self._database, self._key = database, key
        self._lock = Lock()
        self._text, self._until = b"", 0.0

    def routes(self) -> list[Route]:
        """To be mounted at the root of the monitor."""
        return [Route("/metrics", self._metrics), Route("/reports/{number:int}", self._report)]

    # Not async on purpose: Starlette runs these in a thread, since they wait for the database.
    def _metrics(self, request: Request) -> Response:
        try:
            with self._lock:
                if time.monotonic() > self._until:
                    with self._database.connect() as connection:
                        self._text = exposition(take(connection))
                    self._until = time.monotonic() + FRESH_FOR_S
                return Response(self._text, media_type=CONTENT_TYPE_LATEST)
        except V2Error as error:
            return PlainTextResponse(f"nothing can be measured now ({error.code})\n", 503)

    def _report(self, request: Request) -> Response:
        if self._key and not shows(request.headers, KEY_HEADER, self._key):
            return PlainTextResponse("reports are asked for through the proxy, which knows V2_UI_KEY\n", 403)
        number = request.path_params["number"]
        try:
            with self._database.connect() as connection:
                row = connection.execute("select html from ops.report where id = %s", [number]).fetchone()
        except V2Error as error:
            return PlainTextResponse(f"the report cannot be read now ({error.code})\n", 503)
        return HTMLResponse(row[0]) if row else PlainTextResponse(f"there is no report {number}\n", 404)
