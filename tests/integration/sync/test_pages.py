"""The company's pages: what they show, to whom, and with how few questions to the database."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from sync.domain import facts_json
from sync.domain.facts import Facts, Fate, Stage
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode
from sync.models import Batch, CompanyPolicy, DueWork, LogEntry, Posting, Run
from sync.queries.flow import find_flow
from sync.services import journal
from tenants.models import AuditEvent, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.builders import a_bill, a_cause, a_posting, in_sage
from tests.journeys.world import World, a_world
from tests.people import Cast

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]

TRADE = a_cause(
    ProblemCode.ACCOUNT_UNMAPPED, "Trade Shows has no account.", subject="acc1", name="Trade Shows"
)
INVOICE = in_sage(a_bill(), batch=1, entry=1, status="")["invoice"]
TWIN = a_cause(ProblemCode.POSSIBLE_DUPLICATE, "Another bill has this number.", subject="x")


def _url(cast: Cast | World, path: str = "") -> str:
    return f"/{cast.tenant.slug}/{cast.company.slug}/{path}"


def _page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def _now() -> datetime:
    return timezone.now()


# --- following -----------------------------------------------------------------------------------


def test_an_open_page_hears_of_a_change_once_and_of_nothing_otherwise(
    cast: Cast, signed_in: SignedIn
) -> None:
    _alarm(cast)
    client = signed_in(cast.accountant)
    ask = re.compile(r'id="pulse" hx-get="([^"]+)"')
    seen = ask.findall(_page(client, _url(cast, "postings/")))[0]
    assert client.get(seen).status_code == 204

    a_posting(cast.company, state="BLOCKED", problems=[TRADE])
    _log(cast, "posting.blocked")
    told = client.get(seen)

    assert told.status_code == 200
    assert json.loads(told["HX-Trigger"]) == {"company-changed": {}}
    assert '1<span class="vh"> need attention' in _text(told)
    assert client.get(ask.findall(_text(told))[0]).status_code == 204


# --- lists ----------------------------------------------------------------------------------------


def test_postings_add_up_and_every_view_counts_its_own(cast: Cast, signed_in: SignedIn) -> None:
    a_posting(cast.company, bill=a_bill(amount=Decimal("9600.00"), approval_status="ASSIGNED"))
    a_posting(
        cast.company, bill=a_bill(amount=Decimal("4800.00")), state="BLOCKED", problems=[TRADE]
    )
    bill = a_bill(amount=Decimal("5204.00"))
    a_posting(cast.company, bill=bill, **in_sage(bill, batch=4471, entry=1, status="Open"))

    page = _page(signed_in(cast.viewer), _url(cast, "postings/"))

    for said in ("19,604.00", "5,204.00", "14,400.00 apart", "3 bills in all", "4471-1"):
        assert said in page
    for view in ("All <span>3", "With us <span>1", "Stopped <span>1", "In Sage <span>1"):
        assert view in page


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", {"A-1", "B-2", "C-3"}),
        ("view=stopped", {"B-2"}),
        ("state=open", {"C-3"}),
        ("state=posted", set()),
        ("vendor=alder", {"B-2"}),
        ("invoice=c-", {"C-3"}),
        ("find=5,204.00", {"C-3"}),
        ("find=prairie", {"A-1", "C-3"}),
        ("cause=account_unmapped:acc1", {"B-2"}),
        ("approval=pending", {"A-1"}),
        ("batch=4471", {"C-3"}),
        ("batch=nonsense", set()),
        ("find=1e99999", set()),
        ("find=%00&vendor=%00&state=nonsense&view=nonsense&after=nonsense", {"A-1", "B-2", "C-3"}),
    ],
)
def test_a_filter_leaves_what_it_names(
    cast: Cast, signed_in: SignedIn, query: str, seen: set[str]
) -> None:
    a_posting(cast.company, bill=a_bill(invoice_number="A-1", approval_status="ASSIGNED"))
    blocked = a_bill(invoice_number="B-2", vendor_name="Alder Creek Dairy")
    a_posting(cast.company, bill=blocked, state="BLOCKED", problems=[TRADE])
    sent = a_bill(invoice_number="C-3", amount=Decimal("5204.00"))
    a_posting(cast.company, bill=sent, **in_sage(sent, batch=4471, entry=1, status="Open"))

    page = _page(signed_in(cast.viewer), _url(cast, f"postings/?{query}"))

    assert {number for number in ("A-1", "B-2", "C-3") if f'ref">{number}<' in page} == seen


def test_pages_follow_one_another_without_gap_or_repeat(
    cast: Cast, signed_in: SignedIn, settings: Any
) -> None:
    at = builders.NOW
    for number in range(60):
        moment = at - timedelta(minutes=number // 3)
        a_posting(cast.company, bill=a_bill(invoice_number=f"N-{number:02d}"), at=moment)
    client = signed_in(cast.viewer)

    found: list[str] = []
    url: str | None = _url(cast, "postings/")
    seen_back = ""
    while url:
        answer = client.get(url)
        page = answer.context["page"]
        found += [row.invoice_number for row in page.rows]
        seen_back = page.newer or seen_back
        url = _url(cast, "postings/") + f"?after={_quoted(page.older)}" if page.older else None
    back = client.get(_url(cast, "postings/") + f"?before={_quoted(seen_back)}").context["page"]

    assert sorted(found) == [f"N-{number:02d}" for number in range(60)]
    assert [row.invoice_number for row in back.rows] == found[25:50]


def _quoted(cursor: str) -> str:
    return cursor.replace("+", "%2B")


def test_money_of_another_currency_is_counted_and_never_added(
    cast: Cast, signed_in: SignedIn
) -> None:
    foreign = a_cause(ProblemCode.FOREIGN_CURRENCY, "In CAD.", subject="CAD")
    a_posting(cast.company, bill=a_bill(amount=Decimal("10.00")))
    a_posting(
        cast.company, bill=a_bill(amount=Decimal("7.00")), state="BLOCKED", problems=[foreign]
    )

    page = _page(signed_in(cast.viewer), _url(cast, "postings/"))

    assert "1 in another currency, not added" in page
    assert '<td class="amt c-n">10.00</td>' in page


def test_export_defuses_formulas(cast: Cast, signed_in: SignedIn) -> None:
    a_posting(cast.company, bill=a_bill(vendor_name="=HYPERLINK(1)", invoice_number="F-1"))

    answer = signed_in(cast.viewer).get(_url(cast, "postings.csv"))
    text = b"".join(answer.streaming_content).decode()

    assert answer["Content-Type"].startswith("text/csv")
    assert "'=HYPERLINK(1)" in text
    assert "F-1" in text


# --- today ----------------------------------------------------------------------------------------


def test_today_says_how_many_bills_have_no_approver(cast: Cast, signed_in: SignedIn) -> None:
    for _ in range(2):
        a_posting(cast.company, bill=a_bill(approval_status="UNASSIGNED"))

    page = _page(signed_in(cast.viewer), _url(cast))

    assert "without an approver in BILL, left there by your policy" in page
    assert "2 more have no approver" in page


def test_today_groups_bills_by_their_cause(cast: Cast, signed_in: SignedIn) -> None:
    for amount in ("100.00", "50.00"):
        bill = a_bill(amount=Decimal(amount))
        a_posting(cast.company, bill=bill, state="BLOCKED", problems=[TRADE])

    page = _page(signed_in(cast.viewer), _url(cast))

    assert "BILL account without a Sage account: Trade Shows" in page
    assert "2 bills wait · mend it here" in page
    assert "cause=account_unmapped%3Aacc1" in page


def test_today_of_an_empty_company_says_what_comes_next(cast: Cast, signed_in: SignedIn) -> None:
    page = _page(signed_in(cast.viewer), _url(cast))

    assert "No bill has come from BILL yet" in page
    assert "BILL is not connected yet" in page
    assert "ties" not in page


def test_the_control_total_ties_only_when_every_part_is_itemised(
    cast: Cast, signed_in: SignedIn
) -> None:
    bill = a_bill(amount=Decimal("100.00"))
    a_posting(cast.company, bill=bill, **in_sage(bill, batch=1, entry=1, status="Posted"))
    unequal = a_bill(amount=Decimal("60.00"))
    columns = in_sage(unequal, batch=1, entry=2, status="Open") | {"sage_amount": Decimal("50.00")}
    a_posting(cast.company, bill=unequal, **columns)

    page = signed_in(cast.viewer).get(_url(cast)).context["page"]

    assert page.sent.in_bill == Decimal("160.00")
    assert page.unexplained == Decimal("10.00")


def test_the_flow_counts_every_bill_on_the_day_of_the_companys_zone(cast: Cast) -> None:
    tuesday = datetime(2026, 12, 1, 15, tzinfo=UTC)
    for hours_ago in (0, 11, 11, 24 * 14):
        bill = a_bill()
        columns = in_sage(bill, batch=1, entry=1, status="Posted")
        at = tuesday - timedelta(hours=hours_ago)
        a_posting(cast.company, bill=bill, **(columns | {"in_sage_at": at}))

    with tenant_scope(cast.tenant.pk):
        flow = find_flow(
            tenant_id=cast.tenant.pk, company_id=cast.company.pk, zone=ZoneInfo("America/Chicago"),
            now=tuesday,
        )  # fmt: skip

    counted = [(day.day, day.count) for day in flow.days if day.count]
    assert counted == [(date(2026, 11, 30), 2), (date(2026, 12, 1), 1)]


def test_a_change_in_bill_after_sending_is_itemised_and_never_hidden(
    cast: Cast, signed_in: SignedIn
) -> None:
    bill = a_bill(amount=Decimal("1208.00"), invoice_number="NG-1")
    sent = replace(bill, amount=Decimal("1280.00"))
    columns = in_sage(sent, batch=4452, entry=7, status="Posted")
    a_posting(
        cast.company, bill=bill, **columns, amount=Decimal("1280.00"),
        changed_in_bill_at=builders.NOW, change_note="Amount changed in BILL after it was sent.",
    )  # fmt: skip
    client = signed_in(cast.viewer)

    today = client.get(_url(cast)).context["page"]
    postings = _page(client, _url(cast, "postings/"))

    assert (today.changed, today.changed_amount) == (1, Decimal("-72.00"))
    assert today.unexplained == 0
    assert "−72.00 in BILL" in postings  # noqa: RUF001 - a true minus
    assert "1,208.00" in postings
    assert "Changed in BILL after it was sent" in postings
    assert 'class="ties"' not in postings


def test_a_change_dealt_with_leaves_attention_and_stays_in_the_addition(
    cast: Cast, signed_in: SignedIn
) -> None:
    bill = a_bill(amount=Decimal("1208.00"), invoice_number="NG-1", description="New words")
    sent = replace(bill, description="")
    columns = in_sage(sent, batch=4452, entry=7, status="Posted") | {"sage_amount": "1280.00"}
    posting = a_posting(
        cast.company, bill=bill, **columns | {"amount": Decimal("1280.00")},
        changed_in_bill_at=builders.NOW, change_note="Amount changed in BILL after it was sent.",
    )  # fmt: skip
    client = signed_in(cast.accountant)
    data = {
        "deed": "dealt_with",
        "seen": posting.seen,
        "note": "credit note 12",
        "next": "attention",
    }

    before = _page(client, _url(cast, "attention/"))
    client.post(_url(cast, f"attention/{posting.pk}/"), data)
    after = _page(client, _url(cast, "attention/"))
    today = client.get(_url(cast)).context["page"]
    postings = _page(client, _url(cast, "postings/"))

    assert "changed in BILL" in _page(client, _url(cast, f"postings/{posting.pk}/"))
    assert "Mark as dealt with" in before
    assert "NG-1" not in after
    assert (today.changed, today.changed_ever, today.changed_amount) == (0, 1, Decimal("-72.00"))
    assert today.unexplained == 0
    assert "−72.00 in BILL" in postings  # noqa: RUF001 - a true minus
    assert 'class="ties"' not in postings


# --- one posting ----------------------------------------------------------------------------------


def test_green_is_only_what_sage_itself_showed(cast: Cast, signed_in: SignedIn) -> None:
    ready = a_bill()
    columns = in_sage(ready, batch=1, entry=1, status="") | {
        "state": "READY", "sage_batch_number": None, "sage_amount": None, "read_back_at": None,
    }  # fmt: skip
    waiting = a_posting(cast.company, bill=ready, **columns)
    sent = a_bill()
    landed = a_posting(cast.company, bill=sent, **in_sage(sent, batch=1, entry=1, status="Open"))
    client = signed_in(cast.viewer)

    before = _page(client, _url(cast, f"postings/{waiting.pk}/"))
    after = _page(client, _url(cast, f"postings/{landed.pk}/"))

    assert "mk same" not in before
    assert 'class="ties"' not in before
    assert "to the cent" in after
    assert 'class="ties"' in after


def test_a_strangers_posting_is_not_there(cast: Cast, signed_in: SignedIn) -> None:
    other = a_posting(cast.other_company)

    answer = signed_in(cast.owner).get(_url(cast, f"postings/{other.pk}/"))

    assert answer.status_code == 404


def test_a_viewer_sees_no_buttons_and_may_not_press_them(cast: Cast, signed_in: SignedIn) -> None:
    posting = a_posting(cast.company, state="BLOCKED", problems=[TRADE])
    client = signed_in(cast.viewer)

    page = _page(client, _url(cast, f"postings/{posting.pk}/"))
    answer = client.post(_act(cast, posting), {"deed": "replay", "seen": "BLOCKED"})

    assert "Check again" not in page
    assert "Run now" not in _page(client, _url(cast, "runs/"))
    assert answer.status_code == 403
    assert _state(posting) == "BLOCKED"


@pytest.mark.parametrize(
    ("columns", "deed", "note", "state", "changed"),
    [
        ({"state": "BLOCKED", "problems": [TRADE]}, "replay", "", "WAITING", {"is_dirty": True}),
        ({"state": "ATTENTION", "mode": "data"}, "replay", "", "WAITING", {"mode": ""}),
        (
            {"state": "REVIEW", "invoice": INVOICE}, "approve", "", "READY",
            {"is_review_accepted": True, "is_dirty": False},
        ),
        ({"state": "REVIEW", "is_dirty": True}, "approve", "", "WAITING", {"is_dirty": True}),
        (
            {"state": "REVIEW", "problems": [TWIN]}, "accept_duplicate", "I called them", "WAITING",
            {"is_duplicate_accepted": True, "decision_note": "I called them"},
        ),
        (
            {"state": "READY"}, "leave_out", "paid by card", "SKIPPED",
            {"is_skipped_by_person": True, "decision_note": "paid by card"},
        ),
        ({"state": "ATTENTION"}, "handled_outside", "4459-2", "SKIPPED", {"mode": ""}),
        (
            {"state": "SKIPPED", "is_skipped_by_person": True}, "take_back", "", "WAITING",
            {"is_skipped_by_person": False, "is_dirty": True},
        ),
    ],
)  # fmt: skip
def test_a_deed_is_done_recorded_and_wakes_the_company(
    cast: Cast,
    signed_in: SignedIn,
    columns: dict[str, Any],
    deed: str,
    note: str,
    state: str,
    changed: dict[str, Any],
) -> None:
    posting = a_posting(cast.company, **columns)
    _alarm(cast)

    answer = signed_in(cast.accountant).post(
        _act(cast, posting), {"deed": deed, "seen": posting.state, "note": note}, follow=True
    )

    assert answer.status_code == 200
    row = _row(posting)
    assert row.state == state
    assert {name: getattr(row, name) for name in changed} == changed
    assert row.decided_by_id == cast.accountant.pk
    assert DueWork.objects.get(company_id=cast.company.pk).rung_at is not None
    with tenant_scope(cast.tenant.pk):
        line = posting.log.get(event=f"person.{deed}")
        event = AuditEvent.objects.for_tenant(cast.tenant).get(action=f"posting.{deed}")
    assert line.actor == event.actor_name == "Priya Raman"
    assert event.details["from"] == posting.state


def test_an_older_bill_goes_by_a_persons_word(cast: Cast, signed_in: SignedIn) -> None:
    with tenant_scope(cast.tenant.pk):
        CompanyPolicy.objects.create(
            tenant=cast.tenant, company=cast.company, values={"cutover_date": "2026-12-01"},
            changed_at=builders.NOW,
        )  # fmt: skip
    older = a_posting(cast.company, bill=a_bill(created_at=builders.NOW - timedelta(days=9)))
    client = signed_in(cast.accountant)

    page = _page(client, _url(cast, f"postings/{older.pk}/"))
    client.post(
        _act(cast, older), {"deed": "allow_older", "seen": "WAITING", "note": "agreed with Dana"}
    )

    assert "Send this older bill" in page
    assert _row(older).is_allowed_before_cutover


def test_looking_in_sage_frees_the_identity(cast: Cast, signed_in: SignedIn) -> None:
    cause = a_cause(ProblemCode.SENT_UNDER_OTHER_NUMBER, "It was sent as document A.")
    posting = a_posting(
        cast.company, state="BLOCKED", problems=[cause], is_identity_clean=False,
        identity_frozen_at=builders.NOW,
    )  # fmt: skip

    signed_in(cast.accountant).post(
        _act(cast, posting),
        {"deed": "looked_in_sage", "seen": "BLOCKED", "note": "AP invoice entry, by vendor"},
    )

    row = _row(posting)
    assert (row.state, row.is_identity_clean, row.identity_frozen_at) == ("WAITING", True, None)


def test_a_batch_learns_that_its_bill_was_handled_outside(cast: Cast, signed_in: SignedIn) -> None:
    facts = Facts(tag="T1", entries=(), watermark=0, stage=Stage.DONE)
    with tenant_scope(cast.tenant.pk):
        batch = Batch.objects.create(
            tenant=cast.tenant, company=cast.company, database_key="d", tag="T1", description="T1",
            invoices={}, facts=facts_json.to_json(facts), stage="done", lease_epoch=1,
            entry_count=1, total_amount=1, made_at=builders.NOW, settled_at=builders.NOW,
        )  # fmt: skip
    posting = a_posting(cast.company, state="ATTENTION", batch=batch)

    signed_in(cast.accountant).post(
        _act(cast, posting),
        {"deed": "handled_outside", "seen": "ATTENTION", "note": "keyed by hand, 4459-2"},
    )

    with tenant_scope(cast.tenant.pk):
        batch.refresh_from_db()
    place = facts_json.from_json(batch.facts).place(str(posting.pk))
    assert place.fate is Fate.OUTSIDE
    assert batch.version == 2


def test_the_second_person_is_told_who_did_what(cast: Cast, signed_in: SignedIn) -> None:
    posting = a_posting(cast.company, state="READY")
    data = {"deed": "leave_out", "seen": "READY", "note": "paid by card"}
    signed_in(cast.accountant).post(_act(cast, posting), data)

    answer = signed_in(cast.owner).post(_act(cast, posting), data, follow=True)

    assert "Priya Raman was quicker. Left out by Priya Raman: paid by card" in _text(answer)
    with tenant_scope(cast.tenant.pk):
        assert posting.log.filter(event="person.leave_out").count() == 1


def test_the_second_person_is_told_of_the_first_also_when_the_machine_went_on(
    cast: Cast, signed_in: SignedIn
) -> None:
    double = a_cause(ProblemCode.POSSIBLE_DUPLICATE, "Twice?", subject=str(uuid.uuid4()))
    posting = a_posting(cast.company, state="REVIEW", problems=[double])
    data = {"deed": "accept_duplicate", "seen": "REVIEW", "note": "second cleaning"}
    signed_in(cast.accountant).post(_act(cast, posting), data)
    with tenant_scope(cast.tenant.pk):
        posting.refresh_from_db()
        posting.advance(PostingState.READY, now=_now())
        line = journal.line_for(
            posting, event="posting.ready", sentence="Goes with the next batch.", now=_now()
        )
        journal.write([line])

    answer = signed_in(cast.owner).post(_act(cast, posting), data, follow=True)

    assert "Priya Raman was quicker. Priya Raman says it is another invoice" in _text(answer)
    assert "Since then: Goes with the next batch." in _text(answer)


def test_what_a_person_left_out_asks_nothing_of_anybody(cast: Cast, signed_in: SignedIn) -> None:
    no_lines = a_cause(ProblemCode.NO_LINES, "The bill has no lines. Add them in BILL.")
    posting = a_posting(cast.company, state="BLOCKED", problems=[no_lines])
    data = {"deed": "leave_out", "seen": "BLOCKED", "note": "entered by mistake"}

    signed_in(cast.accountant).post(_act(cast, posting), data)
    page = _page(signed_in(cast.accountant), _url(cast, f"postings/{posting.pk}/"))

    assert "Left out by Priya Raman: entered by mistake" in page
    assert "Take it back" in page
    assert "Mend in BILL" not in page


def test_the_only_bill_of_a_cause_that_nothing_mends_is_dealt_with_there(
    cast: Cast, signed_in: SignedIn
) -> None:
    foreign = a_cause(ProblemCode.FOREIGN_CURRENCY, "In CAD.", subject="v")
    a_posting(cast.company, state="BLOCKED", problems=[foreign], currency="CAD")

    page = _page(signed_in(cast.accountant), _url(cast, "attention/"))

    assert "Mark as handled outside" in page
    assert "CAD</td>" in page


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"deed": "leave_out", "seen": "READY"}, "Nothing was done yet"),
        ({"deed": "approve", "seen": "READY"}, "This cannot be done now"),
        ({"deed": "nonsense", "seen": "READY"}, "Nothing was done"),
        ({}, "Nothing was done"),
    ],
)
def test_a_deed_that_is_not_open_changes_nothing_and_says_why(
    cast: Cast, signed_in: SignedIn, data: dict[str, str], said: str
) -> None:
    posting = a_posting(cast.company, state="READY")

    answer = signed_in(cast.accountant).post(_act(cast, posting), data, follow=True)

    assert said in _text(answer)
    assert _state(posting) == "READY"


# --- runs -----------------------------------------------------------------------------------------


def test_a_run_under_way_is_followed_until_it_is_over(cast: Cast, signed_in: SignedIn) -> None:
    begun = _now()
    step = {
        "name": "Decide", "done": 84, "total": 138, "started_at": begun.isoformat(),
        "ended_at": None, "sentence": "",
    }  # fmt: skip
    with tenant_scope(cast.tenant.pk):
        run = Run.objects.create(
            tenant=cast.tenant, company=cast.company, trigger="person", started_at=begun,
            heard_at=begun, steps=[step],
        )  # fmt: skip
    client = signed_in(cast.viewer)

    during = _page(client, _url(cast, f"runs/{run.pk}/progress/"))
    with tenant_scope(cast.tenant.pk):
        Run.objects.for_tenant(cast.tenant).update(ended_at=begun, outcome="ok", sentence="Fine.")
    after = _page(client, _url(cast, f"runs/{run.pk}/progress/"))

    assert "84 of 138" in during
    assert "hx-trigger" in during
    assert "hx-trigger" not in after
    assert "Fine." in after


def test_asking_for_a_run_rings_the_company(cast: Cast, signed_in: SignedIn) -> None:
    _alarm(cast)

    answer = signed_in(cast.accountant).post(_url(cast, "run/"), follow=True)

    assert "Asked." in _text(answer)
    assert DueWork.objects.get(company_id=cast.company.pk).rung_at is not None


# --- cost and safety ------------------------------------------------------------------------------


@pytest.fixture
def world(db: None) -> World:
    return a_world(_now())


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("", 27),
        ("postings/", 18),
        ("postings/{posting}/", 20),
        ("runs/", 17),
        ("runs/{run}/", 17),
        ("runs/{run}/progress/", 10),
        ("log/", 17),
        ("reconcile/", 20),
    ],
)
def test_a_page_asks_the_database_a_fixed_number_of_times(
    world: World,
    signed_in: SignedIn,
    django_assert_max_num_queries: Any,
    path: str,
    most: int,
) -> None:
    client = signed_in(world.viewer)
    url = _url(world, path.format(posting=world.postings["cow-31877"].pk, run=world.run_id))
    client.get(url)

    with django_assert_max_num_queries(most):
        assert client.get(url).status_code == 200


def test_pages_carry_nothing_inline(world: World, signed_in: SignedIn) -> None:
    client = signed_in(world.accountant)
    paths = ["", "attention/", "postings/", "runs/", "log/", f"runs/{world.run_id}/"]
    paths += [f"postings/{row.pk}/" for row in world.postings.values()]

    for path in paths:
        page = _page(client, _url(world, path))
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<script>" not in page


def _act(cast: Cast, posting: Posting) -> str:
    return _url(cast, f"postings/{posting.pk}/act/")


def _log(cast: Cast, event: str) -> None:
    with tenant_scope(cast.tenant.pk):
        LogEntry.objects.create(
            tenant_id=cast.tenant.pk, company=cast.company, at=_now(), event=event, sentence="Said."
        )


def _alarm(cast: Cast) -> None:
    DueWork.objects.create(
        company_id=cast.company.pk, tenant_id=cast.tenant.pk, next_run_at=builders.NOW
    )


def _row(posting: Posting) -> Posting:
    with tenant_scope(posting.tenant_id):
        return Posting.objects.for_tenant(posting.tenant_id).get(pk=posting.pk)


def _state(posting: Posting) -> str:
    return _row(posting).state


def _text(answer: Any) -> str:
    return answer.content.decode()
