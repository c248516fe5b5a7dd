"""What keeps a bill from Sage, or deserves a second look, in words and with the one who must act.

A problem is data: the same value becomes a row on a page, a line in a mail and a cause that many
bills share. `(code, subject)` is that cause, so mending it once lets all of them go on. Who acts
and how grave it is belong to the code and stand in one table; the sentence belongs to the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Acts(StrEnum):
    """On which side somebody must act."""

    HERE = "here"
    BILL = "bill"
    SAGE = "sage"
    IT = "it"

    @property
    def label(self) -> str:
        """The tag a page shows."""
        match self:
            case Acts.HERE:
                return "Mend it here"
            case Acts.BILL:
                return "Mend in BILL"
            case Acts.SAGE:
                return "Mend in Sage"
            case Acts.IT:
                return "Ask your IT"
            case _:
                assert_never(self)


class Severity(StrEnum):
    """Whether the bill is held, or goes on with a visible note."""

    HOLDS = "holds"
    WARNS = "warns"


class ProblemCode(StrEnum):
    """Every cause the domain can name."""

    # accounts
    ACCOUNT_UNMAPPED = "account_unmapped"
    LINE_WITHOUT_ACCOUNT = "line_without_account"
    BILL_ACCOUNT_UNKNOWN = "bill_account_unknown"
    BILL_ITEM_UNKNOWN = "bill_item_unknown"
    NUMBER_AMBIGUOUS = "number_ambiguous"
    RULES_TIE = "rules_tie"
    GL_MISSING = "gl_missing"
    GL_INACTIVE = "gl_inactive"
    GL_NOT_POSTABLE = "gl_not_postable"
    GL_CONTROL = "gl_control"
    CATCH_ALL_USED = "catch_all_used"
    OVERRIDE_UNUSED = "override_unused"
    # amounts
    NO_LINES = "no_lines"
    LINE_WITHOUT_AMOUNT = "line_without_amount"
    NO_TOTAL = "no_total"
    TOTALS_DIFFER = "totals_differ"
    ZERO_TOTAL = "zero_total"
    NEGATIVE_TOTAL = "negative_total"
    TOO_MANY_DECIMALS = "too_many_decimals"
    AMOUNT_TOO_LARGE = "amount_too_large"
    FOREIGN_CURRENCY = "foreign_currency"
    TAX_UNCLEAR = "tax_unclear"
    # texts and numbers
    NO_INVOICE_NUMBER = "no_invoice_number"
    INVOICE_NUMBER_TOO_LONG = "invoice_number_too_long"
    INVOICE_NUMBER_CHARACTERS = "invoice_number_characters"
    PO_NUMBER_TOO_LONG = "po_number_too_long"
    PO_NUMBER_CHARACTERS = "po_number_characters"
    TEXT_SHORTENED = "text_shortened"
    TEXT_CHARACTERS = "text_characters"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    NUMBER_HELD_ELSEWHERE = "number_held_elsewhere"
    SENT_UNDER_OTHER_NUMBER = "sent_under_other_number"
    # dates
    NO_INVOICE_DATE = "no_invoice_date"
    PERIOD_CLOSED = "period_closed"
    NO_OPEN_PERIOD = "no_open_period"
    OUTSIDE_CALENDAR = "outside_calendar"
    POSTING_DATE_MOVED = "posting_date_moved"
    # vendors
    VENDOR_NOT_LINKED = "vendor_not_linked"
    VENDOR_AMBIGUOUS = "vendor_ambiguous"
    VENDOR_TAKEN = "vendor_taken"
    VENDOR_MISSING_IN_SAGE = "vendor_missing_in_sage"
    VENDOR_ARCHIVED = "vendor_archived"
    VENDOR_INACTIVE = "vendor_inactive"
    VENDOR_ON_HOLD = "vendor_on_hold"
    VENDOR_GROUP_UNSET = "vendor_group_unset"
    VENDOR_NUMBERS_USED_UP = "vendor_numbers_used_up"
    VENDOR_FIELD_LEFT_OUT = "vendor_field_left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """What is true of every problem of one code; `title` heads a group of bills."""

    acts: Acts
    title: str
    severity: Severity = Severity.HOLDS


def _here(title: str) -> CodeFacts:
    return CodeFacts(acts=Acts.HERE, title=title)


def _bill(title: str) -> CodeFacts:
    return CodeFacts(acts=Acts.BILL, title=title)


def _sage(title: str) -> CodeFacts:
    return CodeFacts(acts=Acts.SAGE, title=title)


def _note(title: str, acts: Acts = Acts.HERE) -> CodeFacts:
    return CodeFacts(acts=acts, title=title, severity=Severity.WARNS)


CODES: Mapping[ProblemCode, CodeFacts] = {
    ProblemCode.ACCOUNT_UNMAPPED: _here("BILL account without a Sage account"),
    ProblemCode.LINE_WITHOUT_ACCOUNT: _bill("Line without an account"),
    ProblemCode.BILL_ACCOUNT_UNKNOWN: _bill("BILL account we have not read"),
    ProblemCode.BILL_ITEM_UNKNOWN: _bill("BILL item we have not read"),
    ProblemCode.NUMBER_AMBIGUOUS: _here("Account number that fits two Sage accounts"),
    ProblemCode.RULES_TIE: _here("Mapping rules that contradict each other"),
    ProblemCode.GL_MISSING: _here("GL account that is not in Sage"),
    ProblemCode.GL_INACTIVE: _sage("GL account that is inactive in Sage"),
    ProblemCode.GL_NOT_POSTABLE: _here("GL account that takes no postings"),
    ProblemCode.GL_CONTROL: _here("Control account"),
    ProblemCode.CATCH_ALL_USED: _note("Catch-all account used"),
    ProblemCode.OVERRIDE_UNUSED: _note("Account chosen for a line that is gone"),
    ProblemCode.NO_LINES: _bill("Bill without lines"),
    ProblemCode.LINE_WITHOUT_AMOUNT: _bill("Line without an amount"),
    ProblemCode.NO_TOTAL: _bill("Bill without a total"),
    ProblemCode.TOTALS_DIFFER: _bill("Lines that do not add up to the bill"),
    ProblemCode.ZERO_TOTAL: _bill("Bill with a total of 0.00"),
    ProblemCode.NEGATIVE_TOTAL: _bill("Bill with a negative total"),
    ProblemCode.TOO_MANY_DECIMALS: _bill("Amount finer than its currency"),
    ProblemCode.AMOUNT_TOO_LARGE: _bill("Amount Sage has no room for"),
    ProblemCode.FOREIGN_CURRENCY: _here("Bill in another currency"),
    ProblemCode.TAX_UNCLEAR: _here("Vendor with a tax group"),
    ProblemCode.NO_INVOICE_NUMBER: _bill("Bill without an invoice number"),
    ProblemCode.INVOICE_NUMBER_TOO_LONG: _bill("Invoice number too long for Sage"),
    ProblemCode.INVOICE_NUMBER_CHARACTERS: _bill("Invoice number Sage cannot store"),
    ProblemCode.PO_NUMBER_TOO_LONG: _bill("Purchase order number too long for Sage"),
    ProblemCode.PO_NUMBER_CHARACTERS: _bill("Purchase order number Sage cannot store"),
    ProblemCode.TEXT_SHORTENED: _note("Text shortened", Acts.BILL),
    ProblemCode.TEXT_CHARACTERS: _note("Characters Sage cannot store", Acts.BILL),
    ProblemCode.POSSIBLE_DUPLICATE: _here("Possible duplicate"),
    ProblemCode.NUMBER_HELD_ELSEWHERE: _here("Number used by another company of this Sage"),
    ProblemCode.SENT_UNDER_OTHER_NUMBER: _here("Sent before under another number"),
    ProblemCode.NO_INVOICE_DATE: _bill("Bill without an invoice date"),
    ProblemCode.PERIOD_CLOSED: _sage("Fiscal period closed"),
    ProblemCode.NO_OPEN_PERIOD: _sage("No open fiscal period"),
    ProblemCode.OUTSIDE_CALENDAR: _sage("Date outside Sage's fiscal calendar"),
    ProblemCode.POSTING_DATE_MOVED: _note("Posting date moved"),
    ProblemCode.VENDOR_NOT_LINKED: _here("Vendor not linked"),
    ProblemCode.VENDOR_AMBIGUOUS: _here("Vendor that fits several in Sage"),
    ProblemCode.VENDOR_TAKEN: _here("Sage vendor already linked"),
    ProblemCode.VENDOR_MISSING_IN_SAGE: _here("Vendor number that is not in Sage"),
    ProblemCode.VENDOR_ARCHIVED: _bill("Vendor archived in BILL"),
    ProblemCode.VENDOR_INACTIVE: _sage("Vendor inactive in Sage"),
    ProblemCode.VENDOR_ON_HOLD: _note("Vendor on hold in Sage", Acts.SAGE),
    ProblemCode.VENDOR_GROUP_UNSET: _here("No vendor group chosen"),
    ProblemCode.VENDOR_NUMBERS_USED_UP: _here("No vendor number left"),
    ProblemCode.VENDOR_FIELD_LEFT_OUT: _note("Vendor field left out", Acts.BILL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One cause in one case.

    `subject` is the id of what the cause is about (a BILL account id, a GL account number, a rule
    id), "" where the bill itself is meant; `subject_name` is what people call it.
    """

    code: ProblemCode
    sentence: str
    acts: Acts
    severity: Severity
    subject: str = ""
    subject_name: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bill waits until this is mended."""
        return self.severity is Severity.HOLDS


def problem(
    code: ProblemCode, sentence: str, *, subject: str = "", subject_name: str = ""
) -> Problem:
    """Make a problem whose side and severity are its code's."""
    facts = CODES[code]
    return Problem(
        code=code,
        sentence=sentence,
        acts=facts.acts,
        severity=facts.severity,
        subject=subject,
        subject_name=subject_name,
    )


def problem_to_dict(value: Problem) -> dict[str, str]:
    """Plain strings, for a JSON column."""
    return {
        "code": value.code.value,
        "sentence": value.sentence,
        "acts": value.acts.value,
        "severity": value.severity.value,
        "subject": value.subject,
        "subject_name": value.subject_name,
    }


def problem_from_dict(stored: Mapping[str, str]) -> Problem:
    """The reverse; raises KeyError or ValueError on what `problem_to_dict` never wrote."""
    return Problem(
        code=ProblemCode(stored["code"]),
        sentence=stored["sentence"],
        acts=Acts(stored["acts"]),
        severity=Severity(stored["severity"]),
        subject=stored["subject"],
        subject_name=stored["subject_name"],
    )
