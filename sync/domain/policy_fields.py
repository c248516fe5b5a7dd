"""The policy in words: what each field asks, and what follows from each answer.

Pages, the OpenAPI document, the JSON Schema and the provision command's example all read this
table, so a choice is explained in one place and cannot be explained in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from integrations.sage300.types import GL_ACCOUNT_LENGTH
from sync.domain import policy as p


class FieldKind(StrEnum):
    """How a field is asked and stored."""

    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    NUMBER = "number"
    TEXT = "text"
    NUMBER_MAP = "number_map"
    NUMBER_RULE = "number_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer, and what follows from it."""

    value: str
    label: str
    consequence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyField:
    """One field of `Policy`; `minimum` and `maximum` bound a number or a text's length."""

    name: str
    label: str
    question: str
    kind: FieldKind
    consequence: str = ""
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    enum: type[StrEnum] | None = None


def _choice(
    name: str, label: str, question: str, enum: type[StrEnum], answers: dict[str, tuple[str, str]]
) -> PolicyField:
    return PolicyField(
        name=name,
        label=label,
        question=question,
        kind=FieldKind.CHOICE,
        enum=enum,
        choices=tuple(
            Choice(value=value, label=text, consequence=consequence)
            for value, (text, consequence) in answers.items()
        ),
    )


def _text(name: str, label: str, question: str, consequence: str, maximum: int) -> PolicyField:
    return PolicyField(
        name=name,
        label=label,
        question=question,
        consequence=consequence,
        kind=FieldKind.TEXT,
        maximum=maximum,
    )


BILL_FIELDS = (
    _choice(
        "unassigned_bills",
        "Bills without an approver",
        "What about bills for which BILL has no approver?",
        p.UnassignedBills,
        {
            "leave": (
                "Leave them in BILL",
                "They are counted and shown, and go as soon as somebody approves them.",
            ),
            "post": (
                "Send them as if approved",
                "For firms that use no approvals. Nobody in BILL has to say yes.",
            ),
        },
    ),
    PolicyField(
        name="cutover_date",
        label="First day",
        question="From which day on are bills sent?",
        kind=FieldKind.DATE,
        consequence="Bills entered in BILL before this day wait on a list; you may send them one "
        "by one. Left empty, every approved bill is sent.",
    ),
    _choice(
        "review",
        "Who says yes",
        "Who says yes before a bill goes to Sage?",
        p.ReviewRule,
        {
            "auto": ("Nobody here", "Approved bills without a problem go with the next batch."),
            "review_all": ("A person, for every bill", "Bills wait in Review until approved here."),
        },
    ),
    _choice(
        "duplicate_rule",
        "Possible duplicates",
        "What about a second bill with the same vendor and invoice number?",
        p.DuplicateRule,
        {
            "review": ("Hold it and ask", "It waits in Review beside the first."),
            "suffix": (
                "Send it with a suffix",
                "The second becomes 1042-2 in Sage. A bill entered twice is then paid twice.",
            ),
        },
    ),
)

SAGE_FIELDS = (
    _choice(
        "release",
        "How a batch is left",
        "How is a batch left in Sage?",
        p.Release,
        {
            "open": ("Open", "Your staff can still edit it, and posts it in Sage."),
            "ready": (
                "Ready To Post",
                "Read back first. Your staff posts it in Sage; nobody edits it by accident.",
            ),
            "post": (
                "Posted",
                "Read back first, then posted. It is in the ledger; a mistake needs a credit note.",
            ),
        },
    ),
    _choice(
        "posting_date_rule",
        "Posting date",
        "Which posting date does an invoice get?",
        p.PostingDateRule,
        {
            "invoice_date": ("The bill's date", "The period is the one the vendor meant."),
            "approval_seen": (
                "The day the approval was seen",
                "Late approvals never fall into an old period.",
            ),
            "today": ("The day it is sent", "Sage shows the day the batch was made."),
        },
    ),
    _choice(
        "closed_period_rule",
        "Closed periods",
        "And when that period is closed?",
        p.ClosedPeriodRule,
        {
            "hold": ("Hold the bill", "It waits until the period is opened."),
            "next_open": (
                "Use the first open day",
                "The row says which period was closed and which day was taken.",
            ),
        },
    ),
    PolicyField(
        name="first_open_date",
        label="First open day",
        question="Which is the first day that is still open in Accounts Payable?",
        kind=FieldKind.DATE,
        consequence="Sage does not tell which periods are locked, so nothing is posted before this "
        "day. Left empty, Sage's own refusal decides.",
    ),
    PolicyField(
        name="batch_size",
        label="Batch size",
        question="How many invoices may one batch hold?",
        kind=FieldKind.NUMBER,
        minimum=p.SMALLEST_BATCH,
        maximum=p.LARGEST_BATCH,
        consequence="A smaller batch is easier to check; a larger one keeps Sage's list short.",
    ),
    _text(
        "batch_description",
        "Batch description",
        "What does a batch's description say?",
        "It may hold {tag}, {date}, {count}, {company} and {period}. {tag} is needed: by it we "
        "find our batches again.",
        60,
    ),
)

