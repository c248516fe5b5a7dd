from __future__ import annotations

from typing import Any

import pytest

from sync.domain.mapping_rules import LineFacts, MappingRule, best_rules

FACTS = LineFacts(
    vendor_id="v", item_id="i", class_id="c", location_id="l", department_id="d", account_id="a"
)


def rule(id: str, **conditions: str) -> MappingRule:
    return MappingRule(**{"gl_account": f"100{id}", **conditions, "id": id})


@pytest.mark.parametrize(
    ("rules", "winner"),
    [
        ([], None),
        ([rule("1", account_id="other")], None),
        ([rule("1")], None),
        ([rule("1", account_id="a")], "1"),
        ([rule("1", vendor_id="v"), rule("2", account_id="a", department_id="d")], "2"),
        ([rule("1", account_id="a"), rule("2", department_id="d")], "2"),
        ([rule("1", department_id="d"), rule("2", location_id="l")], "2"),
        ([rule("1", location_id="l"), rule("2", class_id="c")], "2"),
        ([rule("1", class_id="c"), rule("2", item_id="i")], "2"),
        ([rule("1", item_id="i"), rule("2", vendor_id="v")], "2"),
        (
            [
                rule("1", department_id="d", location_id="l"),
                rule("2", account_id="a", vendor_id="v"),
            ],
            "2",
        ),
        ([rule("1", account_id="a", department_id="x"), rule("2", account_id="a")], "2"),
    ],
)
def test_most_dimensions_win_then_the_most_telling_one(rules: Any, winner: str | None) -> None:
    for order in (rules, rules[::-1]):
        found = best_rules(order, FACTS)
        assert [r.id for r in found] == ([winner] if winner else [])


def test_only_the_same_conditions_with_other_accounts_contradict() -> None:
    same = [rule("2", account_id="a"), rule("1", account_id="a")]
    assert [r.id for r in best_rules(same, FACTS)] == ["1", "2"]
    agreeing = [
        rule("2", account_id="a", gl_account="10-00"),
        rule("1", account_id="a", gl_account="1000"),
    ]
    assert [r.id for r in best_rules(agreeing, FACTS)] == ["1"]
