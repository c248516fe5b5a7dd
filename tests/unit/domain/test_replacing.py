"""`replace` copies a value whole, changes what it is told, and refuses what it does not know."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from sync.domain.facts import Facts, Place, Stage
from sync.domain.replacing import replace
from tests.unit.domain.sage_model import an_entry

FACTS = Facts(tag="MLC1-A", entries=(an_entry(),), watermark=7, places={"p1": Place(note="x")})


def test_it_changes_what_the_original_changes() -> None:
    changed = replace(FACTS, stage=Stage.SENT, sizes={3: 4})

    assert changed == dataclasses.replace(FACTS, stage=Stage.SENT, sizes={3: 4})
    assert FACTS.stage is Stage.LOOK
    assert hash(replace(FACTS.places["p1"], note="y")) != hash(FACTS.places["p1"])


def test_a_value_with_slots_goes_the_usual_way() -> None:
    assert replace(FACTS.entries[0], total=Decimal(3)).total == Decimal(3)


@pytest.mark.parametrize("value", [FACTS, FACTS.entries[0]])
def test_a_field_it_does_not_have_is_refused(value: Facts) -> None:
    with pytest.raises(TypeError, match="colour"):
        replace(value, colour="red")  # type: ignore[call-arg]
