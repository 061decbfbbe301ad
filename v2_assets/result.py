"""The one shape of an answer at every boundary a person or a program calls: {success, data, error, step}."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from resources.errors import V2Error

T = TypeVar("T")


class ResultError(BaseModel):
    """What went wrong, for a program to branch on and a person to read."""

    code: str
    message: str
    hint: str | None = None
    retryable: bool = False
    context: dict[str, Any] = Field(default_factory=dict)


class Result(BaseModel, Generic[T]):
    """`data` on success, `error` on failure; `step` names what was done."""

    success: bool
    data: T | None = None
    error: ResultError | None = None
    step: str

    @classmethod
    def failure(cls, step: str, error: V2Error) -> Result[T]:
        """The failed result of a V2Error."""
        return cls(success=False, error=ResultError(**error.as_dict()), step=step)
