"""The CRM's way to say no."""

from __future__ import annotations


class Refused(Exception):
    """An answer that is no success: status, message, headers. The body has one key, errorMessage (or `error`)."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, *, key: str = "errorMessage"
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.headers, self.key = status, message, headers or {}, key
