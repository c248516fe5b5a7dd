from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.batching import (
    TAG_LENGTH,
    ReadyEntry,
    batch_tag,
    describe_batch,
    plan_batches,
    split,
)


def entry(id: str, day: int = 1, month: int = 11, **overrides: Any) -> ReadyEntry:
    values: dict[str, Any] = {
        "posting_id": id,
        "posting_date": date(2026, month, day),
        "year": "2026",
        "period": f"{month:02}",
        "currency": "USD",
        "amount": Decimal("1.10"),
    }
    return ReadyEntry(**{**values, **overrides})


def ids(entries: Any, size: int = 25) -> list[list[str]]:
    return [[e.posting_id for e in batch.entries] for batch in plan_batches(entries, size=size)]


@pytest.mark.parametrize(
    ("entries", "size", "planned"),
    [
        ([], 5, []),
        ([entry("b"), entry("a")], 5, [["a", "b"]]),
        ([entry("a", day=9), entry("b", day=2)], 5, [["b", "a"]]),
        ([entry("a"), entry("b"), entry("c")], 2, [["a", "b"], ["c"]]),
        ([entry("a", month=12), entry("b", month=11)], 5, [["b"], ["a"]]),
        ([entry("a"), entry("b", currency="CAD"), entry("c")], 5, [["a", "c"], ["b"]]),
        ([entry("a"), entry("b", year="2025", period="01")], 5, [["a"], ["b"]]),
        ([entry("a"), entry("b")], 1, [["a"], ["b"]]),
    ],
)
def test_a_batch_holds_one_period_and_currency_oldest_first(
    entries: list[ReadyEntry], size: int, planned: list[list[str]]
) -> None:
    assert ids(entries, size) == ids(entries[::-1], size) == planned


def test_a_batch_knows_the_total_sage_must_show() -> None:
    (batch,) = plan_batches([entry("a"), entry("b"), entry("c")], size=25)
    assert batch.total == Decimal("3.30")


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one invoice"):
        plan_batches([], size=0)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.builds(entry, st.uuids().map(str), st.integers(1, 28), st.integers(10, 12))),
    st.integers(1, 7),
)
def test_every_entry_travels_once_and_no_batch_is_too_large(
    entries: list[ReadyEntry], size: int
) -> None:
    batches = plan_batches(entries, size=size)
    travelling = [e for batch in batches for e in batch.entries]
    assert sorted(e.posting_id for e in travelling) == sorted(e.posting_id for e in entries)
    for batch in batches:
        assert 1 <= len(batch.entries) <= size
        assert {(e.year, e.period, e.currency) for e in batch.entries} == {
            (batch.year, batch.period, batch.currency)
        }


def test_the_tag_depends_on_what_is_in_the_batch_and_nothing_else() -> None:
    tag = batch_tag(company_id="c1", posting_ids=["b", "a"], round_number=1)
    assert tag == batch_tag(company_id="c1", posting_ids=["a", "b"], round_number=1)
    assert tag.startswith("MLC1-")
    assert len(tag) == TAG_LENGTH == 21
    others = {
        batch_tag(company_id="c2", posting_ids=["a", "b"], round_number=1),
        batch_tag(company_id="c1", posting_ids=["a"], round_number=1),
        batch_tag(company_id="c1", posting_ids=["a", "b"], round_number=2),
    }
    assert len(others | {tag}) == 4


@pytest.mark.parametrize(
    ("template", "company", "text"),
    [
        ("{tag} BILL {date}", "Calder", "MLC1-ABCDEFGHIJKLMNOP BILL 2026-11-23"),
        ("{company} {period} {tag}", "Calder", "Calder 2026-11 MLC1-ABCDEFGHIJKLMNOP"),
        ("{count} from BILL {tag}", "", "3 from BILL MLC1-ABCDEFGHIJKLMNOP"),
        ("{company} {tag}", "C" * 50, "MLC1-ABCDEFGHIJKLMNOP " + "C" * 38),
        ("{tag} {company}", "{date} 🎂", "MLC1-ABCDEFGHIJKLMNOP {date} ?"),
    ],
)
def test_a_description_fits_sage_and_holds_the_whole_tag(
    template: str, company: str, text: str
) -> None:
    described = describe_batch(
        template,
        tag="MLC1-ABCDEFGHIJKLMNOP",
        day=date(2026, 11, 23),
        count=3,
        company=company,
        year="2026",
        period="11",
    )
    assert described == text
    assert len(described) <= 60


@pytest.mark.parametrize(
    ("entries", "halves"),
    [
        ("", ()),
        ("a", (("a",),)),
        ("ab", (("a",), ("b",))),
        ("abcde", (("a", "b", "c"), ("d", "e"))),
    ],
)
def test_a_refused_batch_is_halved(entries: str, halves: tuple[tuple[str, ...], ...]) -> None:
    assert split(entries) == halves


@pytest.mark.parametrize("bad", range(25))
def test_halving_finds_one_bad_entry_within_the_bound(bad: int) -> None:
    posts, waiting, refused, taken = 0, [tuple(range(25))], [], []
    while waiting:
        batch = waiting.pop()
        posts += 1
        if bad not in batch:
            taken += batch
        elif len(batch) == 1:
            refused += batch
        else:
            waiting += split(batch)
    assert (refused, sorted([*taken, bad])) == ([bad], list(range(25)))
    assert posts <= 12
