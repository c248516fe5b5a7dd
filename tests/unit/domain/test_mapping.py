from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.bill.types import Coding
from integrations.sage300.types import TaxControl
from sync.domain.line_accounts import AccountSource
from sync.domain.mapping import Mapped, MappedLine, Unmapped, map_bill, to_invoice
from sync.domain.mapping_rules import MappingRule
from sync.domain.policy import Policy, TaxRule
from sync.domain.problems import Acts, ProblemCode
from tests.unit.domain.values import (
    a_bill,
    a_bill_of,
    a_bill_vendor,
    a_catalogue,
    a_line,
    a_sage_vendor,
    an_account,
)


def translate(bill: Any = None, **overrides: Any) -> Mapped | Unmapped:
    desk: dict[str, Any] = {
        "vendor": a_sage_vendor(),
        "bill_vendor": a_bill_vendor(),
        "catalogue": a_catalogue(),
        "rules": (),
        "policy": Policy(),
    }
    return map_bill(bill or a_bill(), **{**desk, **overrides})


def mapped(bill: Any = None, **overrides: Any) -> Mapped:
    outcome = translate(bill, **overrides)
    assert isinstance(outcome, Mapped), outcome
    return outcome


def line_of(bill: Any = None, **overrides: Any) -> MappedLine:
    (line,) = mapped(bill, **overrides).lines
    return line


def causes(bill: Any = None, **overrides: Any) -> list[str]:
    outcome = translate(bill, **overrides)
    assert isinstance(outcome, Unmapped), outcome
    return [problem.code.value for problem in outcome.problems]


def sentence(bill: Any = None, **overrides: Any) -> str:
    outcome = translate(bill, **overrides)
    assert isinstance(outcome, Unmapped), outcome
    (problem,) = outcome.problems
    return problem.sentence


def warnings(bill: Any = None, **overrides: Any) -> list[str]:
    return [problem.sentence for problem in translate(bill, **overrides).warnings]


TABLE = MappingRule(id="1", gl_account="6120-100", account_id="0caUtil")
OFFICE = MappingRule(id="7", gl_account="6120200", account_id="0caUtil", department_id="0deOffice")
UTILITIES = a_bill_of(a_line(account_id="0caUtil", department_id="0deOffice"))
DEFAULT = a_sage_vendor(gl_account="5060100", distribution_type="GLAccount")
CATCH_ALL = Policy(catch_all_account="6120-100")


