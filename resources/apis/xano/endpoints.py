"""Endpoints of Xano's Metadata API that only read. Sources: the vendor's documentation and its own open clients.

Its writing neighbours (content POST, PUT, DELETE, bulk, truncate, search/patch, search/delete) have no place here.
"""

from __future__ import annotations

from resources.http.endpoint import Endpoint

#: What the smallest plan allows, and how long it looks back. No header tells what is left or how long to wait.
CALLS, WINDOW_S = 10, 20
#: Sizes of a page: wide rows make a large one time out, and then a smaller one may pass.
PAGE_SIZES = (500, 200, 100)

ME = Endpoint(name="auth/me", path="/auth/me", why="whose token this is")
WORKSPACES = Endpoint(
    name="workspace", path="/workspace", lists=("items", "workspaces"), root_list=True, why="which workspaces it opens"
)
#: A bare array in older instances, pages without totals in newer ones.
TABLES = Endpoint(
    name="workspace/{id}/table",
    path="/workspace/{workspace}/table",
    lists=("items", "tables"),
    root_list=True,
    page_size=100,
    why="names and ids of the tables",
)
SCHEMA = Endpoint(
    name="table/{id}/schema",
    path="/workspace/{workspace}/table/{table}/schema",
    lists=("schema", "items"),
    root_list=True,
    why="which columns a table has now",
)
#: A POST that reads: the only way to sort and to go on behind an id.
SEARCH = Endpoint(
    name="table/{id}/content/search",
    path="/workspace/{workspace}/table/{table}/content/search",
    lists=("items",),
    page_size=PAGE_SIZES[0],
    why="the rows behind an id, in the order of ids",
    deadline_s=120,
)
