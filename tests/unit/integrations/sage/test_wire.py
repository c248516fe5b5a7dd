"""Sage's JSON: order, exact numbers, and the spellings an answer may have."""

import json
from datetime import date
from decimal import Decimal

import pytest

from integrations.sage300 import lists, wire
from integrations.sage300.types import (
    Invoice,
    InvoiceDetail,
    PostProcess,
    SageVendor,
    TaxControl,
)
from integrations.sage300.values import WireError, amount, day, loads, page, unformatted, whole


def an_invoice(**changes: object) -> Invoice:
    values: dict[str, object] = {
        "vendor_number": "NOVAK",
        "document_number": "10442",
        "order_number": "00N01ABCDEFGHIJKLMNO",
        "document_date": date(2026, 11, 14),
        "posting_date": date(2026, 11, 15),
        "due_date": date(2026, 12, 14),
        "total": Decimal("125.50"),
        "details": (
            InvoiceDetail(gl_account="6030100", amount=Decimal("100.00"), description="Cleaning"),
            InvoiceDetail(gl_account="6040300", amount=Decimal("25.50"), comment="line 2 of 2"),
        ),
        "description": "November cleaning",
        "po_number": "PO-77",
    }
    return Invoice(**(values | changes))  # type: ignore[arg-type]


def body_of(*invoices: Invoice) -> bytes:
    return wire.batch_body(description="MLC1-ABC", batch_date=date(2026, 11, 15), invoices=invoices)


def test_a_batch_is_written_in_sages_order() -> None:
    body = json.loads(body_of(an_invoice()))

    assert list(body) == ["BatchDate", "Description", "Invoices"]
    assert list(body["Invoices"][0]) == [
        "VendorNumber",
        "DocumentType",
        "DocumentNumber",
        "DocumentDate",
        "PostingDate",
        "OrderNumber",
        "PONumber",
        "InvoiceDescription",
        "DueDate",
        "TaxAmountControl",
        "TaxAmount1",
        "TaxAmount2",
        "TaxAmount3",
        "TaxAmount4",
        "TaxAmount5",
        "DocumentTotalIncludingTax",
        "InvoiceDetails",
    ]
    assert list(body["Invoices"][0]["InvoiceDetails"][0]) == [
        "GLAccount",
        "DistributionDescription",
        "DistributedAmount",
    ]


@pytest.mark.parametrize("text", ["125.50", "0.10", "1234567890123456.789", "-3.005", "7"])
def test_an_amount_is_written_digit_for_digit(text: str) -> None:
    assert f'"DocumentTotalIncludingTax":{text},'.encode() in body_of(
        an_invoice(total=Decimal(text))
    )


def test_the_same_batch_is_the_same_bytes() -> None:
    assert body_of(an_invoice()) == body_of(an_invoice())


def test_dates_are_midnight_without_a_zone() -> None:
    assert b'"DocumentDate":"2026-11-14T00:00:00Z"' in body_of(an_invoice())


def test_what_is_blank_is_left_to_sage() -> None:
    invoice = an_invoice(posting_date=None, due_date=None, po_number="", description="")

    body = json.loads(body_of(invoice))["Invoices"][0]

    assert not {"PostingDate", "DueDate", "PONumber", "InvoiceDescription"} & body.keys()


def test_tax_is_entered_as_zero_or_left_to_sage() -> None:
    entered = json.loads(body_of(an_invoice()))["Invoices"][0]
    calculated = json.loads(body_of(an_invoice(tax_control=None)))["Invoices"][0]

    assert (entered["TaxAmountControl"], entered["TaxAmount1"]) == ("Enter", 0)
    assert not {"TaxAmountControl", "TaxAmount1"} & calculated.keys()


def test_emoji_and_accents_travel() -> None:
    body = body_of(an_invoice(description="Crème brûlée 🍮"))

    assert json.loads(body)["Invoices"][0]["InvoiceDescription"] == "Crème brûlée 🍮"


def test_an_amount_that_is_no_number_is_not_sent() -> None:
    with pytest.raises(WireError):
        body_of(an_invoice(total=Decimal("NaN")))


