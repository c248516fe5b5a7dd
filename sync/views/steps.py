"""What happened to one bill, as a timeline reads: by day, each step with its heading and glyph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sync.queries.posting_story import Step
from sync.views.frame import moments_of
from tenants.access import CompanyRequest

#: event → (heading, glyph, dress). Green only where Sage itself said so.
HEADINGS: dict[str, tuple[str, str, str]] = {
    "bill.created": ("Entered in BILL", "i-dot", ""),
    "bill.changed": ("Changed in BILL", "i-dot", ""),
    "bill.changed_after_sending": ("Changed in BILL after it was sent", "i-slow", "is-slow"),
    "posting.waiting": ("Waits", "s-waiting", ""),
    "posting.blocked": ("Blocked", "s-blocked", "is-slow"),
    "posting.review": ("Ready for review", "s-review", ""),
    "posting.ready": ("Ready", "s-ready", ""),
    "posting.skipped": ("Left out", "s-skipped", ""),
    "posting.batched": ("Put into a batch", "n-list", ""),
    "posting.pending": ("Being sent", "s-flight", "is-do"),
    "posting.in_flight": ("Being sent", "s-flight", "is-do"),
    "posting.landed": ("Read back: it ties", "i-equal", "is-ok"),
    "posting.posted": ("Posted in Sage", "s-posted", "is-ok"),
    "posting.withdrawn": ("Taken out before it was sent", "s-waiting", ""),
    "posting.taken": ("Sage has this number already", "s-attention", "is-bad"),
    "posting.refused": ("Sage refused it", "s-attention", "is-bad"),
    "posting.differs": ("Not in Sage as it was sent", "s-attention", "is-bad"),
    "posting.moved": ("Moved to another batch in Sage", "s-attention", "is-bad"),
    "posting.removed": ("Removed in Sage", "s-attention", "is-bad"),
    "posting.exceeded": ("Given up after many tries", "s-attention", "is-bad"),
    "posting.outside": ("Handled outside", "s-skipped", ""),
    "posting.attention": ("Needs attention", "s-attention", "is-bad"),
    "posting.in_sage": ("In Sage", "s-open", ""),
    "posting.uncertain": ("Answer lost, being looked up", "s-uncertain", "is-unsure"),
    "attempt.ok": ("Sent to Sage, answered", "s-flight", "is-do"),
    "attempt.rejected": ("Sent to Sage, refused", "s-attention", "is-bad"),
    "attempt.unknown": ("Sent to Sage, answer lost", "s-uncertain", "is-unsure"),
    "attempt.not_sent": ("Could not be sent", "i-slow", "is-slow"),
    "attempt.open": ("Sent to Sage", "s-flight", "is-do"),
    "person.approve": ("Approved to post", "i-person", "is-do"),
    "person.accept_duplicate": ("Not a duplicate", "i-person", "is-do"),
    "person.allow_older": ("Let go, though older", "i-person", "is-do"),
    "person.looked_in_sage": ("Looked in Sage", "i-person", "is-do"),
    "person.replay": ("Asked to check again", "i-person", "is-do"),
    "person.handled_outside": ("Marked as handled outside", "i-person", "is-do"),
    "person.leave_out": ("Left out", "i-person", "is-do"),
    "person.take_back": ("Taken back", "i-person", "is-do"),
    "person.dealt_with": ("Change dealt with", "i-person", "is-do"),
    "vendor.linked": ("Vendor linked", "n-people", ""),
    "vendor.ask": ("Vendor waits for a person", "n-people", "is-slow"),
    "vendor.ambiguous": ("Several Sage vendors fit", "n-people", "is-slow"),
    "vendor.creating": ("Vendor is being created", "n-people", "is-do"),
    "vendor.created": ("Vendor created in Sage", "n-people", "is-ok"),
    "vendor.updated": ("Vendor updated in Sage", "n-people", "is-ok"),
    "vendor.update_refused": ("Sage refused a vendor's change", "s-attention", "is-bad"),
    "vendor.update_unknown": ("Vendor's change sent, answer lost", "s-uncertain", "is-unsure"),
    "vendor.refused": ("Sage refused the vendor", "s-attention", "is-bad"),
    "vendor.number_taken": ("Vendor number is taken in Sage", "i-slow", "is-slow"),
    "vendor.ignored": ("Vendor left out", "n-people", ""),
    "vendor.restored": ("Vendor taken back", "n-people", ""),
    "vendor.default_written": ("Default account written in Sage", "n-people", ""),
    "person.change_account": ("Account changed by hand", "i-person", "is-do"),
    "person.replay_many": ("Asked again for many", "i-person", "is-do"),
    "mapping.made": ("Mapping rule made", "n-map", ""),
    "mapping.changed": ("Mapping rule changed", "n-map", ""),
    "mapping.removed": ("Mapping rule removed", "n-map", ""),
    "defaults.vendor_changed": ("Default of a vendor changed", "n-map", ""),
    "defaults.group_changed": ("Default of a group changed", "n-map", ""),
    "defaults.update_asked": ("Defaults to be written in Sage", "n-map", ""),
    "connection.paused": ("Connection paused", "i-pause", "is-bad"),
    "connection.changed": ("Connected", "n-plug", ""),
    "connection.resumed": ("Connection works again", "n-plug", "is-ok"),
    "webhook.switched_off": ("BILL switched our webhooks off", "i-slow", "is-slow"),
    "webhook.mended": ("Webhooks mended", "n-plug", ""),
    "company.paused": ("Company paused", "i-pause", "is-slow"),
    "company.resumed": ("Company resumed", "i-person", "is-do"),
    "company.copied": ("Company made from another", "i-person", "is-do"),
    "policy.changed": ("Policy changed", "i-person", "is-do"),
    "run.failed": ("Run stopped", "i-slow", "is-slow"),
    "reconcile.compared": ("BILL and Sage compared", "n-close", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One step with its heading and dress."""

    step: Step
    heading: str
    glyph: str
    dress: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The steps of one day, newest first."""

    heading: str
    steps: Sequence[StepShown]


def heading_of(event: str) -> tuple[str, str, str]:
    """Heading, glyph and dress of an event; an unknown one reads as its own name."""
    known = HEADINGS.get(event)
    if known is not None:
        return known
    words = event.replace(".", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:], "i-dot", ""


def days_of(request: CompanyRequest, steps: Sequence[Step], now: datetime) -> list[Day]:
    """The steps grouped by the day on the person's clock."""
    moments = moments_of(request, now)
    return [
        Day(heading=heading, steps=[_shown(step) for step in of_day])
        for heading, of_day in groupby(steps, key=lambda step: moments.day_heading(step.at))
    ]


def _shown(step: Step) -> StepShown:
    heading, glyph, dress = heading_of(step.event)
    return StepShown(step=step, heading=heading, glyph=glyph, dress=dress)
