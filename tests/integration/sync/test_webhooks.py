"""BILL's letter box over HTTP: what is kept, what is refused, and what a stranger learns."""

import json
import statistics
import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from integrations.bill.signatures import sign
from integrations.models import WebhookAddress, WebhookKey, WebhookSubscription
from sync.models import DueWork, WebhookEvent
from sync.services import letter_box, turns
from tenants.models import Company
from tenants.scoping import operator_scope, tenant_scope
from tests.builders import NOW, a_company

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "a-key-of-forty-four-characters-as-bill-makes"
REFUSAL = b'{"detail":"The signature does not fit."}'


class LetterBox:
    """A company's letter box, and a BILL that posts to it."""

    def __init__(self) -> None:
        self.company: Company = a_company()
        self.client = Client()
        self.address = WebhookAddress.objects.create(
            tenant_id=self.company.tenant_id, company_id=self.company.pk, created_at=NOW
        )
        with tenant_scope(self.company.tenant_id):
            self.subscription = WebhookSubscription.objects.create(
                tenant_id=self.company.tenant_id,
                company=self.company,
                address_id=self.address.pk,
                bill_id="subscription",
                status="registered",
            )
        self.add_key(KEY)
        turns.keep_turns(tenant_id=self.company.tenant_id, company_id=self.company.pk)

    def add_key(self, key: str, **values: Any) -> None:
        with tenant_scope(self.company.tenant_id):
            WebhookKey.objects.create(
                tenant_id=self.company.tenant_id,
                subscription=self.subscription,
                key=key,
                created_at=NOW,
                **values,
            )

    def post(
        self, body: bytes, *, key: str = KEY, address: uuid.UUID | None = None, **headers: str
    ) -> Any:
        headers.setdefault("x-bill-sha-signature", sign(body, key.encode()))
        return self.client.post(
            f"/webhooks/bill/{address or self.address.pk}/",
            body,
            content_type="application/json",
            headers=headers,
        )

    def events(self) -> list[WebhookEvent]:
        with operator_scope():
            return list(WebhookEvent.objects.order_by("event_id"))


def an_event(event_id: str = "event-1", **bill: object) -> bytes:
    content = {
        "metadata": {"eventId": event_id, "eventType": "bill.updated", "version": "1"},
        "bill": {"id": "00n00000000000000001", **bill},
    }
    return json.dumps(content, separators=(",", ":")).encode()


@pytest.fixture
def box(db: None) -> LetterBox:
    return LetterBox()


def test_signed_event_is_kept_and_makes_the_company_due_soon(box: LetterBox) -> None:
    body = an_event()

    answer = box.post(body)

    assert (answer.status_code, answer.content) == (200, b"{}")
    [event] = box.events()
    assert (event.event_id, event.event_type) == ("event-1", "bill.updated")
    assert (event.entity, event.entity_id) == ("bill", "00n00000000000000001")
    assert (event.company_id, event.tenant_id) == (box.company.pk, box.company.tenant_id)
    assert bytes(event.body) == body
    assert event.taken_in_at is None
    rung = DueWork.objects.get().rung_at
    assert rung is not None
    assert timedelta(0) < rung - timezone.now() < timedelta(seconds=3.1)
    assert OrmQ.objects.count() == 1


def test_repeat_gets_the_same_answer_and_makes_no_work(box: LetterBox) -> None:
    box.post(an_event())
    DueWork.objects.update(rung_at=None)
    OrmQ.objects.all().delete()

    answer = box.post(an_event())

    assert (answer.status_code, answer.content) == (200, b"{}")
    assert len(box.events()) == 1
    assert DueWork.objects.get().rung_at is None
    assert not OrmQ.objects.exists()


def test_burst_of_events_rings_once(box: LetterBox) -> None:
    for number in range(20):
        box.post(an_event(f"event-{number}"))

    assert len(box.events()) == 20
    assert OrmQ.objects.count() == 1


def test_event_written_as_a_json_string_is_read_like_an_object(box: LetterBox) -> None:
    answer = box.post(json.dumps(an_event().decode()).encode())

    assert answer.status_code == 200
    assert box.events()[0].entity_id == "00n00000000000000001"


def test_signature_over_the_minified_body_is_accepted(box: LetterBox) -> None:
    pretty = json.dumps(json.loads(an_event()), indent=2).encode()

    answer = box.post(pretty, **{"x-bill-sha-signature": sign(an_event(), KEY.encode())})

    assert answer.status_code == 200


