"""The endpoints of the frontend, as data: paths, tables, fields, filters, search, sorting.

Field names are V2's column names. Who sees which row is not said here: `schema.visibility` says it once for all, and
Postgres holds to it.
"""

from __future__ import annotations

from v2_assets.api.catalogue.boards import BOARDS, PIPELINE
from v2_assets.api.catalogue.crm import CRM
from v2_assets.api.catalogue.deals import DEALS
from v2_assets.api.catalogue.money import MONEY
from v2_assets.api.catalogue.teams import TEAMS
from v2_assets.api.endpoint import Endpoint

CATALOGUE: tuple[Endpoint, ...] = (*DEALS, *MONEY, *CRM, *TEAMS, *BOARDS, *PIPELINE)
"""Every data endpoint. Reach one by its path: `ENDPOINTS["/transactions/all"]`."""

ENDPOINTS: dict[str, Endpoint] = {endpoint.path: endpoint for endpoint in CATALOGUE}
