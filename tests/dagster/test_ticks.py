"""Ticks that fail: a sensor's own fault is told, a code server that is away is not told once for each sensor."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._grpc.__generated__.dagster_api_pb2 import PingRequest
from dagster._grpc.client import DagsterGrpcClient
from dagster._utils.error import SerializableErrorInfo, serializable_error_info_from_exc_info

from resources.processes import free_port
from sensors.alerts import failed_ticks
from tests.dagster.instances import instance_with_switches


def told(ask: Callable[[], object]) -> SerializableErrorInfo:
    """The failure as the sensor daemon keeps it."""
    try:
        try:
            ask()
        except DagsterUserCodeUnreachableError as error:
            raise DagsterUserCodeUnreachableError("Unable to reach the user code server for sensor inbox.") from error
    except (DagsterUserCodeUnreachableError, ZeroDivisionError):
        return serializable_error_info_from_exc_info(sys.exc_info())
    raise AssertionError("it did not fail")


def nobody_there() -> object:
    return DagsterGrpcClient(port=free_port(), host="127.0.0.1").ping("x")


def too_slow() -> object:
    """A server that takes the connection and says nothing, asked with as little patience as a test has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = DagsterGrpcClient(port=server.getsockname()[1], host="127.0.0.1")
        return client._query("Ping", PingRequest, timeout=1, echo="x")


def our_code() -> object:
    return 1 / 0


@pytest.mark.parametrize(("why", "is_told"), [(our_code, True), (too_slow, True), (nobody_there, False)])
def test_a_sensor_that_fails_each_time_is_told_unless_nobody_could_be_asked(
    why: Callable[[], object], is_told: bool, tmp_path: Path
) -> None:
    with instance_with_switches(tmp_path) as instance:
        error = told(why)
        data = ticking(instance)
        for number in range(3):
            instance.create_tick(data(number, TickStatus.FAILURE, error))
        found = failed_ticks(instance)
        assert list(found) == (["inbox"] if is_told else [])
        instance.create_tick(data(4, TickStatus.SKIPPED, None))
        assert failed_ticks(instance) == {}
    if is_told:
        assert (found["inbox"].severity, found["inbox"].body["what"]) == ("critical", "Its last 3 ticks failed.")


def ticking(instance: dg.DagsterInstance) -> Callable[[int, TickStatus, SerializableErrorInfo | None], TickData]:
    """A sensor that runs in this instance, and how one makes its ticks."""
    repository = RemoteRepositoryOrigin(
        GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="v2"), "__repository__"
    )
    origin = RemoteInstigatorOrigin(repository, "inbox")
    state = InstigatorState(
        origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData(min_interval=5)
    )
    instance.add_instigator_state(state)
    begun = time.time() - 60

    def tick(number: int, status: TickStatus, error: SerializableErrorInfo | None) -> TickData:
        return TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name="inbox",
            instigator_type=InstigatorType.SENSOR,
            status=status,
            timestamp=begun + 5 * number,
            selector_id=state.selector_id,
            error=error,
        )

    return tick
