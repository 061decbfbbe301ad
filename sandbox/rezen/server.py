"""reZEN's services side by side; a path of one is unknown to the others."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.faults import Faults
from sandbox.rezen.answers import not_found
from sandbox.rezen.arrakis import Arrakis
from sandbox.rezen.keymaker import Keymaker
from sandbox.rezen.money import Plutus, RevShares
from sandbox.rezen.network import NetworkService
from sandbox.rezen.yenta import Yenta
from sandbox.world import World


class RezenServer:
    """All services of one installation."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.services: dict[str, list[Route]] = {
            "yenta": [*NetworkService(world, faults).routes(), *Yenta(world, faults).routes()],
            "arrakis": [*RevShares(world, faults).routes(), *Arrakis(world, faults).routes()],
            "keymaker": Keymaker(world, faults).routes(),
            "plutus": Plutus(world, faults).routes(),
        }

    def mounts(self) -> list[BaseRoute]:
        """/yenta/api/v1 and so on; what is nowhere is a 404 in the wrapped shape."""
        known: list[BaseRoute] = [
            Mount(f"/{name}/api/v1", routes=[*routes, Route("/{rest:path}", _nothing)])
            for name, routes in self.services.items()
        ]
        return [*known, Route("/{rest:path}", _nothing)]


async def _nothing(request: Request) -> Response:
    refused = not_found("Not found")
    return Response(refused.body, refused.status, media_type="application/json")
