"""The world: all facts, the dice that made them, and the clock.

Deterministic: the same seed, scale and start give the same world, and the same steps move it the same way.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.world import agents, crm, deals, files, money, move, network, title, v1
from sandbox.world.model import Brokerage, FubAccount, ProductUser, Row, Scale

#: Of what a source ever had, this share goes without a word at most, however often the world is moved: a user's calls
#: would lose a fifth on a day before, and a sweep that misses a fifth is one that nobody should believe.
LOSS = 0.03


class World:
    """All facts. `version` changes with everything that changes them, so that servers can keep what they sorted."""

    def __init__(self, seed: int = 7, scale: Scale | None = None, now: datetime | None = None) -> None:
        self.seed = seed
        self.scale = scale or Scale()
        self.start = (now or datetime.now(UTC)).replace(microsecond=0)
        self.now = self.start
        self.dice = random.Random(seed)
        self.version = 0
        self._lost: dict[str, int] = {}
        self.users: list[ProductUser] = []
        self.accounts: dict[int, FubAccount] = {}
        self.brokerage = Brokerage()
        agents.build(self)
        deals.build(self)
        crm.build(self)
        self.network = network.build(self)
        self.money = money.build(self)
        self.files = files.build(self)
        self.title = title.build(self)
        self.v1 = v1.build(self)

    def step(self, at: datetime | None = None) -> dict[str, Any]:
        """Moves the world to `at` (default: now): creates, updates, moves, deletes. Returns what happened, by ids.

        While requests are under way use `POST /_world/step`: it runs on the server's loop, between two of them.
        """
        return move.step(self, at)

    def reassign(self, account_id: int, person_id: int, user_id: int) -> Row:
        """Hands a contact to another user: with the contact its calls, texts and events change hands, unstamped."""
        return move.reassign(self, self.accounts[account_id], person_id, user_id)

    def changed(self) -> None:
        """To be called after any change by hand, so that the servers show it."""
        self.version += 1

    def may_lose(self, what: str, left: int) -> bool:
        """Whether one more record of `what`, of which so many are left, may go without a word; a yes counts as one."""
        lost = self._lost.get(what, 0)
        if lost and lost + 1 > (left + lost) * LOSS:
            return False
        self._lost[what] = lost + 1
        return True

    def id(self) -> str:
        """A UUID from the dice."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def past(self, days: float) -> datetime:
        """An instant up to so many days before the world's start, at least an hour before it, to the second."""
        return self.start - timedelta(seconds=self.dice.randint(60 * 60, int(days * 86400)))

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return self.dice.random() < share