@pytest.mark.parametrize(
    ("bill", "desk", "account", "source", "reason"),
    [
        (
            UTILITIES,
            {"overrides": {"bli1": "5060-100"}, "rules": (OFFICE, TABLE), "vendor": DEFAULT},
            "5060-100",
            AccountSource.OVERRIDE,
            "Override: chosen for this bill",
        ),
        (
            UTILITIES,
            {"rules": (TABLE, OFFICE), "vendor": DEFAULT, "policy": CATCH_ALL},
            "6120-200",
            AccountSource.RULE,
            "Rule: Utilities + Office",
        ),
        (
            UTILITIES,
            {"rules": (TABLE,)},
            "6120-100",
            AccountSource.RULE,
            "Table: Utilities",
        ),
        (
            a_bill_of(a_line(account_id="0caFlour")),
            {"rules": (MappingRule(id="2", gl_account="5060-100", vendor_id="009Mill"),)},
            "5060-100",
            AccountSource.RULE,
            "Rule: Prairie Mill & Grain",
        ),
        (
            a_bill_of(a_line(account_id="0caFlour")),
            {"vendor": DEFAULT, "policy": CATCH_ALL},
            "5010-100",
            AccountSource.SAME_NUMBER,
            "Same number in Sage",
        ),
        (
            a_bill_of(a_line(account_id="0caTolls")),
            {},
            "6330-300",
            AccountSource.SAME_NUMBER,
            "Same number in Sage",
        ),
        (
            a_bill_of(a_line(item_id="0iiSack")),
            {"vendor": DEFAULT},
            "5010-100",
            AccountSource.SAME_NUMBER,
            "Same number in Sage, by the account of item Flour sack",
        ),
        (
            a_bill_of(a_line(item_id="0iiBare"), coding=Coding(account_id="0caTolls")),
            {"vendor": DEFAULT},
            "6330-300",
            AccountSource.SAME_NUMBER,
            "Same number in Sage, by the account of the bill",
        ),
        (
            a_bill_of(a_line(department_id="0dePlant"), coding=Coding(item_id="0iiSack")),
            {"vendor": DEFAULT},
            "5010-100",
            AccountSource.SAME_NUMBER,
            "Same number in Sage, by the account of item Flour sack",
        ),
        (
            a_bill_of(a_line(account_id="0caUtil"), coding=Coding(department_id="0deOffice")),
            {"rules": (TABLE, OFFICE)},
            "6120-200",
            AccountSource.RULE,
            "Rule: Utilities + Office",
        ),
        (
            a_bill_of(a_line(account_id="0caShows")),
            {"vendor": DEFAULT, "policy": CATCH_ALL},
            "5060-100",
            AccountSource.VENDOR_DEFAULT,
            "Vendor default of PRAMIL in Sage",
        ),
        (
            a_bill_of(a_line(account_id="0caShows")),
            {"policy": CATCH_ALL},
            "6120-100",
            AccountSource.CATCH_ALL,
            "Catch-all account",
        ),
        (
            a_bill_of(a_line(account_id="0caShows")),
            {
                "vendor": a_sage_vendor(gl_account="5060100", distribution_type="DistributionSet"),
                "policy": CATCH_ALL,
            },
            "6120-100",
            AccountSource.CATCH_ALL,
            "Catch-all account",
        ),
        (
            a_bill_of(a_line(account_id="0caNew")),
            {"rules": (MappingRule(id="3", gl_account="5060-100", account_id="0caNew"),)},
            "5060-100",
            AccountSource.RULE,
            "Table: 0caNew",
        ),
    ],
)
def test_the_first_source_that_names_an_account_decides_and_says_so(
    bill: Any, desk: dict[str, Any], account: str, source: AccountSource, reason: str
) -> None:
    line = line_of(bill, **desk)
    assert (line.formatted, line.source, line.reason) == (account, source, reason)


@pytest.mark.parametrize(
    ("bill", "desk", "code"),
    [
        (a_bill_of(a_line(account_id="0caShows")), {}, ProblemCode.ACCOUNT_UNMAPPED),
        (a_bill_of(a_line(account_id="0caTruck")), {}, ProblemCode.ACCOUNT_UNMAPPED),
        (a_bill_of(a_line(account_id="0caNew")), {}, ProblemCode.BILL_ACCOUNT_UNKNOWN),
        (
            a_bill_of(a_line(account_id="0caNew")),
            {"vendor": DEFAULT, "policy": CATCH_ALL},
            ProblemCode.BILL_ACCOUNT_UNKNOWN,
        ),
        (a_bill_of(a_line(item_id="0iiNew")), {"vendor": DEFAULT}, ProblemCode.BILL_ITEM_UNKNOWN),
        (a_bill_of(a_line(department_id="0dePlant")), {}, ProblemCode.LINE_WITHOUT_ACCOUNT),
        (a_bill_of(a_line(account_id="0caFuel")), {"vendor": DEFAULT}, ProblemCode.GL_INACTIVE),
        (a_bill_of(a_line(account_id="0caSuspense")), {}, ProblemCode.GL_NOT_POSTABLE),
        (a_bill_of(a_line(account_id="0caPayable")), {}, ProblemCode.GL_CONTROL),
        (a_bill(), {"overrides": {"bli1": "6800-100"}}, ProblemCode.GL_NOT_POSTABLE),
        (a_bill(), {"overrides": {"bli1": "4711"}}, ProblemCode.GL_MISSING),
        (
            UTILITIES,
            {"rules": (MappingRule(id="9", gl_account="7000", account_id="0caUtil"),)},
            ProblemCode.GL_MISSING,
        ),
        (
            UTILITIES,
            {
                "rules": (
                    TABLE,
                    MappingRule(id="2", gl_account="6120-200", account_id="0caUtil"),
                )
            },
            ProblemCode.RULES_TIE,
        ),
        (
            a_bill_of(a_line(account_id="0caTolls")),
            {"catalogue": a_catalogue(an_account("63-30300", number="63-30300"))},
            None,
        ),
        (
            a_bill(),
            {
                "overrides": {"bli1": "63303 00"},
                "catalogue": a_catalogue(an_account("63-30300", number="63-30300")),
            },
            ProblemCode.NUMBER_AMBIGUOUS,
        ),
    ],
)
def test_a_line_whose_account_cannot_be_used_holds_the_bill(
    bill: Any, desk: dict[str, Any], code: ProblemCode | None
) -> None:
    if code is None:
        assert line_of(bill, **desk).formatted == "6330-300"
    else:
        assert causes(bill, **desk) == [code]