ANSWER = b"""{"@odata.context":"x","BatchNumber":58.0,"BatchDate":"2026-11-15T00:00:00Z",
"Description":"MLC1-ABC  ","NumberOfEntries":1,"BatchTotal":125.5,"BatchStatus":"Open",
"PostingSequenceNumber":0,"NumberOfErrors":0,"Invoices":[{"BatchNumber":58,"EntryNumber":1.000,
"VendorNumber":"NOVAK","DocumentNumber":"10442","OrderNumber":"00n01abc","DocumentType":"Invoice",
"DocumentDate":"2026-11-14T00:00:00Z","PostingDate":"2026-11-15T00:00:00Z","DueDate":null,
"FiscalYear":"2026","FiscalPeriod":"11","CurrencyCode":"USD","TaxAmountControl":"Enter",
"DocumentTotalIncludingTax":125.500,"UndistributedAmount":0,"InvoiceDetails":[
{"LineNumber":20,"GLAccount":"6030-100","DistributedAmount":125.5}]}]}"""


def test_a_batch_is_read_whatever_way_its_numbers_are_written() -> None:
    batch = wire.parse_batch(ANSWER)

    assert (batch.header.number, batch.header.description) == (58, "MLC1-ABC")
    invoice = batch.invoices[0]
    assert (invoice.entry_number, invoice.order_number) == (1, "00N01ABC")
    assert (invoice.total, invoice.undistributed_amount) == (Decimal("125.5"), Decimal(0))
    assert invoice.due_date is None
    assert invoice.details[0].gl_account == "6030100"
    assert invoice.tax_control is TaxControl.ENTER


def test_a_status_unknown_to_us_is_kept() -> None:
    answer = ANSWER.replace(b'"Open"', b'"InReview"')

    assert wire.parse_batch(answer).header.status == "InReview"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"BatchNumber":null}',
        b'{"BatchNumber":58.5}',
        b'{"BatchNumber":true}',
        b'{"BatchNumber":"x"}',
        b'{"BatchNumber":58,"Invoices":{}}',
        b'{"BatchNumber":58,"Invoices":[{"VendorNumber":"V"}]}',
        b'{"error":{"code":"General"}}',
        ANSWER[:200],
    ],
)
def test_an_answer_that_is_no_batch_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(WireError):
        wire.parse_batch(body)


@pytest.mark.parametrize(
    ("body", "rows", "next_skip", "count"),
    [
        (b'{"value":[{"a":1}]}', 1, None, None),
        (b'{"@odata.count":7,"value":[]}', 0, None, 7),
        (b'{"odata.count":"7","value":[]}', 0, None, 7),
        (b'{"@odata.nextLink":"http://in.side/x?$top=5&$skip=100","value":[]}', 0, 100, None),
        (b'{"@odata.nextLink":"http://in.side/x?%24skip=200","value":[]}', 0, 200, None),
        (b'{"odata.nextLink":"x?$skip=100","value":[]}', 0, 100, None),
        (b'{"d":{"results":[{"a":1}],"__next":"x?$skip=100","__count":"9"}}', 1, 100, 9),
        (b'{"d":[{"a":1},{"a":2}]}', 2, None, None),
    ],
)
def test_a_page_is_read_in_every_envelope(
    body: bytes, rows: int, next_skip: int | None, count: int | None
) -> None:
    found = page(body)

    assert (len(found.rows), found.next_skip, found.count) == (rows, next_skip, count)


@pytest.mark.parametrize(
    "body", [b"{}", b"3", b'{"value":{}}', b'{"value":[1]}', b'{"@odata.nextLink":"x","value":[]}']
)
def test_an_answer_that_is_no_page_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(WireError):
        page(body)


@pytest.mark.parametrize(
    ("value", "number"), [(58, 58), (Decimal("58.0"), 58), ("58", 58), (None, 0)]
)
def test_whole_numbers(value: object, number: int) -> None:
    assert whole(value) == number


def test_amounts_never_pass_through_a_float() -> None:
    assert amount(loads(b"0.1")) + amount(loads(b"0.2")) == Decimal("0.3")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2019-06-13T00:00:00Z", date(2019, 6, 13)),
        ("2019-06-13", date(2019, 6, 13)),
        ("2019-06-13T23:59:59.000-08:00", date(2019, 6, 13)),
        ("1899-12-30T00:00:00Z", None),
        (None, None),
        ("", None),
        ("00000000", None),
    ],
)
def test_a_date_is_never_moved(written: str | None, expected: date | None) -> None:
    assert day(written) == expected


