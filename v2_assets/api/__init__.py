"""The read endpoints: V2 over HTTP for the product's frontend.

`catalogue` says which endpoints there are, as frozen data; everything else (routes, models, SQL, the reference page,
the gate) is made from it. No Dagster here: tasks are started through the web server, as the `v2` command does.
"""
