"""Names, streets and towns of invented people; many are not ASCII, and some are shorter than a form would like."""

from __future__ import annotations

import random

FIRST = (
    "Ada", "Bo", "Cleo", "Dimitri", "Élodie", "Farid", "Grete", "Hana", "Ines", "José", "Kofi", "Lena", "Mateo",
    "Nadia", "Odalys", "Priya", "Quinn", "Rune", "Søren", "Tomás", "Uma", "Vera", "Wen", "Ximena", "Yusuf", "Zoë",
)  # fmt: skip
LAST = (
    "Abara", "Brandt", "Calloway", "Dvořák", "Ekström", "Fontaine", "García", "Haddad", "Ito", "Jansen",
    "Kowalski", "López", "Marsh", "Novák", "Okafor", "Petrov", "Quist", "Reyes", "Silva", "Thorne", "Ueda",
    "Vargas", "Weiss", "Xu", "Young", "Żuraw",
)  # fmt: skip
STREETS = ("Tern Row", "Harbor St", "Sample Rd", "Alder Ave", "Mill Ln", "Quarry Ct", "Lakeview Dr", "Juniper Way")
#: Town, state as two letters, as reZEN's upper-case name, postal code, country as reZEN writes it.
US_TOWNS = (
    ("Provo", "UT", "UTAH", "84601", "UNITED_STATES"),
    ("Austin", "TX", "TEXAS", "78701", "UNITED_STATES"),
    ("Portland", "OR", "OREGON", "97201", "UNITED_STATES"),
    ("Raleigh", "NC", "NORTH_CAROLINA", "27601", "UNITED_STATES"),
)
CANADIAN_TOWNS = (
    ("Toronto", "ON", "ONTARIO", "M5H 2N2", "CANADA"),
    ("Montréal", "QC", "QUEBEC", "H2Y 1C6", "CANADA"),
)


def a_name(dice: random.Random) -> tuple[str, str]:
    """A first and a last name."""
    return dice.choice(FIRST), dice.choice(LAST)
