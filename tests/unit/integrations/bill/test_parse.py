"""What BILL's JSON becomes."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from integrations.bill.parse import (
    parse_bill,
    parse_event,
    parse_list_item,
    parse_page,
    parse_past_event,
    parse_session,
    parse_subscription,
    parse_vendor,
)
from integrations.bill.types import Bill, ListKind
from integrations.bill.values import UnreadableJson, amount_of, date_of, id_of, moment_of, read_json
from integrations.errors import UnexpectedAnswer

NO_ID = "0" * 20


def a_bill_row(**overrides: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": "00n01AAAAAAAAAAAAAAA",
        "archived": False,
        "vendorId": "00901AAAAAAAAAAAAAAA",
        "vendorName": "Novak Mills",
        "amount": Decimal("228.99"),
        "dueDate": "2026-12-31",
        "invoice": {"invoiceNumber": "10442", "invoiceDate": "2026-12-01"},
        "billLineItems": [
            {
                "id": "bli01",
                "amount": Decimal("200.00"),
                "description": "flour",
                "classifications": {"chartOfAccountId": "0ca01"},
            },
            {"id": "bli02", "amount": Decimal("28.99"), "classifications": {"itemId": "0ii01"}},
        ],
        "approvalStatus": "APPROVED",
        "paymentStatus": "UNPAID",
        "createdTime": "2026-11-30T23:15:23.127+00:00",
        "updatedTime": "2026-12-01T08:00:00.000Z",
    }
    return row | overrides


def read(row: dict[str, object]) -> Bill:
    """Through text, as it arrives."""
    text = json.dumps(row, default=float)
    value = read_json(text.encode())
    assert isinstance(value, dict)
    return parse_bill(value)


def test_an_amount_is_written_without_exponent() -> None:
    assert str(amount_of(read_json(b"1.5E7"))) == "15000000"


def test_a_bill_is_read_whole() -> None:
    bill = read(a_bill_row())

    assert bill.amount == Decimal("228.99")
    assert bill.invoice_date == date(2026, 12, 1)
    assert bill.due_date == date(2026, 12, 31)
    assert [line.amount for line in bill.lines] == [Decimal("200.0"), Decimal("28.99")]
    assert bill.lines[0].coding.account_id == "0ca01"
    assert bill.lines[1].coding.item_id == "0ii01"
    assert bill.created_at == datetime(2026, 11, 30, 23, 15, 23, 127000, tzinfo=UTC)


def test_what_bill_leaves_out_is_unset_and_never_zero() -> None:
    bill = parse_bill({"id": "00n01"})

    assert bill.amount is None
    assert bill.vendor_id == ""
    assert bill.lines == ()
    assert bill.due_date is None
    assert not bill.archived


def test_unknown_words_are_kept() -> None:
    bill = parse_bill(a_bill_row(approvalStatus="HALFWAY", paymentStatus="PARTIALLY_SCHEDULED"))

    assert bill.approval_status == "HALFWAY"
    assert bill.payment_status == "PARTIALLY_SCHEDULED"


def test_a_record_without_an_id_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_bill({"id": NO_ID, "amount": 1})


@pytest.mark.parametrize(
    ("sent", "amount"),
    [
        (b"0.30", Decimal("0.30")),
        (b"1500.00", Decimal("1500.00")),
        (b"1500", Decimal(1500)),
        (b"-12.5", Decimal("-12.5")),
        (b'"228.99"', Decimal("228.99")),
        (b'" 12 "', Decimal(12)),
        (b"12345678901.23", Decimal("12345678901.23")),
        (b"0", Decimal(0)),
        (b'"1,500.00"', None),
        (b'""', None),
        (b'"NaN"', None),
        (b"1.5E7", Decimal(15_000_000)),
        (b"1.23456789E7", Decimal("12345678.90")),
        (b'"1.5E7"', Decimal(15_000_000)),
        (b"0.30000000000000004", Decimal("0.30")),
        (b"-0.30000000000000004", Decimal("-0.30")),
        (b'"0x10"', None),
        ('"\u0661\u0662"'.encode(), None),
        (b"1e400", None),
        (b"1e-400", None),
        (b"99999999999999999999", None),
        (b"true", None),
        (b"null", None),
        (b"{}", None),
    ],
)
def test_amounts_are_exact_or_absent(sent: bytes, amount: Decimal | None) -> None:
    assert amount_of(read_json(sent)) == amount


@pytest.mark.parametrize("sent", [None, "", "  ", NO_ID, "0", False, [], {}])
def test_every_spelling_of_an_unset_id_is_empty(sent: object) -> None:
    assert id_of(sent) == ""


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-12-15", date(2026, 12, 15)),
        ("2026-12-15T00:00:00.000Z", date(2026, 12, 15)),
        ("2026-12-15T00:00:00.000+14:00", date(2026, 12, 15)),
        ("2026-12-15 23:59:59", date(2026, 12, 15)),
        ("2026-02-30", None),
        ("15/12/2026", None),
        ("2026-12-155", None),
        ("", None),
        (None, None),
        (20261215, None),
    ],
)
def test_civil_dates_never_change_zone(sent: object, expected: date | None) -> None:
    assert date_of(sent) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2025-12-30T23:15:23.127+00:00", datetime(2025, 12, 30, 23, 15, 23, 127000, tzinfo=UTC)),
        ("2025-12-30T23:15:23.127Z", datetime(2025, 12, 30, 23, 15, 23, 127000, tzinfo=UTC)),
        ("2025-12-30T18:15:23-05:00", datetime(2025, 12, 30, 23, 15, 23, tzinfo=UTC)),
        ("2025-12-30T23:15:23", datetime(2025, 12, 30, 23, 15, 23, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_moments_are_in_utc(sent: object, expected: datetime | None) -> None:
    assert moment_of(sent) == expected


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"{", b"NaN", b'{"a":Infinity}', b"\xff\xfe", b"[" * 200_000]
)
def test_what_is_not_json_is_said_to_be_so(body: bytes) -> None:
    with pytest.raises(UnreadableJson):
        read_json(body)


def test_text_the_database_cannot_hold_is_made_storable() -> None:
    bill = parse_bill(a_bill_row(description="caf\u00e9 \U0001f35e\x00 \ud83d end"))

    assert bill.description == "caf\u00e9 \U0001f35e \ufffd end"
    bill.description.encode()


UNCHANGED = {
    "amount as text": {"amount": "228.99"},
    "amount with more zeros": {"amount": Decimal("228.9900")},
    "payment": {"paymentStatus": "PAID"},
    "saved again": {"updatedTime": "2027-01-01T00:00:00.000Z"},
    "vendor renamed": {"vendorName": "Novak Mills Inc"},
    "unset id spelled out": {"payFromChartOfAccountId": NO_ID, "classifications": {"jobId": NO_ID}},
    "date as date-time": {
        "invoice": {"invoiceNumber": "10442", "invoiceDate": "2026-12-01T00:00:00.000Z"}
    },
}


@pytest.mark.parametrize("change", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_hash_stays_where_nothing_owed_changed(change: dict[str, object]) -> None:
    assert parse_bill(a_bill_row(**change)).content_hash == parse_bill(a_bill_row()).content_hash


def test_hash_stays_when_lines_get_new_ids_or_another_order() -> None:
    row = a_bill_row()
    lines = row["billLineItems"]
    assert isinstance(lines, list)
    renewed = [{**line, "id": f"bli9{n}"} for n, line in enumerate(reversed(lines))]

    changed = parse_bill(a_bill_row(billLineItems=renewed))

    assert changed.content_hash == parse_bill(row).content_hash
    assert changed.lines[0].id == "bli90"


CHANGED: dict[str, dict[str, object]] = {
    "amount": {"amount": Decimal("229.99")},
    "amount gone": {"amount": None},
    "approval": {"approvalStatus": "DENIED"},
    "archived": {"archived": True},
    "vendor": {"vendorId": "00902"},
    "number": {"invoice": {"invoiceNumber": "10443", "invoiceDate": "2026-12-01"}},
    "due date": {"dueDate": "2027-01-31"},
    "a line": {"billLineItems": []},
    "coding": {"classifications": {"departmentId": "0de1"}},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())
def test_hash_moves_with_what_is_owed(change: dict[str, object]) -> None:
    assert parse_bill(a_bill_row(**change)).content_hash != parse_bill(a_bill_row()).content_hash


def test_a_vendor_is_read_without_tax_id_and_bank_data() -> None:
    vendor = parse_vendor(
        {
            "id": "00901",
            "name": "Novak",
            "accountNumber": 4711,
            "billCurrency": "USD",
            "additionalInfo": {"companyName": "Novak Mills LLC", "taxId": "99-1234567"},
            "paymentInformation": {"bankAccount": {"accountNumber": "12345678"}},
            "address": {"line1": "1 Mill St", "zipOrPostalCode": "60601", "country": "US"},
        }
    )

    assert vendor.account_number == "4711"
    assert vendor.company_name == "Novak Mills LLC"
    assert vendor.address.postal_code == "60601"
    assert "99-1234567" not in repr(vendor)
    assert "12345678" not in repr(vendor)


@pytest.mark.parametrize(
    ("kind", "row", "name", "number"),
    [
        (
            ListKind.ACCOUNT,
            {"id": "0ca1", "name": "Flour", "account": {"number": " 1-020 ", "type": "EXPENSE"}},
            "Flour",
            "1-020",
        ),
        (ListKind.ACCOUNT, {"id": "0ca2", "name": "No number"}, "No number", ""),
        (ListKind.EMPLOYEE, {"id": "emp1", "firstName": "Ada", "lastName": "Lis"}, "Ada Lis", ""),
        (ListKind.JOB, {"id": "job1", "shortName": "J-1"}, "J-1", ""),
    ],
)
def test_list_items_have_a_name_and_an_account_number(
    kind: ListKind, row: dict[str, object], name: str, number: str
) -> None:
    item = parse_list_item(kind, row)

    assert (item.name, item.number) == (name, number)


def test_an_item_names_its_expense_account() -> None:
    item = parse_list_item(
        ListKind.ITEM, {"id": "0ii1", "name": "Box", "expenseChartOfAccountId": "0ca7"}
    )

    assert item.expense_account_id == "0ca7"


EVENT = {
    "metadata": {
        "eventId": "evt-1",
        "subscriptionId": "sub-1",
        "organizationId": "00801",
        "eventType": "bill.updated",
        "version": "1",
    },
    "bill": {"id": "00n01", "invoice": {"invoiceDate": "2026-12-15T00:00:00.000Z"}},
}


@pytest.mark.parametrize("body", [json.dumps(EVENT), json.dumps(json.dumps(EVENT))])
def test_an_event_is_read_as_object_and_as_string(body: str) -> None:
    event = parse_event(body.encode())

    assert (event.event_id, event.subscription_id) == ("evt-1", "sub-1")
    assert (event.entity, event.entity_id) == ("bill", "00n01")
    assert event.organization_id == "00801"


def test_the_object_in_the_message_decides_the_kind() -> None:
    event = parse_event(
        json.dumps({"metadata": {"eventId": "e", "eventType": "x.y"}, "bankAccount": {"id": "vba"}})
    )

    assert (event.entity, event.entity_id) == ("bankAccount", "vba")


def test_an_event_about_nothing_keeps_the_word_of_its_type() -> None:
    event = parse_event(json.dumps({"metadata": {"eventId": "e", "eventType": "payment.failed"}}))

    assert (event.entity, event.entity_id) == ("payment", "")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'"text"', b"<html>", b'{"metadata": {}}', b'{"metadata": []}']
)
def test_a_message_without_an_event_id_is_refused(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_event(body)


@pytest.mark.parametrize("last", [{}, {"nextPage": None}, {"nextPage": ""}])
def test_the_last_page_has_no_cursor(last: dict[str, object]) -> None:
    assert parse_page({"results": [{"id": "1"}], **last}).next_cursor == ""


@pytest.mark.parametrize("answer", [{}, {"results": None}, {"results": {}}, "text", 5, None])
def test_a_list_in_another_form_is_refused(answer: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_page(answer)


def test_a_subscription_shows_its_key_only_where_bill_sent_it() -> None:
    row = {
        "id": "sub-1",
        "name": "connector",
        "status": {"enabled": True},
        "events": [{"type": "bill.created", "version": "1"}],
        "notificationUrl": "https://example.com/hook",
    }

    assert parse_subscription(row).security_key == ""
    assert parse_subscription(row).is_enabled
    assert parse_subscription({**row, "securityKey": "k"}).security_key == "k"


def test_history_keeps_the_payload_as_text() -> None:
    as_text = parse_past_event({"id": "e", "payload": "{}", "statusCode": 200})
    as_object = parse_past_event({"id": "e", "payload": {"bill": {}}})

    assert (as_text.payload, as_text.status_code) == ("{}", 200)
    assert (as_object.payload, as_object.status_code) == ('{"bill":{}}', 0)


def test_a_sync_token_is_known_by_its_user_id() -> None:
    assert parse_session({"sessionId": "s", "userId": "syu01"}).is_token
    assert not parse_session({"sessionId": "s", "userId": "00601"}).is_token