ACCOUNT_FIELDS = (
    _text(
        "catch_all_account",
        "Catch-all account",
        "Which GL account takes lines that nothing else maps?",
        "Left empty, such bills wait. With an account nothing waits, and somebody has to sort that "
        "account out before each close.",
        GL_ACCOUNT_LENGTH,
    ),
    _choice(
        "tax_rule",
        "Tax",
        "How is tax meant?",
        p.TaxRule,
        {
            "totals_are_owed": (
                "BILL's totals are what we owe",
                "No tax is computed; the invoice in Sage equals the bill to the cent.",
            ),
            "hold_tax_group": (
                "Hold vendors with a tax group",
                "Bills of vendors with a tax group in Sage wait for a person.",
            ),
        },
    ),
    PolicyField(
        name="currency",
        label="Currency",
        question="In which currency does this company post?",
        kind=FieldKind.TEXT,
        minimum=3,
        maximum=3,
        consequence="Bills in any other currency are held.",
    ),
)

VENDOR_FIELDS = (
    _choice(
        "vendor_creation",
        "New vendors",
        "What about a vendor that is not linked to one in Sage?",
        p.VendorCreation,
        {
            "person": ("Ask, every time", "Its bills wait until somebody links or creates it."),
            "create_new": (
                "Create it when nothing similar is there",
                "Number, group and terms come from the rules below. Anything similar still asks.",
            ),
        },
    ),
    _choice(
        "stored_number_rule",
        "Sage number in BILL",
        "Do you keep the Sage vendor number in BILL?",
        p.StoredNumberRule,
        {
            "nothing": ("No", "Only the number map links vendors by itself."),
            "short_name": ("Yes, as short name", "A short name that is a Sage number links."),
            "account_number": (
                "Yes, as account number",
                "An account number that is a Sage vendor number links.",
            ),
        },
    ),
    PolicyField(
        name="number_map",
        label="Number map",
        question="Which BILL vendors are which Sage vendors?",
        kind=FieldKind.NUMBER_MAP,
        consequence="A BILL vendor id, or its exact name, and the Sage vendor number it is.",
    ),
    PolicyField(
        name="vendor_number_rule",
        label="Vendor numbers",
        question="How are numbers of new vendors made?",
        kind=FieldKind.NUMBER_RULE,
        enum=p.NumberSource,
        choices=(
            Choice(value="name", label="Name", consequence="Letters and digits of the name."),
            Choice(
                value="account_number",
                label="Account number",
                consequence="BILL's account number, or the name where there is none.",
            ),
            Choice(
                value="short_name",
                label="Short name",
                consequence="BILL's short name, or the name where there is none.",
            ),
            Choice(value="counter", label="Counter", consequence="The next free number."),
        ),
        consequence="A number never changes once it is given.",
    ),
    _text(
        "vendor_group",
        "Vendor group",
        "Into which vendor group do new vendors go?",
        "Account set, currency and every default not given below come from the group.",
        p.SAGE_CODE_LENGTH,
    ),
    _text(
        "vendor_terms",
        "Terms",
        "Which terms do new vendors get?",
        "Left empty, the group's.",
        p.SAGE_CODE_LENGTH,
    ),
    _text(
        "vendor_tax_group",
        "Tax group",
        "Which tax group do new vendors get?",
        "Left empty, the group's.",
        p.TAX_GROUP_LENGTH,
    ),
    _text(
        "vendor_gl_account",
        "Default GL account",
        "Which GL account do vendors get as their default?",
        "Used for lines that no rule and no equal number maps. Left empty, the group's.",
        GL_ACCOUNT_LENGTH,
    ),
    PolicyField(
        name="owned_vendor_fields",
        label="Fields we may update",
        question="Which fields of a linked Sage vendor follow BILL and this policy?",
        kind=FieldKind.CHOICES,
        enum=p.VendorField,
        choices=(
            Choice(value="name", label="Name", consequence="Follows BILL."),
            Choice(value="short_name", label="Short name", consequence="Follows BILL."),
            Choice(value="address", label="Address", consequence="Follows BILL."),
            Choice(value="phone", label="Phone", consequence="Follows BILL."),
            Choice(value="email", label="E-mail", consequence="Follows BILL."),
            Choice(value="terms", label="Terms", consequence="Follows the terms above."),
            Choice(value="tax_group", label="Tax group", consequence="Follows the one above."),
            Choice(value="gl_account", label="Default GL account", consequence="Follows ours."),
        ),
        consequence="All others stay as they are in Sage. What is blank in BILL never erases.",
    ),
)

WHEN_FIELDS = (
    PolicyField(
        name="cadence_seconds",
        label="How often",
        question="How often is BILL read, in seconds?",
        kind=FieldKind.NUMBER,
        minimum=p.SHORTEST_CADENCE,
        maximum=p.LONGEST_CADENCE,
        consequence="Webhooks make us read sooner.",
    ),
)

POLICY_FIELDS = BILL_FIELDS + SAGE_FIELDS + ACCOUNT_FIELDS + VENDOR_FIELDS + WHEN_FIELDS
