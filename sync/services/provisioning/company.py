# ruff: noqa: RUF009 (`declare` makes a dataclass field, nothing is shared)
"""What a provision file says of one company: its connections, policy, vendors and rules.

BILL's records are named by their id, or by number or name, which are then looked up in BILL.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integrations.sage300.types import GL_ACCOUNT_LENGTH, VENDOR_NUMBER_LENGTH
from sync.domain.policy import Policy
from sync.domain.policy_document import policy_json_schema, policy_to_dict
from sync.services.provisioning.shape import Free, Json, Part, Parts, Reading, declare
from sync.services.provisioning.values import Choice, Flag, SecretText, Text, Texts

BILL_ID = Text(longest=60)
GL_ACCOUNT = Text(longest=GL_ACCOUNT_LENGTH)
NAME = Text(longest=120)
SLUG = Text(
    longest=50,
    pattern=r"[a-z0-9]+(?:-[a-z0-9]+)*",
    why="Use lower-case letters, digits and single hyphens.",
)
CURRENCY = Text(longest=3, pattern="[A-Z]{3}", why="A currency is three capital letters: USD.")


def _zone_fault(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"“{text[:60]}” is not a time zone such as America/Chicago."
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillEntry:
    """The company's BILL organization."""

    environment: str = declare(
        Choice("production", "sandbox", "practice"), "Which BILL.", example="production"
    )
    user_name: str = declare(
        Text(longest=200), "A sync token's name, or a user's.", example="ML-CONNECTOR"
    )
    password: str = declare(
        SecretText(), "The sync token, or the user's password.", example={"env": "BILL_TOKEN"}
    )
    organization_id: str = declare(
        Text(longest=40), "The organization's id.", example="008CalderBakery00001"
    )
    developer_key: str = declare(
        SecretText(), "The developer key.", example={"file": "bill-developer-key.txt"}
    )
    is_token: bool = declare(
        Flag(), "Whether that is a sync token (it cannot pay).", example=True, default=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SageEntry:
    """The company's Sage 300 company database."""

    base_url: str = declare(
        Text(longest=300),
        "The Web API's address, up to and with /Sage300WebApi.",
        example="https://sage.calder.example/Sage300WebApi",
    )
    company_database: str = declare(Text(longest=6), "The database's id.", example="CALBAK")
    user_name: str = declare(Text(longest=8), "A user of its own, not ADMIN.", example="MLCONN")
    password: str = declare(SecretText(), "Its password.", example={"env": "SAGE_PASSWORD"})
    password_case: str = declare(
        Choice("upper", "as_typed"),
        "How it is sent; Sage folds passwords unless complex ones are switched on.",
        example="upper",
        default="upper",
    )
    ca_pem: str = declare(
        Text(longest=20_000, may_be_empty=True),
        "The certificate authority in PEM, where it is the customer's own.",
        example="",
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A record of BILL: by exactly one of id, number (accounts only) and name."""

    id: str = declare(BILL_ID, "BILL's id.", example=None, default="")
    number: str = declare(BILL_ID, "An account's number.", example=None, default="")
    name: str = declare(Text(longest=200), "Its name.", example=None, default="")

    @property
    def said(self) -> str:
        """How it was named."""
        return self.id or self.number or self.name


def _check_named(named: Named, pointer: str, reading: Reading) -> None:
    given = [value for value in (named.id, named.number, named.name) if value]
    if len(given) != 1:
        reading.add(pointer, "Name the record by one of id, number or name.")


def _check_unnumbered(named: Named, pointer: str, reading: Reading) -> None:
    if named.number:
        reading.add(f"{pointer}/number", "Only accounts have a number; use id or name.")
        return
    _check_named(named, pointer, reading)


class _OneName(Part):
    """A record's name; the schema says the same as the check."""

    def __init__(self, *ways: str) -> None:
        super().__init__(Named, _check_named if "number" in ways else _check_unnumbered)
        self.ways = ways

    def schema(self) -> Json:
        """An object with exactly one of the ways to name a record."""
        whole = super().schema()
        properties = whole["properties"]
        assert isinstance(properties, dict)  # noqa: S101 (what a Part makes)
        kept = {way: properties[way] for way in self.ways}
        return {**whole, "properties": kept, "minProperties": 1, "maxProperties": 1}


ACCOUNT = _OneName("id", "number", "name")
RECORD = _OneName("id", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """Lines with all that is named go to this GL account; most conditions win."""

    gl_account: str = declare(GL_ACCOUNT, "The account in Sage.", example="6420-100")
    name: str = declare(
        Text(longest=100, may_be_empty=True), "A name for people.", example="Trade shows",
        default="",
    )  # fmt: skip
    account: Named | None = declare(
        ACCOUNT, "The line's BILL account.", example={"name": "Trade Shows"}, default=None
    )
    department: Named | None = declare(
        RECORD, "Its department.", example={"name": "Marketing"}, default=None
    )
    location: Named | None = declare(
        RECORD, "Its location.", example={"id": "0loExample0000000001"}, default=None
    )
    accounting_class: Named | None = declare(
        RECORD, "Its accounting class.", example={"name": "Fairs"}, default=None
    )
    item: Named | None = declare(RECORD, "Its item.", example={"name": "Booth"}, default=None)
    vendor: Named | None = declare(
        RECORD, "The bill's vendor.", example={"name": "Parkway Printing"}, default=None
    )


def _check_rule(rule: RuleEntry, pointer: str, reading: Reading) -> None:
    if not conditions(rule):
        reading.add(
            pointer,
            "A rule needs a condition: account, department, location, accounting_class, item or "
            "vendor. For every other line, set catch_all_account in the policy.",
        )


def conditions(rule: RuleEntry) -> dict[str, Named]:
    """The records a rule names, by key."""
    named = {
        "account": rule.account,
        "department": rule.department,
        "location": rule.location,
        "accounting_class": rule.accounting_class,
        "item": rule.item,
        "vendor": rule.vendor,
    }
    return {key: value for key, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipEntry:
    """Bills with all that is named are left out."""

    name: str = declare(NAME, "The reason, as people read it.", example="Card clearing")
    vendor: Named | None = declare(
        RECORD, "The bill's vendor.", example={"name": "Moulins Lafleur"}, default=None
    )
    account: Named | None = declare(
        ACCOUNT, "Every line's account.", example={"number": "1990-100"}, default=None
    )
    invoice_number_prefix: str = declare(
        Text(longest=40), "How the invoice number begins.", example="CC-", default=""
    )


def _check_skip(skip: SkipEntry, pointer: str, reading: Reading) -> None:
    if not (skip.vendor or skip.account or skip.invoice_number_prefix):
        reading.add(
            pointer,
            "A skip rule needs a condition: vendor, account or invoice_number_prefix; without one "
            "it would leave out every bill.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEntry:
    """Which Sage vendor a BILL vendor is."""

    vendor: Named = declare(RECORD, "The vendor in BILL.", example={"name": "Prairie Mill & Grain"})
    sage_number: str = declare(
        Text(longest=VENDOR_NUMBER_LENGTH), "Its number in Sage.", example="PRAMIL"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAccountEntry:
    """The GL account of a vendor's lines that nothing else decides."""

    vendor: Named = declare(RECORD, "The vendor in BILL.", example={"id": "009CbkMarlowFreig001"})
    gl_account: str = declare(GL_ACCOUNT, "The account in Sage.", example="5060-100")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyEntry:
    """One BILL organization feeding one Sage 300 company database."""

    slug: str = declare(SLUG, "Its name in addresses.", example="bakery")
    name: str = declare(NAME, "Its name on pages.", example="Calder Bakery")
    time_zone: str = declare(
        Text(longest=64, check=_zone_fault), "Decides which day it is.", example="America/Chicago"
    )
    currency: str = declare(CURRENCY, "Its currency.", example="USD", default="USD")
    bill: BillEntry | None = declare(
        Part(BillEntry), "The way into BILL.", example=None, default=None
    )
    sage300: SageEntry | None = declare(
        Part(SageEntry), "The way into Sage 300.", example=None, default=None
    )
    policy: Json | None = declare(
        Free(policy_json_schema),
        "Its choices; keys left out keep what they are, or the default at first.",
        example=policy_to_dict(Policy(vendor_group="TRADE")),
        default=None,
    )
    vendor_links: tuple[LinkEntry, ...] = declare(
        Parts(Part(LinkEntry)), "Vendors linked by a person.", example=None, default=()
    )
    vendor_accounts: tuple[VendorAccountEntry, ...] = declare(
        Parts(Part(VendorAccountEntry)), "Default accounts by vendor.", example=None, default=()
    )
    group_accounts: dict[str, str] = declare(
        Texts(longest=GL_ACCOUNT_LENGTH),
        "Default accounts by Sage vendor group.",
        example={"TRADE": "5010-100"},
        default=dict,
    )
    mapping_rules: tuple[RuleEntry, ...] = declare(
        Parts(Part(RuleEntry, _check_rule)), "Which lines go where.", example=None, default=()
    )
    skip_rules: tuple[SkipEntry, ...] = declare(
        Parts(Part(SkipEntry, _check_skip)), "Which bills are left out.", example=None, default=()
    )
