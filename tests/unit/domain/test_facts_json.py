"""What is stored between two commands comes back as it was."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal

import pytest

from integrations.sage300.types import BatchStatus
from sync.domain.commands import Created, Lost, Refused, Resumed
from sync.domain.facts import Facts, Fate, Look, Outcome, Place, Rival, Sighting, Stage
from sync.domain.facts_json import from_json, to_json
from sync.domain.policy import Release
from tests.unit.domain.sage_model import (
    NONE_POSTED,
    NOW,
    TAG,
    Story,
    a_batch,
    a_header,
    an_entry,
    entries,
    headers,
    read,
)

SIGHTING = Sighting(
    posting_id="p1", batch_number=58, entry_number=1, document_number="INV-1",
    status=BatchStatus.OPEN, differences=("total 1.00 sent, 2.00 in Sage",),
)  # fmt: skip

FULL = Facts(
    tag=TAG,
    entries=(an_entry(1, total=Decimal("0.10")),),
    watermark=57,
    highest=60,
    release=Release.POST,
    stage=Stage.CLEAN,
    places={"p1": Place(fate=Fate.DIFFERS, batch_number=58, differences=("a", "b"))},
    groups=(("p1", "p2"), ("p3",)),
    sending=("p1",),
    look=Look(
        are_headers_read=True,
        to_read=(58, 59),
        asked_posted=("p1",),
        sightings=(SIGHTING,),
        rivals=(Rival(posting_id="p1", batch_number=3, entry_number=4, how="posted"),),
    ),
    sizes={58: 25},
    own_numbers=(58,),
    outcome=Outcome.LOST,
    strays=(SIGHTING,),
    suspects=(60,),
    stray_notes={"p1": ("Delete it.",)},
    to_release=(58,),
    statuses={58: "Open"},
    prints={58: "25|x"},
    release_notes={58: "Waits."},
    foreign={58: 1},
    held={58: "Held."},
    settle_until=NOW,
    not_before=NOW,
)


def through(facts: Facts) -> Facts:
    return from_json(json.loads(json.dumps(to_json(facts))))


def test_everything_comes_back() -> None:
    assert through(FULL) == FULL


@pytest.mark.parametrize("amount", ["0.10", "1E+2", "-0.001", "99999999999.999"])
def test_amounts_keep_every_digit(amount: str) -> None:
    facts = replace(FULL, entries=(an_entry(1, total=Decimal(amount)),))

    assert str(through(facts).entries[0].total) == amount


def test_what_stands_at_its_default_is_left_out() -> None:
    data = to_json(Facts(tag=TAG, entries=entries(1), watermark=57))

    assert "sending" not in data
    assert {"tag", "entries", "watermark"} <= set(data)


def test_a_key_of_a_newer_version_is_refused() -> None:
    with pytest.raises(TypeError):
        from_json(to_json(FULL) | {"novelty": 1})


def test_a_story_told_through_json_goes_the_same_way() -> None:
    answers = [
        Lost(why="Lost."), headers(a_header(57), a_header(58)), read(a_batch(58, entries(1))),
        NONE_POSTED,
    ]  # fmt: skip
    straight, stored = Story(2).to_post(), Story(2).to_post()

    for answer in answers:
        straight.tell(answer)
        stored.facts = through(stored.facts)
        stored.tell(answer)

    assert stored.commands == straight.commands
    assert stored.facts == straight.facts


def test_every_kind_of_answer_leaves_facts_that_can_be_stored() -> None:
    for answer in (Created(number=58), Refused(sentence="No.", words="No."), Resumed()):
        story = Story(2).to_post()
        story.tell(answer)
        assert through(story.facts) == story.facts


def test_every_field_of_facts_has_a_default_but_three() -> None:
    needed = [f.name for f in fields(Facts) if f.name not in to_json(FULL)]

    assert not set(needed) & {"tag", "entries", "watermark"}
