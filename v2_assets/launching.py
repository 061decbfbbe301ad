"""Asking the platform's web server to start work, and how far it is: what `v2 backfill` and the tasks endpoints share.

It speaks GraphQL to the running platform, so whoever uses it needs neither Dagster nor a right in its database. What it
sends is all that the key of the tasks endpoints is good for (`is_task`): who has that key can start what they start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from resources.errors import ConfigError, V2Error

#: The names under which the platform serves its definitions (`v2_assets.platform`).
_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "v2"}

_TABLES = "query Tables($job: PipelineSelector!) { assetNodes(pipeline: $job) { assetKey { path } isExecutable } }"
_ADD_USER = """
mutation Add($where: RepositorySelector!, $key: String!) {
  addDynamicPartition(repositorySelector: $where, partitionsDefName: "user", partitionKey: $key) {
    __typename ... on PythonError { message } } }
"""
_BACKFILL = """
mutation Launch($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  ... on PartitionKeysNotFoundError { message } } }
"""
_RUN = """
mutation Run($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on PipelineNotFoundError { message } ... on RunConfigValidationInvalid { errors { message } } } }
"""
_BACKFILL_STATE = """
query Follow($id: String!) { partitionBackfillOrError(backfillId: $id) {
  __typename ... on PartitionBackfill { status } } }
"""
_RUN_STATE = """
query Follow($id: ID!) { runOrError(runId: $id) { __typename ... on Run { status startTime endTime } } }
"""


class _Exactly(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Tag(_Exactly):
    key: Literal["dagster/partition", "v2/kind", "v2/integration", "v2/full"]
    value: Annotated[str, Field(max_length=100)]


class _Tags(_Exactly):
    tags: list[_Tag]


class _Selector(_Exactly):
    jobName: Annotated[str, Field(pattern=r"^([a-z]+_sync|merge_backlog)$")]  # noqa: N815 - Dagster's name
    repositoryName: Literal["__repository__"]  # noqa: N815
    repositoryLocationName: Literal["v2"]  # noqa: N815


class _RunParams(_Exactly):
    selector: _Selector
    executionMetadata: _Tags  # noqa: N815


class _RunTask(_Exactly):
    params: _RunParams


class _BackfillParams(_Exactly):
    assetSelection: list[dict[Literal["path"], list[str]]]  # noqa: N815
    partitionNames: list[Annotated[str, Field(pattern=r"^\d+$")]]  # noqa: N815
    title: str


class _BackfillTask(_Exactly):
    params: _BackfillParams


class _UserTask(_Exactly):
    where: dict[Literal["repositoryName", "repositoryLocationName"], str]
    key: Annotated[str, Field(pattern=r"^\d+$")]


class _TablesTask(_Exactly):
    job: dict[Literal["pipelineName", "repositoryName", "repositoryLocationName"], str]


class _StateTask(_Exactly):
    id: str


_TASKS: Mapping[str, type[_Exactly]] = {
    _TABLES: _TablesTask,
    _ADD_USER: _UserTask,
    _BACKFILL: _BackfillTask,
    _RUN: _RunTask,
    _BACKFILL_STATE: _StateTask,
    _RUN_STATE: _StateTask,
}


def is_task(body: bytes) -> bool:
    """Whether the body of a GraphQL request is one of those that `WebServer` sends: its documents, its variables."""
    try:
        asked = orjson.loads(body)
        if not isinstance(asked, dict) or set(asked) != {"query", "variables"}:
            return False
        _TASKS[asked["query"]].model_validate(asked["variables"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValidationError):
        return False
    return True


class RunFailed(V2Error):
    """Work that could not be started, or that was waited for and did not succeed."""

    code = "run_failed"


class WebServer:
    """The web server of the platform on this machine.

    server = WebServer(3000)
    server.backfill("fub", [7])

    `key` is V2_UI_KEY, `tasks_key` V2_API_TASKS_KEY: the endpoints have the second alone.
    """

    def __init__(self, port: int, *, key: SecretStr | None = None, tasks_key: SecretStr | None = None) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"
        shown = {"X-V2-Key": key, "X-V2-Tasks-Key": tasks_key}
        self._headers = {name: value.get_secret_value() for name, value in shown.items() if value}

    def backfill(self, integration: str, users: Sequence[int]) -> str:
        """Reads everything of these users again; returns the backfill's id. Raises RunFailed, ConfigError."""
        job = {"pipelineName": f"{integration}_sync", **_REPOSITORY}
        nodes = self.ask(_TABLES, {"job": job})["assetNodes"]
        params = {
            "assetSelection": sorted((n["assetKey"] for n in nodes if n["isExecutable"]), key=lambda key: key["path"]),
            "partitionNames": [str(user) for user in users],
            "title": f"v2 backfill {integration}",
        }
        made = self.ask(_BACKFILL, {"params": params})["launchPartitionBackfill"]
        return self._started(made, "LaunchBackfillSuccess")["backfillId"]

    def run(self, job: str, user: int, tags: Mapping[str, str]) -> str:
        """Starts a job for one user, who becomes a partition if need be; returns the run's id. Raises as `backfill`."""
        self.ask(_ADD_USER, {"where": _REPOSITORY, "key": str(user)})  # one that is there already is left alone
        return self.launch(job, {"dagster/partition": str(user), **tags})

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        """Starts a job with these tags; returns the run's id. Raises as `backfill`."""
        params = {
            "selector": {"jobName": job, **_REPOSITORY},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        made = self.ask(_RUN, {"params": params})["launchRun"]
        return self._started(made, "LaunchRunSuccess")["run"]["runId"]

    def backfill_status(self, backfill_id: str) -> str:
        """Dagster's word for how far it is; UNKNOWN when Dagster does not know it (any more)."""
        return self.ask(_BACKFILL_STATE, {"id": backfill_id})["partitionBackfillOrError"].get("status", "UNKNOWN")

    def run_status(self, run_id: str) -> str:
        """Dagster's word for how far it is; UNKNOWN when Dagster does not know it (any more)."""
        return self.ask(_RUN_STATE, {"id": run_id})["runOrError"].get("status", "UNKNOWN")

    def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of GraphQL's answer. Raises ConfigError when nobody answers, or not to this key; V2Error else."""
        try:
            answer = httpx.post(
                self._url,
                json={"query": query, "variables": variables},
                headers=self._headers,
                timeout=60,
                trust_env=False,
            )
            body = answer.json()
        except (httpx.HTTPError, ValueError):
            raise ConfigError(
                "the web server does not answer", hint="this needs the platform: `v2 up`", retryable=True
            ) from None
        if answer.status_code in (403, 421):
            raise ConfigError(
                f"the web server refuses: {body.get('error')}",
                hint="its settings V2_UI_KEY and V2_API_TASKS_KEY must be those of whoever asks",
            )
        if "data" not in body or body["data"] is None:
            raise V2Error("Dagster did not understand the request", context={"errors": body.get("errors")})
        return body["data"]

    @staticmethod
    def _started(made: dict[str, Any], wanted: str) -> dict[str, Any]:
        if made["__typename"] != wanted:
            raise RunFailed("Dagster refused to start it", hint=str(made.get("message", made["__typename"]))[:300])
        return made