def test_rules_that_agree_on_conditions_and_account_do_not_contradict() -> None:
    twin = MappingRule(id="0", gl_account="6120 100", account_id="0caUtil")
    assert line_of(UTILITIES, rules=(TABLE, twin)).rule_id == "0"


@pytest.mark.parametrize(
    ("bill", "desk", "code"),
    [
        (a_bill(lines=()), {}, ProblemCode.NO_LINES),
        (a_bill(lines=(a_line(None),)), {}, ProblemCode.LINE_WITHOUT_AMOUNT),
        (a_bill(lines=(a_line("NaN"),)), {}, ProblemCode.LINE_WITHOUT_AMOUNT),
        (a_bill(amount=None), {}, ProblemCode.NO_TOTAL),
        (a_bill(amount="100.01"), {}, ProblemCode.TOTALS_DIFFER),
        (a_bill(amount="99.99"), {}, ProblemCode.TOTALS_DIFFER),
        (a_bill_of(a_line("5"), a_line("-5", id="bli2")), {}, ProblemCode.ZERO_TOTAL),
        (a_bill_of(a_line("-5.00")), {}, ProblemCode.NEGATIVE_TOTAL),
        (a_bill_of(a_line("1e16")), {}, ProblemCode.AMOUNT_TOO_LARGE),
        (
            a_bill_of(a_line("1.005"), a_line("1.005", id="bli2")),
            {},
            ProblemCode.TOO_MANY_DECIMALS,
        ),
        (a_bill(), {"bill_vendor": a_bill_vendor(currency="CAD")}, ProblemCode.FOREIGN_CURRENCY),
        (a_bill(), {"vendor": a_sage_vendor(currency="CAD")}, ProblemCode.FOREIGN_CURRENCY),
        (
            a_bill(exchange_rate=Decimal("1.3")),
            {"bill_vendor": a_bill_vendor(currency="")},
            ProblemCode.FOREIGN_CURRENCY,
        ),
        (
            a_bill(),
            {
                "vendor": a_sage_vendor(tax_group="ONTHST"),
                "policy": Policy(tax_rule=TaxRule.HOLD_TAX_GROUP),
            },
            ProblemCode.TAX_UNCLEAR,
        ),
        (a_bill(), {"vendor": a_sage_vendor(is_active=False)}, ProblemCode.VENDOR_INACTIVE),
        (a_bill(invoice_date=None), {}, ProblemCode.NO_INVOICE_DATE),
        (a_bill(invoice_number=" "), {}, ProblemCode.NO_INVOICE_NUMBER),
        (a_bill(invoice_number="A" * 23), {}, ProblemCode.INVOICE_NUMBER_TOO_LONG),
        (a_bill(invoice_number="PM-1🎂"), {}, ProblemCode.INVOICE_NUMBER_CHARACTERS),
        (a_bill(purchase_order_number="P" * 23), {}, ProblemCode.PO_NUMBER_TOO_LONG),
        (a_bill(purchase_order_number="PO-1🎂"), {}, ProblemCode.PO_NUMBER_CHARACTERS),
    ],
)
def test_what_would_have_to_be_guessed_or_changed_is_held(
    bill: Any, desk: dict[str, Any], code: ProblemCode
) -> None:
    assert causes(bill, **desk) == [code]


def test_all_problems_of_a_bill_are_told_at_once_and_each_once() -> None:
    bill = a_bill(
        invoice_number="A" * 23,
        invoice_date=None,
        amount="7.00",
        lines=(
            a_line("1.00", account_id="0caShows"),
            a_line("2.00", id="bli2", account_id="0caShows"),
            a_line(None, id="bli3", account_id="0caFuel"),
        ),
    )
    assert causes(bill) == [
        ProblemCode.INVOICE_NUMBER_TOO_LONG,
        ProblemCode.NO_INVOICE_DATE,
        ProblemCode.LINE_WITHOUT_AMOUNT,
        ProblemCode.ACCOUNT_UNMAPPED,
        ProblemCode.GL_INACTIVE,
    ]


