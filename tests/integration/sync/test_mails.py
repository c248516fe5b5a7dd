"""People are told by mail: each cause once, by real causes over real HTTP, and never twice."""

import smtplib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend as KeptInMemory
from django.db import connection
from django.test import Client
from django_q.models import OrmQ

from integrations.models import BillConnection
from sync import jobs
from sync.domain.problems import ProblemCode
from sync.domain.words import money
from sync.models import DueWork, Mail, MailChoice
from sync.services import notify, turns
from sync.services.marks import find_marks, keep_marks
from tenants.models import Company, Role, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.faults.office import POST_BATCH, a_bill, an_office, heal, later
from tests.integration.sync.world import BAKERY, Desk
from tests.people import Cast

pytestmark = pytest.mark.django_db

#: Tuesday, December 1, 2026, 7:59 in Chicago and 14:59 in Berlin.
BEFORE_EIGHT = datetime(2026, 12, 1, 13, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _mail_works(settings: Any) -> None:
    settings.MAIL_IS_SET_UP = True
    settings.PUBLIC_URL = "https://connect.example"


@pytest.fixture
def desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    with an_office(settings) as opened:
        for role in Role:
            builders.a_member(
                opened.company.tenant, role, email=f"{role}@calder.example",
                time_zone="America/Chicago",
            )  # fmt: skip
        yield opened


@dataclass(slots=True)
class Moved:
    """A clock that stands until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def tell(company: Company, clock: Callable[[], datetime]) -> list[EmailMessage]:
    """Look once, and return the mails that went out by it."""
    before = len(mail.outbox)
    notify.tell_company(tenant_id=company.tenant_id, company_id=company.pk, clock=clock)
    return mail.outbox[before:]


def told(desk: Desk) -> list[tuple[str, str]]:
    """Who was told what by one look, daily mails left out."""
    return [
        (message.to[0].partition("@")[0], message.subject.partition(": ")[2])
        for message in tell(desk.company, desk.clock)
    ]


def both(subject: str) -> list[tuple[str, str]]:
    return [("accountant", subject), ("owner", subject)]


def rows(company: Company) -> list[Mail]:
    with tenant_scope(company.tenant_id):
        return list(Mail.objects.for_tenant(company.tenant_id).order_by("made_at", "address"))


def no_daily_mail(company: Company) -> None:
    """Only what is told at once, so that a test does not depend on the hour it is run at."""
    with tenant_scope(company.tenant_id):
        for member in company.tenant.memberships.exclude(role=Role.VIEWER):
            MailChoice.objects.create(
                tenant_id=company.tenant_id, company=company, user=member.user,
                kinds=["connection", "unsettled", "webhooks", "refused"], digest_days="never",
                digest_hour=8, changed_at=builders.NOW,
            )  # fmt: skip


# --- what stops the flow --------------------------------------------------------------------------


def test_a_paused_connection_is_told_once_and_again_when_it_comes_back(desk: Desk) -> None:
    no_daily_mail(desk.company)
    desk.bill.set_password("ML-CONNECTOR", "another")

    desk.sync()

    subject = "BILL is paused, nothing new is read"
    assert sorted(told(desk)) == both(subject)
    assert told(desk) == []
    sent = mail.outbox[-1]
    assert "BILL does not accept the user name and password" in sent.body
    assert f"https://connect.example/{desk.company.tenant.slug}/" in sent.body
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    later(desk, 24 * 3600 - 60)
    assert told(desk) == []
    later(desk, 120)
    assert sorted(told(desk)) == both(subject), "it still stands after a day"

    with tenant_scope(desk.company.tenant_id):
        connection_row = BillConnection.objects.for_tenant(desk.company.tenant_id).get()
        connection_row.resume()
    assert told(desk) == []
    with tenant_scope(desk.company.tenant_id):
        connection_row.pause(reason="BILL has locked this user.", now=desk.clock())
    assert sorted(told(desk)) == both(subject), "it was mended and came back"


@pytest.mark.parametrize("reason", ["Not connected yet: type it again.", "Paused by a person."])
def test_a_pause_that_is_over_or_just_beginning_is_no_held_sending(desk: Desk, reason: str) -> None:
    no_daily_mail(desk.company)
    with tenant_scope(desk.company.tenant_id):
        row = BillConnection.objects.for_tenant(desk.company.tenant_id).get()
        row.pause(reason=reason, now=desk.clock())

    assert desk.sync().outcome == "paused"

    if reason.startswith("Paused"):
        with tenant_scope(desk.company.tenant_id):
            row.resume()
    assert told(desk) == []


def test_sending_that_is_held_after_a_restore_is_told_once(desk: Desk) -> None:
    no_daily_mail(desk.company)
    heal(desk)
    with tenant_scope(desk.company.tenant_id):
        owner = {"tenant_id": desk.company.tenant_id, "company_id": desk.company.pk}
        marks = find_marks(**owner)
        assert marks is not None
        keep_marks(replace(marks, highest=marks.highest + 50), **owner, now=desk.clock())

    assert desk.sync().outcome == "paused"

    assert sorted(told(desk)) == both("Sending to Sage is held until somebody decides")
    assert told(desk) == []


def test_a_system_that_stays_away_is_told(desk: Desk) -> None:
    no_daily_mail(desk.company)
    desk.sync()
    a_bill(desk, "B-4")
    desk.sage_server.stop()
    desk.sync()
    assert told(desk) == []

    later(desk, 3700)
    desk.sync()

    assert sorted(told(desk)) == both("Sage 300 does not answer, 1 bill waits, 75.00")
    later(desk, 3700)
    desk.sync()
    assert told(desk) == []


def test_bills_that_sage_refuses_are_told_batch_by_batch(desk: Desk) -> None:
    no_daily_mail(desk.company)
    desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", "B-2", "200.02", "5010100")

    heal(desk)

    subject = "Sage did not take Prairie Mill & Grain B-2, 200.02"
    assert sorted(told(desk)) == both(subject)
    [refused] = desk.postings(state="ATTENTION")
    assert f"/postings/{refused.pk}/" in mail.outbox[-1].body
    assert "Sage says this number is already used" in mail.outbox[-1].body
    html = mail.outbox[-1].alternatives[0].content
    assert "Prairie Mill &amp; Grain B-2" in html

    for number in ("C-1", "C-2"):
        desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", number, "75.00", "5010100")
        a_bill(desk, number)
    heal(desk)

    assert sorted(told(desk)) == both("2 bills of a batch did not go through, 150.00")
    for is_paused in (True, False):
        with tenant_scope(desk.company.tenant_id):
            Company.objects.for_tenant(desk.company.tenant_id).update(is_paused=is_paused)
        assert told(desk) == [], "a pause mends nothing, so its end brings no news"


def test_an_outcome_that_stays_unsettled_is_told(desk: Desk) -> None:
    no_daily_mail(desk.company)
    desk.sage_server.faults.add("refuse", POST_BATCH)  # the POST is not done, and nobody knows
    desk.sync()
    later(desk, 600)
    assert told(desk) == [], "it is being looked up; nobody needs to know"

    later(desk, 400)

    subject = "The outcome of 3 bills in Sage is not settled, 600.06"
    assert sorted(told(desk)) == both(subject)
    heal(desk)
    assert told(desk) == []
    assert all(row.ended_at for row in rows(desk.company))


def test_webhooks_that_bill_switched_off_are_told(settings: Any, desk: Desk) -> None:
    no_daily_mail(desk.company)
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    desk.sync()
    [subscription] = desk.bill.organizations[BAKERY].subscriptions.values()
    subscription.enabled = False
    later(desk, 24 * 3600 + 60)

    desk.sync()

    assert subscription.enabled
    assert sorted(told(desk)) == both("BILL had switched our webhooks off; they are on again")
    later(desk)
    desk.sync()
    assert told(desk) == []


# --- never twice, never lost ----------------------------------------------------------------------


class Held(KeptInMemory):
    """A mail server that keeps the first mail's sender waiting until it is told to go on."""

    is_taken, may_go_on = threading.Event(), threading.Event()

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        if not self.is_taken.is_set():
            self.is_taken.set()
            assert self.may_go_on.wait(20)
        return super().send_messages(messages)


def test_two_workers_at_once_tell_everybody_once(settings: Any, desk: Desk) -> None:
    no_daily_mail(desk.company)
    with tenant_scope(desk.company.tenant_id):
        row = BillConnection.objects.for_tenant(desk.company.tenant_id).get()
        row.pause(reason="BILL has locked this user.", now=desk.clock())
    settings.EMAIL_BACKEND = f"{__name__}.Held"

    def work() -> None:
        tell(desk.company, desk.clock)
        connection.close()

    first = threading.Thread(target=work)
    first.start()
    assert Held.is_taken.wait(20)
    others = [threading.Thread(target=work) for _ in range(3)]
    for worker in others:
        worker.start()
    for worker in others:
        worker.join(20)
    assert len(mail.outbox) == 1, "the mail that is being sent was left to its worker"
    Held.may_go_on.set()
    first.join(20)

    assert sorted(message.to[0] for message in mail.outbox) == [
        "accountant@calder.example",
        "owner@calder.example",
    ]
    assert [row.state for row in rows(desk.company)] == ["sent", "sent"]


class Down(KeptInMemory):
    """A mail server that fails in the way it is told; "" works."""

    failure: Exception | None = None

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        if self.failure is not None:
            raise self.failure
        return super().send_messages(messages)


def a_stopped_company(cast: Cast) -> tuple[Company, Moved]:
    """A company whose BILL is paused, of which only the owner wants to hear."""
    turns.keep_turns(tenant_id=cast.tenant.pk, company_id=cast.company.pk)
    with tenant_scope(cast.tenant.pk):
        BillConnection.objects.create(
            tenant_id=cast.tenant.pk, company=cast.company, user_name="x", organization_id="008",
            state="paused", paused_reason="BILL has locked this user.", paused_at=builders.NOW,
        )  # fmt: skip
        for person in (cast.owner, cast.accountant):
            choice(cast, person, kinds=["connection"] if person == cast.owner else [])
    return cast.company, Moved(builders.NOW)


def choice(cast: Cast, person: User, **values: Any) -> None:
    fields = {"kinds": [], "digest_days": "never", "digest_hour": 8,
              "changed_at": builders.NOW - timedelta(days=9)}  # fmt: skip
    with tenant_scope(cast.tenant.pk):
        MailChoice.objects.create(
            tenant_id=cast.tenant.pk, company=cast.company, user=person, **(fields | values)
        )


class Slow(KeptInMemory):
    """A mail server that takes longer over each mail than a job has."""

    clock = Moved(builders.NOW)

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        self.clock.now += timedelta(seconds=200)
        return super().send_messages(messages)


def test_what_a_slow_mail_server_leaves_goes_with_the_next_job(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, clock = a_stopped_company(cast)
    with tenant_scope(cast.tenant.pk):
        MailChoice.objects.update(kinds=["connection"])
    settings.EMAIL_BACKEND = f"{__name__}.Slow"
    monkeypatch.setattr(Slow, "clock", clock)

    each = [[message.to for message in tell(company, clock)] for _ in range(3)]

    assert [len(sent) for sent in each] == [1, 1, 0]
    assert each[0] != each[1]


def test_a_mail_server_that_is_away_is_asked_again_with_pauses(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, clock = a_stopped_company(cast)
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    monkeypatch.setattr(Down, "failure", ConnectionRefusedError("Connection refused"))

    assert tell(company, clock) == []
    [row] = rows(company)
    assert (row.state, row.tries) == ("due", 1)
    assert row.why == "The mail server could not be asked: Connection refused."
    assert row.not_before > clock.now
    assert tell(company, clock) == []
    assert rows(company)[0].tries == 1, "not before its time"

    clock.now += timedelta(hours=1)
    monkeypatch.setattr(Down, "failure", None)
    [sent] = tell(company, clock)

    assert sent.to == ["owner@calder.example"]
    [row] = rows(company)
    assert (row.state, row.why, row.text) == ("sent", "", "")


def test_a_mail_that_is_never_taken_ends_with_its_sentence(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, clock = a_stopped_company(cast)
    settings.CONNECTOR = replace(settings.CONNECTOR, mail_tries=3, tell_again_hours=0.0)
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    monkeypatch.setattr(Down, "failure", smtplib.SMTPAuthenticationError(535, b"no"))

    for _ in range(6):
        tell(company, clock)
        clock.now += timedelta(hours=2)

    [row] = rows(company)
    assert (row.state, row.tries) == ("failed", 3)
    assert row.why == "The mail server refuses our sign-in. The operator checks EMAIL_URL."


def test_a_refused_address_is_not_tried_again(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, clock = a_stopped_company(cast)
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    refusal = smtplib.SMTPRecipientsRefused({"owner@calder.example": (550, b"5.1.1 no such user")})
    monkeypatch.setattr(Down, "failure", refusal)

    tell(company, clock)

    [row] = rows(company)
    assert (row.state, row.tries) == ("failed", 1)
    assert row.why.endswith("refuses the address owner@calder.example: 5.1.1 no such user.")


def test_what_was_mended_before_it_could_be_sent_is_not_sent(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, clock = a_stopped_company(cast)
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    monkeypatch.setattr(Down, "failure", ConnectionRefusedError("Connection refused"))
    tell(company, clock)
    monkeypatch.setattr(Down, "failure", None)
    with tenant_scope(cast.tenant.pk):
        BillConnection.objects.for_tenant(cast.tenant.pk).get().resume()
    clock.now += timedelta(hours=1)

    assert tell(company, clock) == []
    assert [(row.state, row.why) for row in rows(company)] == [
        ("dropped", "Mended before it could be sent.")
    ]


def test_somebody_who_left_is_told_nothing(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, clock = a_stopped_company(cast)
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    monkeypatch.setattr(Down, "failure", ConnectionRefusedError("Connection refused"))
    tell(company, clock)
    monkeypatch.setattr(Down, "failure", None)
    cast.tenant.memberships.filter(user=cast.owner).delete()
    clock.now += timedelta(hours=1)

    assert tell(company, clock) == []
    assert [row.state for row in rows(company)] == ["dropped"]


def test_nothing_is_written_down_while_mail_is_not_set_up(cast: Cast, settings: Any) -> None:
    company, clock = a_stopped_company(cast)
    settings.MAIL_IS_SET_UP = False

    assert tell(company, clock) == []
    assert rows(company) == []

    settings.MAIL_IS_SET_UP = True
    assert len(tell(company, clock)) == 1


def test_the_tick_has_every_company_that_is_due_looked_at(
    cast: Cast, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    a_stopped_company(cast)
    turns.keep_turns(tenant_id=cast.other_tenant.pk, company_id=cast.tenant.pk)  # of no company

    with django_capture_on_commit_callbacks(execute=True):
        jobs.tick()
    assert [task.func() for task in OrmQ.objects.all()].count("sync.jobs.tell") == 1
    jobs.tell()

    assert [message.to for message in mail.outbox] == [["owner@calder.example"]]
    assert "mail.broke" in caplog.text, "one company's fault keeps nobody else's mail back"
    assert DueWork.objects.filter(tell_at__isnull=False).count() == 2
    jobs.tell()
    assert len(mail.outbox) == 1


# --- the daily mail -------------------------------------------------------------------------------


def test_the_daily_mail_comes_at_each_persons_hour_and_once(cast: Cast) -> None:
    cast.owner.time_zone = "Europe/Berlin"
    cast.owner.save()
    choice(cast, cast.owner, digest_days="daily", digest_hour=15)
    choice(cast, cast.accountant, digest_days="weekdays", digest_hour=8)
    trade = builders.a_cause(
        ProblemCode.ACCOUNT_UNMAPPED, "BILL account Trade Shows has no Sage account.",
        subject="acc-trade", name="Trade Shows",
    )  # fmt: skip
    builders.a_posting(cast.company, at=BEFORE_EIGHT, state="BLOCKED", problems=[trade])
    clock = Moved(BEFORE_EIGHT)

    assert tell(cast.company, clock) == []
    clock.now += timedelta(minutes=1)
    sent = tell(cast.company, clock)

    assert sorted(message.to[0] for message in sent) == [
        "accountant@calder.example",
        "owner@calder.example",
    ]
    assert {message.subject for message in sent} == {
        "Calder Bakery: BILL account without a Sage account: Trade Shows, 1 bill waits, 100.00"
    }
    by = {message.to[0]: message.body for message in sent}
    assert "Tuesday, December 1, 2026, 3:00 pm, Berlin time" in by["owner@calder.example"]
    assert "8:00 am, Central time" in by["accountant@calder.example"]
    assert "/calder/bakery/attention/#account_unmapped-acc-trade" in by["owner@calder.example"]
    clock.now += timedelta(hours=2)
    assert tell(cast.company, clock) == []
    clock.now += timedelta(hours=22)
    assert len(tell(cast.company, clock)) == 2


def test_the_daily_mail_adds_up_and_says_what_was_read_back(cast: Cast) -> None:
    choice(cast, cast.owner, digest_days="daily", digest_hour=8)
    choice(cast, cast.accountant)
    bill = builders.a_bill()
    with tenant_scope(cast.tenant.pk):
        batch = builders.a_batch(cast.company, at=BEFORE_EIGHT - timedelta(hours=3))
    builders.a_posting(cast.company, bill=bill, at=BEFORE_EIGHT, batch=batch,
                       **builders.in_sage(bill, batch=4471, entry=1, status="Open",
                                          at=BEFORE_EIGHT))  # fmt: skip
    uncertain = {"batch": batch, "state": "UNCERTAIN", "order_number": "00U1"}
    builders.a_posting(cast.company, at=BEFORE_EIGHT, **uncertain)

    [sent] = tell(cast.company, Moved(BEFORE_EIGHT + timedelta(minutes=1)))

    assert sent.subject == "Calder Bakery: 2 bills sent, all explained"
    lines = [line.split() for line in sent.body.splitlines()]
    assert ["Sent", "from", "BILL", "2", "bills", "200.00"] in lines
    assert ["Open", "1", money(Decimal(-100))] in lines
    assert ["Being", "looked", "up", "1", money(Decimal(-100))] in lines
    assert ["Unexplained", "0.00"] in lines
    assert '<span class="ties">0.00</span>' in sent.alternatives[0].content


def test_a_day_with_nothing_to_say_brings_no_mail(cast: Cast) -> None:
    choice(cast, cast.owner, digest_days="daily", digest_hour=8)
    choice(cast, cast.accountant)
    clock = Moved(BEFORE_EIGHT + timedelta(minutes=1))

    assert tell(cast.company, clock) == []
    assert [row.state for row in rows(cast.company)] == ["nothing"]


# --- the page and the link ------------------------------------------------------------------------

PAGE = "/calder/bakery/notifications/"
CHOSEN = {"kinds": ["connection"], "days": "daily", "hour": "17", "zone": "Europe/Berlin"}


def test_a_person_chooses_what_they_are_told(
    cast: Cast, signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(cast.viewer)
    before = browser.get(PAGE).content.decode()

    answer = browser.post(PAGE, CHOSEN, follow=True)

    assert "what counts for viewers" in before
    assert "You have chosen no daily mail" in before
    page = answer.content.decode()
    assert "Kept. It counts from now on." in page
    assert "5:00 pm" in page
    assert "Berlin time" in page
    cast.viewer.refresh_from_db()
    assert cast.viewer.time_zone == "Europe/Berlin"
    assert browser.post(PAGE, CHOSEN | {"hour": "24"}).status_code == 422


def test_the_page_says_that_mail_is_not_set_up_and_keeps_the_choice(
    cast: Cast, signed_in: Callable[[User], Client], settings: Any
) -> None:
    settings.MAIL_IS_SET_UP, settings.PUBLIC_URL = False, ""
    browser = signed_in(cast.owner)

    page = browser.post(PAGE, CHOSEN, follow=True).content.decode()

    assert "Mail is not set up here, so nothing is sent." in page
    assert "The operator of this installation sets EMAIL_URL and PUBLIC_URL." in page
    with tenant_scope(cast.tenant.pk):
        assert MailChoice.objects.get(user=cast.owner).digest_hour == 17
    answer = browser.post(f"{PAGE}digest/", follow=True).content.decode()
    assert "Nothing was sent: mail is not set up here." in answer


def test_a_digest_asked_for_comes_at_once_and_shows_its_outcome(
    cast: Cast, signed_in: Callable[[User], Client]
) -> None:
    company, _ = a_stopped_company(cast)
    browser = signed_in(cast.accountant)
    with tenant_scope(cast.tenant.pk):
        MailChoice.objects.all().delete()
        row = BillConnection.objects.get()
        row.resume()
    nothing = browser.post(f"{PAGE}digest/", follow=True).content.decode()
    with tenant_scope(cast.tenant.pk):
        row.pause(reason="BILL has locked this user.", now=builders.NOW)

    asked = browser.post(f"{PAGE}digest/", follow=True).content.decode()
    browser.post(f"{PAGE}digest/")
    sent = tell(company, lambda: datetime.now(UTC))

    assert "There is nothing to say just now" in nothing
    assert "goes to accountant@calder.example within seconds" in asked
    subjects = [m.subject for m in sent if m.to == ["accountant@calder.example"]]
    assert "Calder Bakery: BILL is paused, nothing new is read" in subjects
    assert "On its way" not in browser.get(PAGE).content.decode()


def test_the_link_in_a_mail_stops_its_kind_without_signing_in(cast: Cast) -> None:
    company, clock = a_stopped_company(cast)
    [sent] = tell(company, clock)
    link = sent.extra_headers["List-Unsubscribe"].strip("<>")
    path = link.removeprefix("https://connect.example")
    anybody = Client(enforce_csrf_checks=True)

    looked = anybody.get(path).content.decode()
    assert "Stop “A connection is paused or does not answer”?" in looked
    assert "owner@calder.example" in looked
    with tenant_scope(cast.tenant.pk):
        assert MailChoice.objects.get(user=cast.owner).kinds == ["connection"], (
            "a look stops nothing"
        )
    stopped = anybody.post(path, {"List-Unsubscribe": "One-Click"})

    assert stopped.status_code == 200
    assert "It does not go to you any more" in stopped.content.decode()
    with tenant_scope(cast.tenant.pk):
        assert MailChoice.objects.get(user=cast.owner).kinds == []
    clock.now += timedelta(days=2)
    assert tell(company, clock) == []
    assert anybody.post(path[:-6] + "abcde/").status_code == 404
