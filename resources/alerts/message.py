"""One message to people, and how it reads. Channels only carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SIGNS = {"info": "💬", "warning": "⚠️", "critical": "🔴"}
_BEGINS = {"recovered": "Recovered", "reminder": "Still", "worse": "Worse", "test": "Test"}
#: Users that a message names; the rest is a number.
NAMED_USERS = 5


@dataclass(frozen=True, slots=True)
class Message:
    """What happened (`kind`: opened, worse, reminder, recovered, notice, test) to which cause of which code.

    `users` are ids; without any it hits nobody in particular. `link` and `runbook` are addresses, `do` a command; a
    test's message may lack them.
    """

    number: int
    kind: str
    code: str
    severity: str
    subject: str
    what: str = ""
    since: str | None = None
    users: tuple[int, ...] = ()
    do: str | None = None
    link: str | None = None
    runbook: str | None = None

    @property
    def title(self) -> str:
        """One line, whatever line breaks the subject holds: what happened, how bad, to what."""
        sign = "✅" if self.kind == "recovered" else _SIGNS[self.severity]
        begin = _BEGINS.get(self.kind)
        return f"{sign} {begin + ': ' if begin else ''}{' '.join(self.subject.split())}"

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The rest as (label, text), in the order in which a person needs it."""
        users = "no single one; the platform as a whole"
        if self.users:
            named = ", ".join(map(str, self.users[:NAMED_USERS]))
            more = len(self.users) - NAMED_USERS
            users = f"{len(self.users)}: {named}" + (f" and {more} more" if more > 0 else "")
        told = [
            ("what", self.what),
            ("since", self.since or ""),
            ("users", users if self.kind != "test" else ""),
            ("do", f"`{self.do}`" if self.do and self.kind != "recovered" else ""),
            ("see", self.link or ""),
            ("runbook", self.runbook or "" if self.kind != "recovered" else ""),
            ("code", self.code),
        ]
        return [(label, text) for label, text in told if text]

    def text(self) -> str:
        """The whole as plain text."""
        return "\n".join([self.title, "", *(f"{label}: {text}" for label, text in self.lines)])

    def as_dict(self) -> dict[str, Any]:
        """For programs. `number` is the same when a message is delivered twice."""
        return {
            "number": self.number,
            "kind": self.kind,
            "code": self.code,
            "severity": self.severity,
            "subject": self.subject,
            "what": self.what,
            "since": self.since,
            "users": list(self.users),
            "do": self.do,
            "link": self.link,
            "runbook": self.runbook,
        }
