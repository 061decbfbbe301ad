"""SkySlope endpoints as data. Sources: the vendor's samples of 2020 for login, bulk export and replica time; public
clients for the rest. Page sizes are fixed by the source; no limit is published, a client speaks of 100 calls a minute.
"""

from __future__ import annotations

from resources.http.endpoint import Endpoint

#: Seconds in which `skyslope_limit_per_client` calls may be made.
WINDOW_S = 60
#: A folder page has ten rows, and no page beyond the thousandth is given.
FOLDER_PAGE, LAST_PAGE = 10, 1000

LOGIN = Endpoint(
    name="auth/login",
    path="/auth/login",
    why="a session for two hours, signed with the access secret",
    tells_secret=True,
)
REPLICA = Endpoint(
    name="files/replica-timestamp", path="/api/files/replica-timestamp", why="how far the bulk answers reach"
)
#: One answer, not paged. Without dates it silently means the last seven days, so there are always dates.
BULK = Endpoint(name="files", path="/api/files", why="every file of a kind that changed in a window", deadline_s=300)
USERS = Endpoint(name="users", path="/api/users", lists=("users",), why="agents and staff, those who left included")
OFFICES = Endpoint(name="offices", path="/api/offices", lists=("offices",), why="offices of the account")

#: By entity: what the bulk calls its kind, the folder's list and key, and the name of the record's id.
KINDS = {
    "transactions": ("sale", "sales", "saleGuid"),
    "listings": ("listing", "listings", "listingGuid"),
}
FOLDERS = {
    entity: Endpoint(
        name=f"files/{plural}",
        path=f"/api/files/{plural}",
        lists=(plural,),
        why="every file, archived ones included, ten at a time: what the bulk may leave out",
        deadline_s=60,
    )
    for entity, (_, plural, _) in KINDS.items()
}
DETAILS = {
    entity: Endpoint(name=f"files/{plural}/{{guid}}", path=f"/api/files/{plural}/{{guid}}", why="one file in full")
    for entity, (_, plural, _) in KINDS.items()
}
