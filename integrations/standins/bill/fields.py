"""Which fields BILL lets a list be filtered and sorted by, kind by kind, and nothing more.

From developer.bill.com/docs/filterable-fields and /docs/sortable-fields (2026). For vendor credits
and classifications those pages are thin; what is listed here is what clients in use rely on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_ONE = frozenset({"eq", "ne"})
_SOME = frozenset({"eq", "ne", "in"})
_ANY = frozenset({"eq", "ne", "in", "nin"})
_SPAN = frozenset({"gt", "gte", "lt", "lte"})


class Kind(StrEnum):
    """How a filter value is read."""

    TEXT = "text"
    FLAG = "flag"
    DATE = "date"
    TIME = "time"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Field:
    """A field that can be filtered by: its operators, and its values where they are counted."""

    operators: frozenset[str]
    kind: Kind = Kind.TEXT
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRules:
    """What one kind of list allows."""

    filterable: dict[str, Field]
    sortable: frozenset[str]
    thin_without: frozenset[str] = frozenset()


def _choice(operators: frozenset[str], *choices: str) -> Field:
    return Field(operators, Kind.CHOICE, frozenset(choices))


APPROVAL_STATUS = _choice(
    _SOME, "UNASSIGNED", "ASSIGNED", "APPROVING", "APPROVED", "DENIED", "UNDEFINED"
)
_PAYMENT_STATUS = (
    *("UNPAID", "PAID", "SCHEDULED", "PARTIALLY_PAID", "IN_PROCESS"),
    *("PARTIAL", "PARTIALLY_SCHEDULED", "UNDEFINED"),
)
_TIMES = {"createdTime": Field(_SPAN, Kind.TIME), "updatedTime": Field(_SPAN, Kind.TIME)}
_BASE = {"id": Field(_SOME), "archived": Field(_ONE, Kind.FLAG)}

VENDORS = ListRules(
    filterable={
        **_BASE,
        "name": Field(frozenset({"eq", "sw"})),
        "accountType": _choice(_ANY, "BUSINESS", "PERSON", "NONE", "UNDEFINED"),
        "address.country": Field(_ONE),
        "billCurrency": Field(_ANY),
        "paymentStatus": _choice(_ANY, *_PAYMENT_STATUS),
        **_TIMES,
    },
    sortable=frozenset(
        {"archived", "name", "shortName", "email", "phone", "billCurrency", *_TIMES}
    ),
    thin_without=frozenset({"paymentInformation", "additionalInfo", "balance", "autoPay"}),
)

BILLS = ListRules(
    filterable={
        **_BASE,
        "vendorId": Field(frozenset({"eq", "in"})),
        "dueDate": Field(_SPAN, Kind.DATE),
        "paymentStatus": _choice(_SOME, *_PAYMENT_STATUS),
        **_TIMES,
        "payFromChartOfAccountId": Field(_SOME),
        **{
            f"classifications.{name}": Field(_SOME)
            for name in (
                *("chartOfAccountId", "accountingClassId", "departmentId"),
                *("locationId", "itemId"),
            )
        },
    },
    sortable=frozenset(
        {"archived", "fundingAmount", "exchangeRate", "description", "dueDate", *_TIMES}
    ),
    thin_without=frozenset({"approvers"}),
)

VENDOR_CREDITS = ListRules(
    filterable={**_BASE, "vendorId": Field(frozenset({"eq", "in"})), **_TIMES},
    sortable=frozenset(_TIMES),
)

CLASSIFICATIONS = ListRules(
    filterable={
        **_BASE,
        "name": Field(frozenset({"eq", "sw"})),
        "parentId": Field(_SOME),
        **_TIMES,
    },
    sortable=frozenset({"archived", "name", "description"}),
)

EMPLOYEES = ListRules(
    filterable={**_BASE, "parentId": Field(_SOME), **_TIMES},
    sortable=frozenset({"archived", "firstName", "lastName"}),
)

FORWARD_ONLY = ListRules(filterable={}, sortable=frozenset())
