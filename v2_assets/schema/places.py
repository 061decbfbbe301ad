"""Places: brokerages, offices, states and addresses that other tables point to.

Here: tables of the catalogue's section 2 that are not about a user. The rows of `state_province` come from `codes.py`.
"""

from __future__ import annotations

from v2_assets.schema.vocabulary import degrees, flag, law, parent, v2_table, words

brokerage = v2_table(
    "brokerage",
    words("name", "The brokerage's name.", required=True),
    flag("active", "Whether agents work under it now.", default=True),
    grain="one brokerage",
    key=("name",),
    sources=("rezen", "v1"),
    domain="reference",
    freshness="daily",
    v1={"not_in_v1": "V1 kept no brokerages"},
)

office = v2_table(
    "office",
    words("office_id_raw", "The office's id at the source.", required=True),
    words("name", "The office's name."),
    parent("brokerage_id", "v2.brokerage", "The brokerage it belongs to.", index=False),
    grain="one office as one source knows it",
    key=("source", "office_id_raw"),
    sources=("rezen", "skyslope"),
    domain="reference",
    freshness="daily",
    v1={"not_in_v1": "V1 kept no offices"},
)

state_province = v2_table(
    "state_province",
    words("abbreviation", "Two-letter postal code.", required=True),
    words("name", "Name in English.", required=True),
    words("country", "Two-letter country code.", required=True),
    law("abbreviation", "abbreviation ~ '^[A-Z]{2}$'"),
    law("country", "country in ('US', 'CA')"),
    grain="one state, territory or province of the United States or Canada",
    key=("abbreviation",),
    sources=("seed",),
    domain="reference",
    freshness="seed",
    default_source="seed",
    v1={"not_in_v1": "written when the database is migrated"},
)

address = v2_table(
    "address",
    words("address_key", "The address in one normalised line; see ops.address_key.", required=True),
    words("one_line", "The address in one line as the source writes it."),
    words("street", "House number and street."),
    words("unit", "Apartment, suite or unit."),
    words("city", "City."),
    words("county", "County."),
    parent(
        "state_abbreviation",
        "v2.state_province.abbreviation",
        "Two-letter code of the state or province.",
        index=False,
    ),
    words("zip", "Postal code."),
    words("country", "Two-letter country code."),
    degrees("latitude", "Degrees north."),
    degrees("longitude", "Degrees east."),
    law("address_key", "address_key <> ''"),
    grain="one postal address, whichever record named it",
    key=("address_key",),
    sources=("rezen", "fub", "skyslope", "title", "v1"),
    domain="reference",
    freshness="hourly",
    personal=("address_key", "one_line", "street", "unit", "latitude", "longitude"),
    v1={
        "table": "listing",
        "columns": {"address_key": "address"},
        "forms": {"address_key": "address_key"},
        "where": ("address",),
        "also": (
            {
                "table": "transaction",
                "columns": {"address_key": "address"},
                "forms": {"address_key": "address_key"},
                "where": ("address",),
            },
            {
                "table": "title_orders",
                "columns": {"address_key": "property_address"},
                "forms": {"address_key": "address_key"},
                "where": ("property_address",),
            },
        ),
    },
)
