"""Codes as data: what the sources' codes mean in V2, and the states and provinces.

Here: the rows that `migrate.upgrade` puts into `ops.code_map` and `v2.state_province`. Not here: who looks them up (the
merges' SQL), nor what happens to a code that is not listed: its column stays empty and the word is listed (`v2 codes`),
and only where the row cannot be told without it is the record rejected with reason `unknown_code`.

The reZEN lists are the union of what is known of its API; its vendor publishes none. Where two names mean one thing
(LAND, LAND_LOT) both are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def _spoken(*codes: str) -> dict[str, str]:
    """Codes whose V2 value is the code in words: BUYERS_AGENT → Buyers Agent."""
    return {code: code.replace("_", " ").title() for code in codes}


def _same(*codes: str) -> dict[str, str]:
    return {code: code for code in codes}


# reZEN's states, each with its words in V2, the part of the way it belongs to, and the status it implies.
_LIFECYCLE: dict[str, tuple[str, str, str]] = {
    "NEW": ("New", "Under Contract", "Pending"),
    "CALCULATE_LEDGER": ("Calculate Ledger", "Commission", "Pending"),
    "NEEDS_COMMISSION_VALIDATION": ("Needs Commission Validation", "Commission", "Pending"),
    "COMMISSION_VALIDATED": ("Commission Validated", "Commission", "Pending"),
    "READY_FOR_COMMISSION_DOCUMENT_GENERATION": ("Ready For Commission Document Generation", "Commission", "Pending"),
    "COMMISSION_DOCUMENT_GENERATED": ("Commission Document Generated", "Commission", "Pending"),
    "COMMISSION_DOCUMENT_APPROVED": ("Commission Document Approved", "Commission", "Pending"),
    "COMMISSION_DOCUMENT_SENT": ("Commission Document Sent", "Commission", "Pending"),
    "APPROVED_FOR_CLOSING": ("Approved For Closing", "Closing", "Pending"),
    "CLOSED": ("Closed", "Closed", "Closed"),
    "WAITING_ON_PAYMENT": ("Waiting On Payment", "Payment", "Closed"),
    "PAYMENT_ACCEPTED": ("Payment Accepted", "Payment", "Closed"),
    "PAYMENT_SCHEDULED": ("Payment Scheduled", "Payment", "Closed"),
    "SETTLED": ("Settled", "Settled", "Closed"),
    "TERMINATION_REQUESTED": ("Termination Requested", "Termination", "Pending"),
    "TERMINATED": ("Terminated", "Terminated", "Terminated"),
    "LISTING_ACTIVE": ("Listing Active", "Listing", "Active"),
    "LISTING_IN_CONTRACT": ("Listing In Contract", "Listing", "Pending"),
    "LISTING_CLOSED": ("Listing Closed", "Listing", "Closed"),
}

REZEN: dict[str, dict[str, str]] = {
    "transaction_status": {
        "PENDING": "Pending",
        "APPROVED": "Active",
        "ACTIVE": "Active",
        "CLOSED": "Closed",
        "TERMINATED": "Terminated",
        "CANCELED": "Canceled",
        "CANCELLED": "Canceled",
    },
    "lifecycle_state": {code: spoken for code, (spoken, _, _) in _LIFECYCLE.items()},
    "lifecycle_stage": {code: stage for code, (_, stage, _) in _LIFECYCLE.items()},
    "lifecycle_status": {code: status for code, (_, _, status) in _LIFECYCLE.items()},
    "lifecycle_group": _same("OPEN", "CURRENT", "CLOSED", "TERMINATED", "LISTING_ACTIVE", "LISTING_NONTERMINATED"),
    "transaction_type": {
        "SALE": "Sale",
        "RESIDENTIAL_SALE": "Sale",
        "LEASE": "Lease",
        "RESIDENTIAL_LEASE": "Lease",
        **_spoken(
            "COMMERCIAL_SALE",
            "COMMERCIAL_LEASE",
            "REFERRAL",
            "INTERNAL_REFERRAL",
            "COMPENSATING",
            "NON_COMPENSATING",
            "PLOT",
            "OTHER",
        ),
    },
    "property_type": {
        "LAND": "Land",
        "LAND_LOT": "Land",
        **_spoken("RESIDENTIAL", "COMMERCIAL", "CONDO", "MOBILE_HOME", "NEW_CONSTRUCTION", "RENTAL"),
    },
    "representation": _spoken("SELLER", "BUYER", "DUAL", "LANDLORD", "TENANT"),
    "participant_role": _spoken(
        "REAL",
        "REAL_ADMIN",
        "BUYERS_AGENT",
        "SELLERS_AGENT",
        "TENANT_AGENT",
        "REFERRING_AGENT",
        "OTHER_AGENT",
        "EXTERNAL_AGENT",
        "TEAM_LEADER",
        "PRO_TEAM_LEADER",
        "TEAM_MEMBER",
        "DOMESTIC_LEAD",
        "TRANSACTION_COORDINATOR",
        "ADMIN",
        "BUYER",
        "SELLER",
        "LANDLORD",
        "TENANT",
        "TITLE",
        "ESCROW",
        "LENDER",
        "ATTORNEY",
        "BUYERS_LAWYER",
        "SELLERS_LAWYER",
        "TRUSTEE",
        "APPRAISER",
        "INSPECTION",
        "HOME_WARRANTY",
        "MANAGEMENT_COMPANY",
        "TAX_COLLECTOR",
        "BUILDER",
        "REFERRAL_PAYER",
        "OTHER",
        "UNKNOWN",
    ),
    "participant_type": _spoken("AGENT", "EXTERNAL_ENTITY"),
    "payment_status": _spoken("PAID", "PENDING", "SCHEDULED", "PROCESSING", "FAILED", "CANCELED"),
    "equity_type": _spoken("GRANTED", "PURCHASED", "VESTED", "EXERCISED", "FORFEITED"),
    "agent_status": _spoken("CANDIDATE", "ACTIVE", "INACTIVE", "REJECTED", "RESURRECTING"),
    "team_type": _spoken("NORMAL", "PLATINUM", "GROUP", "DOMESTIC", "PRO"),
    "team_status": _spoken("ACTIVE", "INACTIVE"),
    "team_role": _spoken("LEADER", "ADMIN", "MEMBER"),
    "invitation_status": _spoken("EMAILED", "PENDING", "ACCEPTED", "DECLINED", "EXPIRED"),
    "fee_type": _spoken("ADDITIONAL_COMMISSION", "BROKERAGE_FEE", "TRANSACTION_FEE", "REFERRAL_FEE"),
    "directory_role": _spoken(
        "CLIENT",
        "LANDLORD",
        "TENANT",
        "TITLE_ESCROW",
        "LENDER",
        "LAWYER",
        "TRUSTEE",
        "OTHER_AGENT",
        "VENDOR",
        "REFERRAL",
        "OTHER",
    ),
    "country": {"UNITED_STATES": "US", "US": "US", "USA": "US", "CANADA": "CA", "CA": "CA"},
    "currency": _same("USD", "CAD"),
}

FUB: dict[str, dict[str, str]] = {
    "deal_status": _same("Active", "Archived", "Deleted"),
    "user_role": _same("Agent", "Broker", "Lender"),
    "call_outcome": _same("Interested", "Not Interested", "Left Message", "No Answer", "Busy", "Bad Number"),
    "event_type": _same(
        "Registration",
        "Inquiry",
        "Seller Inquiry",
        "Property Inquiry",
        "General Inquiry",
        "Viewed Property",
        "Saved Property",
        "Visited Website",
        "Incoming Call",
        "Unsubscribed",
        "Property Search",
        "Saved Property Search",
        "Visited Open House",
        "Viewed Page",
    ),
    "group_type": _same("Agent", "Lender"),
    "group_distribution": _same("first-to-claim", "round-robin"),
}

# Partner orders were seen as "Open" only; the others are the vendor surface's states. Looked up in capitals.
TITLE: dict[str, dict[str, str]] = {
    "title_status": {
        **dict.fromkeys(("PREORDER", "PENDING"), "Pending"),
        **dict.fromkeys(
            ("OPEN", "ACCEPTED", "SUBMITTED", "REVISION_REQUIRED", "RESUBMITTED", "RESUBMISSION_ACCEPTED"), "Open"
        ),
        **dict.fromkeys(("CLOSED", "COMPLETED"), "Closed"),
        **dict.fromkeys(("CANCELED", "CANCELLED", "DECLINED"), "Canceled"),
    },
}

# The vendor publishes no list: these are the ones that were seen. A cancellation counts once it is approved; of an
# archived file the merge asks the day of its close. The kinds of deals are the sides our agent can stand on, by name or
# by number; a tenant's or a landlord's is a lease. Looked up in capitals.
SKYSLOPE: dict[str, dict[str, str]] = {
    "transaction_status": {
        "ACTIVE": "Active",
        **dict.fromkeys(("INCOMPLETE", "PENDING", "CANCELED/PEND", "PRE-CONTRACT"), "Pending"),
        "CLOSED": "Closed",
        "EXPIRED": "Terminated",
        **dict.fromkeys(("CANCELED", "CANCELED/APP"), "Canceled"),
    },
    "representation": {
        **dict.fromkeys(("PURCHASE", "32"), "Buyer"),
        **dict.fromkeys(("LISTING", "31"), "Seller"),
        **dict.fromkeys(("BOTH", "33"), "Dual"),
        "PURCHASE / TENANT": "Tenant",
        "LISTING / LANDLORD": "Landlord",
    },
    "transaction_type": {
        **dict.fromkeys(("PURCHASE", "LISTING", "BOTH", "31", "32", "33"), "Sale"),
        **dict.fromkeys(("PURCHASE / TENANT", "LISTING / LANDLORD", "LEASE"), "Lease"),
        "REFERRAL": "Referral",
    },
}


def _as_v1_wrote(codes: Mapping[str, str]) -> dict[str, str]:
    """V1 held the source's codes and V2's words side by side; both are looked up by their capitals."""
    spoken = {value.upper().replace(" ", "_"): value for value in codes.values()}
    return {**spoken, **codes}


#: The sets that V1's rows are read with: what the living sources say, in either form.
V1: dict[str, dict[str, str]] = {
    **{
        code_set: _as_v1_wrote(REZEN[code_set])
        for code_set in (
            "transaction_status",
            "lifecycle_state",
            "lifecycle_stage",
            "transaction_type",
            "property_type",
            "representation",
            "participant_role",
            "agent_status",
            "team_type",
            "team_status",
        )
    },
    "title_status": _as_v1_wrote(TITLE["title_status"]),
    "network_change": _same("New to Network", "Status", "Network Size", "Join Date"),
}

#: What people write in files: the living sources' codes or V2's words.
CSV: dict[str, dict[str, str]] = {
    code_set: V1[code_set] for code_set in ("transaction_status", "transaction_type", "property_type", "representation")
}

#: Tiers of the rev-share programme, with the share of the brokerage's split; only the first one's is published.
TIERS: tuple[tuple[int, str, float | None], ...] = (
    (1, "Tier 1", 0.05),
    (2, "Tier 2", None),
    (3, "Tier 3", None),
    (4, "Tier 4", None),
    (5, "Tier 5", None),
)

_STATES: dict[str, dict[str, str]] = {
    "US": {
        "AL": "Alabama",
        "AK": "Alaska",
        "AZ": "Arizona",
        "AR": "Arkansas",
        "CA": "California",
        "CO": "Colorado",
        "CT": "Connecticut",
        "DE": "Delaware",
        "DC": "District of Columbia",
        "FL": "Florida",
        "GA": "Georgia",
        "HI": "Hawaii",
        "ID": "Idaho",
        "IL": "Illinois",
        "IN": "Indiana",
        "IA": "Iowa",
        "KS": "Kansas",
        "KY": "Kentucky",
        "LA": "Louisiana",
        "ME": "Maine",
        "MD": "Maryland",
        "MA": "Massachusetts",
        "MI": "Michigan",
        "MN": "Minnesota",
        "MS": "Mississippi",
        "MO": "Missouri",
        "MT": "Montana",
        "NE": "Nebraska",
        "NV": "Nevada",
        "NH": "New Hampshire",
        "NJ": "New Jersey",
        "NM": "New Mexico",
        "NY": "New York",
        "NC": "North Carolina",
        "ND": "North Dakota",
        "OH": "Ohio",
        "OK": "Oklahoma",
        "OR": "Oregon",
        "PA": "Pennsylvania",
        "RI": "Rhode Island",
        "SC": "South Carolina",
        "SD": "South Dakota",
        "TN": "Tennessee",
        "TX": "Texas",
        "UT": "Utah",
        "VT": "Vermont",
        "VA": "Virginia",
        "WA": "Washington",
        "WV": "West Virginia",
        "WI": "Wisconsin",
        "WY": "Wyoming",
        "AS": "American Samoa",
        "GU": "Guam",
        "MP": "Northern Mariana Islands",
        "PR": "Puerto Rico",
        "VI": "Virgin Islands",
    },
    "CA": {
        "AB": "Alberta",
        "BC": "British Columbia",
        "MB": "Manitoba",
        "NB": "New Brunswick",
        "NL": "Newfoundland and Labrador",
        "NT": "Northwest Territories",
        "NS": "Nova Scotia",
        "NU": "Nunavut",
        "ON": "Ontario",
        "PE": "Prince Edward Island",
        "QC": "Quebec",
        "SK": "Saskatchewan",
        "YT": "Yukon",
    },
}


def code_rows() -> Iterable[tuple[str, str, str, str]]:
    """Rows of ops.code_map: (code_set, source, raw, value)."""
    sources: Mapping[str, dict[str, dict[str, str]]] = {
        "rezen": REZEN,
        "fub": FUB,
        "skyslope": SKYSLOPE,
        "title": TITLE,
        "v1": V1,
        "csv": CSV,
    }
    for source, sets in sources.items():
        for code_set, codes in sets.items():
            for raw, value in codes.items():
                yield code_set, source, raw, value


def state_rows() -> Iterable[tuple[str, str, str]]:
    """Rows of v2.state_province: (abbreviation, name, country)."""
    for country, states in _STATES.items():
        for abbreviation, name in states.items():
            yield abbreviation, name, country