@pytest.mark.parametrize(
    ("bill", "desk", "words"),
    [
        (
            a_bill_of(a_line(account_id="0caShows")),
            {},
            "BILL account Trade Shows leads to no Sage account: no rule names it and it has no "
            "number in BILL. Map it here.",
        ),
        (
            a_bill_of(a_line(account_id="0caTruck")),
            {},
            "BILL account Old Catering Truck 6999-100 (archived) leads to no Sage account: no rule "
            "names it and Sage has no account 6999-100. Map it here.",
        ),
        (
            a_bill_of(a_line(account_id="0caFuel")),
            {},
            "GL account 6320-300 Fuel is inactive in Sage (Same number in Sage). Choose another "
            "here, or reactivate it in Sage.",
        ),
        (
            a_bill(amount="1205.90"),
            {},
            "The bill says 1,205.90, its lines add up to 100.00. Correct it in BILL.",
        ),
        (
            a_bill(lines=(a_line(None), a_line(None, id="bli2"))),
            {},
            "Lines 1 and 2 have no amount. Enter it in BILL.",
        ),
        (
            a_bill(invoice_number="PM-1🎂"),
            {},
            "Sage cannot store “🎂” in an invoice number (“PM-1🎂”). Correct the number in BILL.",
        ),
    ],
)
def test_a_problem_says_what_why_and_who_acts(bill: Any, desk: dict[str, Any], words: str) -> None:
    assert sentence(bill, **desk) == words


def test_bills_that_share_a_cause_share_its_subject() -> None:
    outcome = translate(a_bill_of(a_line(account_id="0caShows")))
    assert isinstance(outcome, Unmapped)
    (problem,) = outcome.problems
    assert (problem.subject, problem.subject_name, problem.acts) == (
        "0caShows",
        "Trade Shows",
        Acts.HERE,
    )


def test_negative_lines_go_as_they_are() -> None:
    bill = a_bill_of(a_line("120.00"), a_line("-20.00", id="bli2"))
    assert [line.amount for line in mapped(bill).lines] == [Decimal("120.00"), Decimal("-20.00")]


@pytest.mark.parametrize(
    ("currency", "amount", "sent"),
    [("USD", "10.5", "10.50"), ("JPY", "1050", "1050"), ("KWD", "1.005", "1.005")],
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, amount: str, sent: str) -> None:
    outcome = mapped(
        a_bill_of(a_line(amount)),
        vendor=a_sage_vendor(currency=currency),
        bill_vendor=a_bill_vendor(currency=currency),
        policy=Policy(currency=currency),
    )
    assert str(outcome.total) == str(outcome.lines[0].amount) == sent


def test_a_vendor_without_a_currency_counts_as_domestic() -> None:
    assert mapped(bill_vendor=a_bill_vendor(currency="")).total == Decimal("100.00")
    assert mapped(bill_vendor=None).total == Decimal("100.00")


@pytest.mark.parametrize(
    ("description", "sent", "words"),
    [
        ("Flour,\n  25 kg", "Flour, 25 kg", []),
        ("Café “Größe” 5 €", "Café “Größe” 5 €", []),
        (
            "x" * 61,
            "x" * 60,
            ["The description of line 1 is shortened to Sage's 60 characters."],
        ),
        (
            "Dvořák 🎂 cake",
            "Dvorák ? cake",
            [
                "The description of line 1: Sage cannot store “ř” and “🎂”; it stands there "
                "replaced."
            ],
        ),
        ("left\u200eright", "leftright", []),
    ],
)
def test_a_description_is_fitted_in_sight(description: str, sent: str, words: list[str]) -> None:
    bill = a_bill_of(a_line(description=description, account_id="0caFlour"))
    assert line_of(bill).description == sent
    assert warnings(bill) == words


def test_a_shortened_description_stands_whole_in_the_comment() -> None:
    text = "Flour type 550 in sacks of 25 kilograms, delivered to the back door of the bakery"
    line = line_of(a_bill_of(a_line(description=text, account_id="0caFlour")))
    assert line.comment == text


