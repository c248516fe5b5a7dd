import pytest

from integrations.bill.types import ListItem, ListKind
from integrations.sage300.types import GLAccount
from sync.domain.account_targets import find_target, suggest_accounts, usable
from sync.domain.gl_accounts import SageAccounts
from sync.domain.problems import Problem, ProblemCode


def gl(number: str, description: str = "", **more: object) -> GLAccount:
    return GLAccount(
        number=number.replace("-", ""), formatted=number, description=description, **more
    )


ACCOUNTS = SageAccounts.of(
    [
        gl("6420-100", "Events and trade shows"),
        gl("6410-100", "Advertising"),
        gl("6320-300", "Fuel", is_active=False),
        gl("2010-100", "Accounts payable", is_control=True),
        gl("6000-000", "All expenses", is_rollup=True),
        gl("7000-1", "Twin"),
        gl("700-01", "Twin"),
    ]
)


@pytest.mark.parametrize("number", ["6420-100", "6420100", " 6420-100"])
def test_a_target_is_found_in_any_spelling(number: str) -> None:
    found = find_target(number, ACCOUNTS, origin="a rule")

    assert isinstance(found, GLAccount)
    assert found.formatted == "6420-100"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("9999", ProblemCode.GL_MISSING),
        ("6320-300", ProblemCode.GL_INACTIVE),
        ("2010-100", ProblemCode.GL_CONTROL),
        ("6000-000", ProblemCode.GL_NOT_POSTABLE),
        ("70001", ProblemCode.NUMBER_AMBIGUOUS),
    ],
)
def test_a_target_sage_would_refuse_is_a_problem(number: str, code: ProblemCode) -> None:
    found = find_target(number, ACCOUNTS, origin="a rule")

    assert isinstance(found, Problem)
    assert found.code is code


def test_only_accounts_that_take_an_invoice_are_offered() -> None:
    assert [account.formatted for account in usable(ACCOUNTS)] == [
        "6410-100",
        "6420-100",
        "700-01",
        "7000-1",
    ]


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("Trade Shows", "", [("6420-100", "by name")]),
        ("Something else", "6410", [("6410-100", "by number")]),
        ("Advertising expense", "", [("6410-100", "by name")]),
        ("Fuel", "", []),
        ("Moon landings", "", []),
    ],
)
def test_suggestions_are_by_number_then_by_name(
    name: str, number: str, expected: list[tuple[str, str]]
) -> None:
    item = ListItem(kind=ListKind.ACCOUNT, id="x", name=name, number=number)

    found = suggest_accounts(item, usable(ACCOUNTS))

    assert [(one.account.formatted, one.evidence) for one in found] == expected
