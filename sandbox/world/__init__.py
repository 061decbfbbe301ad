"""The world behind the sandbox: users, accounts, agents, deals and contacts that agree with each other.

Here: the facts and how they move. Not here: what a system shows of them, to whom and in which envelope (`sandbox.fub`,
`sandbox.rezen`).
"""

from sandbox.world.model import Brokerage, FubAccount, FubUser, ProductUser, Row, Scale, iso, millis
from sandbox.world.world import World

__all__ = ["Brokerage", "FubAccount", "FubUser", "ProductUser", "Row", "Scale", "World", "iso", "millis"]