def test_what_the_account_does_not_express_is_listed_and_kept_in_the_comment() -> None:
    coding = {"account_id": "0caUtil", "department_id": "0deOffice", "location_id": "locEast"}
    bill = a_bill_of(a_line(**coding), coding=Coding(class_id="clsBread"))
    by_rule = line_of(bill, rules=(OFFICE,))
    assert by_rule.not_carried == ("Location East", "Class Bread")
    assert by_rule.comment == "Location East; Class Bread"
    assert line_of(bill, rules=(TABLE,)).not_carried == (
        "Department Office",
        "Location East",
        "Class Bread",
    )


@pytest.mark.parametrize(
    ("bill", "desk", "words"),
    [
        (
            a_bill_of(a_line(account_id="0caShows")),
            {"policy": CATCH_ALL},
            "Line 1, 100.00, goes to the catch-all account 6120-100, since nothing else maps it.",
        ),
        (
            a_bill(),
            {"vendor": a_sage_vendor(is_on_hold=True)},
            "Vendor PRAMIL Prairie Mill & Grain is on hold in Sage: the invoice is entered, and "
            "Sage will not pay it until the hold is lifted.",
        ),
        (
            a_bill(),
            {"overrides": {"bliGone": "5060-100"}},
            "An account was chosen here for a line that is no longer on the bill; it is not used.",
        ),
    ],
)
def test_what_deserves_a_look_is_said_and_does_not_hold(
    bill: Any, desk: dict[str, Any], words: str
) -> None:
    assert warnings(bill, **desk) == [words]
    assert mapped(bill, **desk).warnings


@pytest.mark.parametrize(
    ("rule", "control"),
    [(TaxRule.TOTALS_ARE_OWED, TaxControl.ENTER), (TaxRule.HOLD_TAX_GROUP, None)],
)
def test_tax_is_entered_as_zero_only_where_totals_are_owed(
    rule: TaxRule, control: TaxControl | None
) -> None:
    assert mapped(policy=Policy(tax_rule=rule)).tax_control == control


def test_the_invoice_carries_the_identity_allotted_and_nothing_else_of_its_own() -> None:
    bill = a_bill(description="November", purchase_order_number="po-7")
    invoice = to_invoice(
        mapped(bill),
        bill=bill,
        vendor_number="PRAMIL",
        document_number="PM-48211-2",
        order_number="00NBILL1",
        posting_date=date(2026, 12, 1),
    )
    assert (invoice.document_number, invoice.order_number) == ("PM-48211-2", "00NBILL1")
    assert (invoice.document_date, invoice.posting_date, invoice.due_date) == (
        date(2026, 11, 23),
        date(2026, 12, 1),
        date(2026, 12, 23),
    )
    assert (invoice.description, invoice.po_number) == ("November", "PO-7")
    assert [(line.gl_account, line.amount) for line in invoice.details] == [
        ("5010100", Decimal("100.00"))
    ]
    assert invoice.total == Decimal("100.00")


cents = st.integers(min_value=-10_000_000, max_value=10_000_000)


@settings(max_examples=30, deadline=None)
@given(st.lists(cents, min_size=1, max_size=20).filter(lambda amounts: sum(amounts) > 0))
def test_whatever_the_lines_the_invoice_adds_up_to_the_bill_to_the_cent(amounts: list[int]) -> None:
    lines = [a_line(str(Decimal(c) / 100), id=f"bli{n}") for n, c in enumerate(amounts)]
    outcome = mapped(a_bill_of(*lines))
    assert (
        sum(line.amount for line in outcome.lines) == outcome.total == Decimal(sum(amounts)) / 100
    )


dimension = st.sampled_from(["", "a", "b"])
rule_sets = st.lists(
    st.builds(
        MappingRule,
        id=st.uuids().map(str),
        gl_account=st.sampled_from(["5010-100", "5060-100", "6120-100"]),
        account_id=st.sampled_from(["", "0caUtil"]),
        department_id=dimension,
        location_id=dimension,
        vendor_id=st.sampled_from(["", "009Mill"]),
    ),
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(rule_sets, st.randoms(use_true_random=False))
def test_the_order_in_which_rules_are_stored_changes_nothing(
    rules: list[MappingRule], shuffle: Any
) -> None:
    bill = a_bill_of(a_line(account_id="0caUtil", department_id="a", location_id="b"))
    shuffled = list(rules)
    shuffle.shuffle(shuffled)
    assert translate(bill, rules=rules) == translate(bill, rules=shuffled)