@pytest.mark.parametrize("written", ["6030-100", "6030/100", "6030 100", "6030.100", "6030100"])
def test_account_numbers_compare_without_separators(written: str) -> None:
    assert unformatted(written) == "6030100"


def a_vendor() -> SageVendor:
    return SageVendor(
        number="HALDEN",
        name="Halden Refrigeration",
        group_code="TRADE",
        terms="N30",
        tax_group="EXEMPT",
        gl_account="6210100",
        address_lines=("1 Ice Road", "Dock 4"),
        city="Duluth",
    )


def test_a_vendor_is_written_group_first_and_its_overrides_after() -> None:
    body = json.loads(wire.vendor_body(a_vendor()))

    assert list(body) == [
        "VendorNumber",
        "GroupCode",
        "VendorName",
        "Terms",
        "TaxGroup",
        "DistributionType",
        "GLAccount",
        "AddressLine1",
        "AddressLine2",
        "City",
    ]


@pytest.mark.parametrize("name", ["GroupCode", "VendorNumber"])
def test_a_vendors_group_and_number_are_never_in_an_update(name: str) -> None:
    with pytest.raises(WireError):
        wire.vendor_changes_body({"VendorName": "New", name: "X"})


def test_a_vendors_changes_keep_sages_order() -> None:
    body = json.loads(wire.vendor_changes_body({"GLAccount": "1", "Terms": "N30"}))

    assert list(body) == ["Terms", "GLAccount"]


@pytest.mark.parametrize(
    "row",
    [
        {"PostingSequenceNo": 9, "VendCurrencyInvoiceAmount": Decimal("5.25")},
        {"PostingSequenceNumber": "9", "VendorCurrencyInvoiceAmount": Decimal("5.25")},
        {"PostingSequenceNumber": 9, "FunctionalCurrencyInvoiceAmount": Decimal("5.25")},
    ],
)
def test_posted_documents_are_read_in_either_spelling(row: dict[str, object]) -> None:
    key = {"VendorNumber": "V", "DocumentNumber": "d-1", "BatchNumber": 58, "EntryNumber": 1}

    document = lists.parse_posted(key | row)

    assert document.document_number == "D-1"
    assert (document.posting_sequence, document.amount) == (9, Decimal("5.25"))


@pytest.mark.parametrize(
    ("row", "process"),
    [
        (
            {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": 0, "ToBatch": 0},
            PostProcess(
                from_field="FromBatch",
                to_field="ToBatch",
                all_field="ProcessAllBatches",
                not_all_value="Donotpostallbatches",
            ),
        ),
        (
            {"PostAllBatches": "DoNotPostAllBatches", "PostBatchFrom": 0, "PostBatchTo": 0},
            PostProcess(
                from_field="PostBatchFrom",
                to_field="PostBatchTo",
                all_field="PostAllBatches",
                not_all_value="DoNotPostAllBatches",
            ),
        ),
        ({"ProcessAllBatches": "Postallbatches", "FromBatch": 0, "ToBatch": 0}, None),
        ({"ProcessAllBatches": "Donotpostallbatches", "FromBatch": 0}, None),
        ({"FromBatch": 0, "ToBatch": 0}, None),
        ({}, None),
    ],
)
def test_posting_is_offered_only_where_the_server_names_all_it_takes(
    row: dict[str, object], process: PostProcess | None
) -> None:
    assert lists.parse_post_process(row) == process


def test_a_fiscal_year_is_read_period_by_period() -> None:
    row = {
        "FiscalYear": "2026",
        "Active": "Yes",
        "FiscalPeriod1StartDate": "2026-01-01T00:00:00Z",
        "FiscalPeriod1EndDate": "2026-01-31T00:00:00Z",
        "FiscalPeriod2StartDate": None,
        "FiscalPeriod13StartDate": "2026-12-31T00:00:00Z",
        "FiscalPeriod13EndDate": "2026-12-31T00:00:00Z",
    }

    periods = list(lists.periods_of(row))

    assert [(p.period, p.first_date.day, p.is_open) for p in periods] == [
        ("01", 1, True),
        ("13", 31, True),
    ]


@pytest.mark.parametrize("word", [True, "Yes", "true"])
def test_a_yes_may_be_a_word_or_a_boolean(word: object) -> None:
    assert lists.parse_profile({"Multicurrency": word}).is_multicurrency
