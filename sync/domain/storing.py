"""When the facts must be stored before the protocol goes on."""

from __future__ import annotations

from typing import get_args

from sync.domain.commands import Command, Read
from sync.domain.facts import Facts, Stage

_LOOKING = frozenset({Stage.LOOK, Stage.SETTLE})


def may_wait(stored: Facts, facts: Facts, command: Command) -> bool:
    """Whether storing these facts may wait for the next step.

    Between two reads of one look nothing is lost with them: whoever picks the batch up begins the look
    anew. A write, a wait, an end, and anything a page would show are stored first.
    """
    return (
        isinstance(command, get_args(Read))
        and facts.stage is stored.stage
        and facts.stage in _LOOKING
        and facts.places == stored.places
        and facts.groups == stored.groups
        and facts.why == stored.why
    )
