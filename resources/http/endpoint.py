"""Endpoints as frozen data: what is asked where, what the answer must hold, and which limits apply."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Endpoint(BaseModel):
    """One call of a source. Nonsense (a page floor above the page size, no leading slash) cannot be constructed.

    `lists` are the keys under which the records may stand; none of them in the answer is an error, never an empty page.
    `no_content`: a 204 means that there is nothing, and counts as an empty list; elsewhere it is not understood.
    `tells_secret`: the answer is a secret that is sent from then on. `context` is the rate-limit bucket. `deadline_s`
    bounds one attempt as a whole, slow body included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    path: str
    why: str
    lists: tuple[str, ...] = ()
    root_list: bool = False
    no_content: bool = False
    tells_secret: bool = False
    context: str = "global"
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    page_floor: Annotated[int, Field(ge=1)] = 10
    deadline_s: Annotated[float, Field(gt=0, le=300)] = 30.0

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not path.startswith("/") or "?" in path:
            raise ValueError("a path starts with / and has no query")
        return path

    @model_validator(mode="after")
    def _sensible(self) -> Endpoint:
        if self.page_floor > self.page_size:
            raise ValueError("the page floor is above the page size")
        if self.no_content and not self.lists:
            raise ValueError("only an endpoint with lists can have nothing to list")
        return self