def test_old_key_is_good_until_its_time_is_over(box: LetterBox) -> None:
    now = timezone.now()
    box.add_key("replaced yesterday", valid_until=now + timedelta(days=6))
    box.add_key("replaced long ago", valid_until=now - timedelta(seconds=1))

    answers = [
        box.post(an_event("a"), key="replaced yesterday").status_code,
        box.post(an_event("b"), key="replaced long ago").status_code,
        box.post(an_event("c")).status_code,
    ]

    assert answers == [200, 401, 200]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-bill-sha-signature": ""},
        {"x-bill-sha-signature": "not base64"},
        {"x-bill-sha-signature": "é"},
        {"x-bill-sha-signature": sign(an_event(), b"another key")},
        {"x-bill-sha-signature": sign(an_event("other"), KEY.encode())},
        {"x-bill-sha-signature": sign(an_event(), b"")},
    ],
)
def test_wrong_signature_is_refused_and_nothing_is_kept(
    box: LetterBox, headers: dict[str, str]
) -> None:
    answer = box.post(an_event(), **headers)

    assert (answer.status_code, answer.content) == (401, REFUSAL)
    assert not box.events()


def test_unknown_box_and_box_without_a_key_answer_like_a_wrong_signature(box: LetterBox) -> None:
    unknown = box.post(an_event(), address=uuid.uuid4())
    with tenant_scope(box.company.tenant_id):
        WebhookKey.objects.all().delete()
    keyless = box.post(an_event())
    wrong = box.post(an_event(), key="wrong")

    answers = {
        (each.status_code, each.content, each["Content-Type"]) for each in (unknown, keyless, wrong)
    }
    assert answers == {(401, REFUSAL, "application/json")}
    assert not box.events()


def test_unknown_box_takes_the_time_of_a_known_one(box: LetterBox) -> None:
    """Coarse, as other work shares the machine: a look-up saved would show as a third and more."""

    def seconds(address: uuid.UUID) -> float:
        start = time.perf_counter()
        box.post(an_event(), key="wrong", address=address)
        return time.perf_counter() - start

    seconds(box.address.pk), seconds(uuid.uuid4())
    pairs = [(seconds(box.address.pk), seconds(uuid.uuid4())) for _ in range(60)]

    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert 0.6 < unknown / known < 1.6


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"metadata": {}}',
        b"[]",
        b'"text that holds no event"',
        b"\xff\xfe",
        b"[" * 5_000,
    ],
)
def test_signed_message_that_is_no_event_is_kept_aside(box: LetterBox, body: bytes) -> None:
    first, again = box.post(body), box.post(body)

    assert (first.status_code, again.status_code) == (200, 200)
    [event] = box.events()
    assert event.event_type == "poison"
    assert event.taken_in_at is not None
    assert "cannot be read" in event.note
    assert DueWork.objects.get().rung_at is None


def test_texts_the_database_cannot_hold_are_cleaned(box: LetterBox) -> None:
    body = (
        b'{"metadata":{"eventId":"a\\u0000b\\ud800","eventType":"' + b"x" * 200 + b'"},"bill":{}}'
    )

    answer = box.post(body)

    assert answer.status_code == 200
    assert box.events()[0].event_id == "ab\N{REPLACEMENT CHARACTER}"
    assert len(box.events()[0].event_type) == 60


def test_message_that_is_too_long_is_refused_unread(box: LetterBox, settings: Any) -> None:
    longest = settings.CONNECTOR.webhook_body_bytes
    fitting = an_event(note="x" * (longest - len(an_event(note=""))))

    answers = [box.post(fitting).status_code, box.post(fitting + b" ").status_code]

    assert answers == [200, 413]
    assert len(box.events()) == 1


def test_only_post_is_answered(box: LetterBox) -> None:
    path = f"/webhooks/bill/{box.address.pk}/"

    statuses = {
        method: getattr(box.client, method)(path).status_code
        for method in ("get", "put", "delete", "options")
    }

    assert set(statuses.values()) == {405}


def test_caller_that_accepts_only_html_is_answered_all_the_same(box: LetterBox) -> None:
    assert box.post(an_event(), accept="text/html").status_code == 200


def test_database_away_asks_bill_to_send_again(
    box: LetterBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE sync_webhookevent RENAME TO away")
    try:
        answer = box.post(an_event())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO sync_webhookevent")

    assert answer.status_code == 503
    assert b"send it again" in answer.content.lower()


def test_same_event_sent_at_once_by_many_is_kept_once(box: LetterBox) -> None:
    statuses: list[int] = []

    def send() -> None:
        statuses.append(box.post(an_event()).status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 8
    assert len(box.events()) == 1
    assert OrmQ.objects.count() == 1


def test_letter_box_leaves_no_scope_open(box: LetterBox) -> None:
    letter_box.find_box(box.address.pk)

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant', true)")
        assert not cursor.fetchone()[0]
