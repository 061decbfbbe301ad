"""SQL helper functions for records whose fields have several names or shapes; reZEN's above all.

ops.first_of(jsonb, names...) -> jsonb    the first of these fields that tells something: not absent, null or blank
ops.code(jsonb) -> text                   a code given as text or as {state | status | role | value | name | code}
ops.rezen_agent(person jsonb) -> text     the agent's id of a person in a deal; the person's own id is not one
ops.rezen_owner(deal jsonb) -> text       the agent's id of a deal's owner
ops.rezen_address_key(address jsonb) -> text    ops.address_key of an address as an object or in one line

Deals name one thing in many ways, and the same reading is needed by the deal, the listing, the agents' stubs and the
addresses they mention; were it written in each of their files, the files could disagree.
"""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0003_rezen_functions"
down_revision = "0002_functions"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
