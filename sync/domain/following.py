"""Following our entries in Sage until they are posted, batch by batch and only where one changed.

People edit, post, delete and move entries; posting moves bad ones to an error batch. One list of
headers tells which batches changed since they were last judged; those are read in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.sage300.types import BatchHeader
from sync.domain import releasing
from sync.domain.comparison import fingerprint
from sync.domain.facts import Facts, Fate

_FOLLOWED = frozenset({Fate.LANDED, Fate.DIFFERS, Fate.MOVED})


def to_follow(facts: Facts) -> tuple[int, ...]:
    """The batches in which an entry of these facts can still change."""
    return tuple(
        sorted(
            {
                place.batch_number
                for place in facts.places.values()
                if place.fate in _FOLLOWED and not place.is_posted and place.batch_number
            }
        )
    )


def listed(headers: Sequence[BatchHeader]) -> dict[int, str]:
    """How each batch of a list looks now, by number."""
    return {header.number: fingerprint(header) for header in headers}


def changed(facts: Facts, now: Mapping[int, str]) -> tuple[int, ...]:
    """The batches to follow that are no longer as they were read, or that Sage no longer lists.

    `now` is what `listed` made of headers that cover the whole range of `to_follow(facts)`.
    """
    return tuple(n for n in to_follow(facts) if n not in now or facts.prints.get(n) != now[n])


def follow(facts: Facts, numbers: tuple[int, ...]) -> Facts:
    """Settled facts opened again to read these batches; writes nothing to Sage but for strays."""
    return releasing.follow(facts, numbers)
