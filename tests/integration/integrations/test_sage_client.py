"""The Sage 300 client over real HTTP against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import integrations.standins
from integrations.errors import (
    AddressRefused,
    AuthRefused,
    Busy,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
)
from integrations.guard import AddressPolicy
from integrations.sage300.client import Sage300Client
from integrations.sage300.door import Deadlines, SageAddress, full_base_url
from integrations.sage300.errors import RightMissing, refused_document
from integrations.sage300.types import BatchStatus, Invoice, InvoiceDetail, SageVendor
from integrations.sage300.wire import batch_body
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer
from integrations.transport import Record, Transport

SAMPLE = Path(integrations.standins.__file__).parent / "samples" / "sage300-practice.json"
TODAY = date(2026, 3, 16)
BATCHES = r"* /APInvoiceBatches"


@dataclass
class Desk:
    """The stand-in, the client that speaks to it, and what went over the wire."""

    server: StandInServer
    world: Sage300World
    records: list[Record]

    def client(self, **changes: str) -> Sage300Client:
        values = {
            "base_url": self.server.url,
            "company": "CALBAK",
            "user": "mlconn",
            "password": "practice-sage",
        }
        address = SageAddress(**(values | changes))
        policy = AddressPolicy(practice_origins=frozenset({self.server.url}))
        return Sage300Client(
            address,
            Transport(policy, wait=lambda _: None),
            deadlines=Deadlines(read_seconds=5, write_seconds=5, post_seconds=5),
            observe=self.records.append,
        )

    def ledger(self, company: str = "CALBAK") -> Any:
        return self.world.ledger()[company]


@pytest.fixture
def desk() -> Iterator[Desk]:
    world = Sage300World.from_file(SAMPLE, today=lambda: TODAY)
    with StandInServer(world) as server:
        yield Desk(server, world, [])


def an_invoice(number: str, **changes: Any) -> Invoice:
    values: dict[str, Any] = {
        "vendor_number": "CASCAD",
        "document_number": number,
        "order_number": f"00N{number}",
        "document_date": TODAY,
        "posting_date": TODAY,
        "due_date": date(2026, 4, 20),
        "total": Decimal("125.50"),
        "details": (
            InvoiceDetail(gl_account="6210100", amount=Decimal("100.00"), description="Repair"),
            InvoiceDetail(gl_account="6120100", amount=Decimal("25.50")),
        ),
    }
    return Invoice(**(values | changes))


def a_body(*invoices: Invoice, description: str = "MLC1-TEST") -> bytes:
    return batch_body(description=description, batch_date=TODAY, invoices=invoices)


def test_a_batch_is_created_and_read_back_to_the_cent(desk: Desk) -> None:
    client = desk.client()

    created = client.create_batch(a_body(an_invoice("A-1"), an_invoice("a-2")))
    read = client.find_batch(created.header.number)

    assert read == created
    assert created.header.status == BatchStatus.OPEN
    assert created.header.total == Decimal("251.00")
    assert [one.document_number for one in created.invoices] == ["A-1", "A-2"]
    first = created.invoices[0]
    assert (first.entry_number, first.order_number) == (1, "00NA-1")
    assert first.due_date == date(2026, 4, 20)
    assert first.undistributed_amount == 0
    assert [(d.gl_account, d.amount) for d in first.details] == [
        ("6210100", Decimal("100.00")),
        ("6120100", Decimal("25.50")),
    ]


def test_zero_tax_is_kept_for_a_vendor_whose_group_is_taxed(desk: Desk) -> None:
    desk.world.set_vendor("CALBAK", "CASCAD", TaxGroup="STATE")

    created = desk.client().create_batch(a_body(an_invoice("A-1")))

    assert created.invoices[0].undistributed_amount == 0


def test_numbers_written_with_decimals_are_understood(desk: Desk) -> None:
    desk.world.set_switches({"decimal_keys": True})
    client = desk.client()

    number = client.create_batch(a_body(an_invoice("A-1"))).header.number

    assert client.find_batch(number) is not None
    assert [header.number for header in client.list_batches(number - 1)] == [number]


def test_headers_are_listed_in_order_over_pages_each_once(desk: Desk) -> None:
    desk.world.set_switches({"page_size": 2})
    client = desk.client()
    before = client.highest_batch_number()

    numbers = [
        client.create_batch(a_body(an_invoice(f"A-{n}"), description=f"MLC1-{n}")).header.number
        for n in range(5)
    ]

    assert [header.number for header in client.list_batches(before)] == numbers
    assert [header.description for header in client.list_batches(before, described="MLC1-3")] == [
        "MLC1-3"
    ]
    assert client.highest_batch_number() == numbers[-1]


@pytest.mark.parametrize("newest", [0, 1, 99, 100, 101, 250, 12_345])
def test_the_highest_number_is_found_by_probing(desk: Desk, newest: int) -> None:
    class Probed(Sage300Client):
        calls = 0

        def _any_batch_above(self, number: int) -> int | None:
            self.calls += 1
            return number + 1 if number < newest else None

        def list_batches(self, after: int, *, described: str = "") -> Iterator[Any]:
            numbers = range(after + 1, newest + 1)
            assert len(numbers) <= 100
            return iter([type("Header", (), {"number": number}) for number in numbers])

    client = Probed(desk.client().address, Transport(AddressPolicy()))

    assert client.highest_batch_number() == newest
    assert client.calls < 40


def test_a_batch_that_is_not_there_is_none(desk: Desk) -> None:
    assert desk.client().find_batch(999) is None


def test_a_number_in_use_is_rejected_and_named(desk: Desk) -> None:
    client = desk.client()
    client.create_batch(a_body(an_invoice("A-1")))

    with pytest.raises(Rejected) as refused:
        client.create_batch(a_body(an_invoice("B-1"), an_invoice("A-1")))

    assert refused.value.vendor_code == "FieldInvalid"
    assert refused_document(refused.value.vendor_message, ["A-1", "B-1"]) == "A-1"


@pytest.mark.parametrize("kind", ["lose_answer", "truncate", "html_after", "empty_after"])
def test_an_answer_to_a_batch_that_is_not_whole_leaves_the_outcome_unknown(
    desk: Desk, kind: str
) -> None:
    client = desk.client()
    before = client.highest_batch_number()
    desk.server.faults.add(kind, BATCHES)

    with pytest.raises(OutcomeUnknown):
        client.create_batch(a_body(an_invoice("A-1")))

    assert len(list(client.list_batches(before))) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failing_server_leaves_the_outcome_of_a_batch_unknown(desk: Desk, status: int) -> None:
    client = desk.client()
    desk.server.faults.add("status_after", "POST /APInvoiceBatches", status=status)

    with pytest.raises(OutcomeUnknown):
        client.create_batch(a_body(an_invoice("A-1")))


def test_a_batch_goes_from_open_to_posted_and_its_documents_are_found(desk: Desk) -> None:
    client = desk.client()
    number = client.create_batch(a_body(an_invoice("A-1"), an_invoice("A-2"))).header.number
    process = client.post_process()
    assert process is not None

    client.set_ready(number)
    client.post_batch(number, process)

    batch = client.find_batch(number)
    assert batch is not None
    assert batch.header.status == BatchStatus.POSTED
    found = client.find_posted([("cascad", "a-1"), ("CASCAD", "A-2"), ("CASCAD", "A-9")])
    assert sorted(document.document_number for document in found) == ["A-1", "A-2"]
    assert found[0].batch_number == number
    assert found[0].amount == Decimal("125.50")
    assert {d.order_number for d in client.posted_in_batch(number)} == {"00NA-1", "00NA-2"}
    assert client.posting_errors(number) == ()


def test_posting_is_named_the_sister_way_too(desk: Desk) -> None:
    desk.world.set_switches({"names": "sister"})
    client = desk.client()
    number = client.create_batch(a_body(an_invoice("A-1"))).header.number
    process = client.post_process()
    assert process is not None

    client.set_ready(number)
    client.post_batch(number, process)

    posted = client.find_posted([("CASCAD", "A-1")])
    assert [document.batch_number for document in posted] == [number]
    assert posted[0].amount == Decimal("125.50")


def test_an_entry_moved_to_an_error_batch_is_told_with_its_new_place(desk: Desk) -> None:
    client = desk.client()
    number = client.create_batch(a_body(an_invoice("A-1"), an_invoice("A-2"))).header.number
    desk.world.mark_entry_bad("CALBAK", number, 2)
    process = client.post_process()
    assert process is not None

    client.set_ready(number)
    client.post_batch(number, process)

    (error,) = client.posting_errors(number)
    assert (error.entry_number, error.error_entry) == (2, 1)
    moved = client.find_batch(error.error_batch)
    assert moved is not None
    assert moved.invoices[0].document_number == "A-2"
    assert error.message


def test_exactly_the_named_entries_are_removed(desk: Desk) -> None:
    client = desk.client()
    invoices = [an_invoice(f"A-{n}") for n in (1, 2, 3)]
    number = client.create_batch(a_body(*invoices)).header.number

    client.remove_entries(number, [1, 3])
    client.rename_batch(number, "left over, do not post")

    batch = client.find_batch(number)
    assert batch is not None
    assert [one.document_number for one in batch.invoices] == ["A-2"]
    assert batch.header.description == "left over, do not post"


def test_a_batch_open_on_a_screen_is_busy(desk: Desk) -> None:
    client = desk.client()
    number = client.create_batch(a_body(an_invoice("A-1"))).header.number
    desk.world.lock_batch("CALBAK", number)

    with pytest.raises(Busy) as busy:
        client.set_ready(number)

    assert "Somebody may have it open" in busy.value.sentence


def test_a_posted_batch_cannot_be_changed_and_waiting_would_not_help(desk: Desk) -> None:
    client = desk.client()
    number = client.create_batch(a_body(an_invoice("A-1"))).header.number
    desk.world.set_ready("CALBAK", number)
    desk.world.post_batch("CALBAK", number)

    with pytest.raises(Rejected):
        client.rename_batch(number, "x")


def test_an_old_release_refuses_ready_to_post_in_a_sentence(desk: Desk) -> None:
    client = desk.client()
    number = client.create_batch(a_body(an_invoice("A-1"))).header.number
    desk.world.set_switches({"release_before_2021": True})

    with pytest.raises(Rejected) as refused:
        client.set_ready(number)

    assert "set batch" in refused.value.sentence


def test_posted_documents_are_asked_fifteen_at_a_time_in_short_addresses(desk: Desk) -> None:
    client = desk.client()
    desk.records.clear()

    client.find_posted([("CASCAD", f"{n:04d}") for n in range(45)])
    short = len(desk.records)
    desk.records.clear()
    client.find_posted([("LONGVENDOR12", f"O'NEILL & SÖHNE {n:06d}") for n in range(30)])

    assert short == 3
    assert all(record.status == 200 for record in desk.records)


def test_linked_vendors_are_read_many_in_a_call(desk: Desk) -> None:
    client = desk.client()
    desk.world.add_vendor("CALBAK", "A/B", "Odd Numbers")
    wanted = ["cascad", "A/B", "NOBODY", *(f"LONGVENDOR{n:02}" for n in range(40))]
    desk.records.clear()

    found = {vendor.number: vendor.name for vendor in client.find_vendors(wanted)}

    assert found == {"CASCAD": "Cascade Oven Works", "A/B": "Odd Numbers"}
    assert len(desk.records) == 2
    assert all(record.status == 200 for record in desk.records)


@pytest.mark.parametrize("number", ["CASCAD", "A/B", "O'BRIEN", "50% & CO", "A B"])
def test_a_vendor_is_found_by_any_number(desk: Desk, number: str) -> None:
    if number != "CASCAD":
        desk.world.add_vendor("CALBAK", number, "Odd Numbers")

    found = desk.client().find_vendor(number)

    assert found is not None
    assert found.number == number


def test_a_vendor_that_is_not_there_is_none(desk: Desk) -> None:
    assert desk.client().find_vendor("NOBODY") is None
    assert desk.client().find_vendor("NO/BODY") is None


def test_a_vendor_is_created_with_overrides_that_stay_and_changed_later(desk: Desk) -> None:
    client = desk.client()
    vendor = SageVendor(
        number="HALDEN",
        name="Halden Refrigeration Service",
        group_code="TRADE",
        terms="COD",
        gl_account="6210100",
    )

    created = client.create_vendor(vendor)
    client.update_vendor("HALDEN", {"Terms": "N20", "City": "Duluth"})

    assert (created.terms, created.gl_account) == ("COD", "6210100")
    assert created.account_set
    changed = client.find_vendor("HALDEN")
    assert changed is not None
    assert (changed.terms, changed.city, changed.group_code) == ("N20", "Duluth", "TRADE")


def test_a_vendor_number_in_use_is_rejected_as_a_duplicate(desk: Desk) -> None:
    with pytest.raises(Rejected) as refused:
        desk.client().create_vendor(SageVendor(number="CASCAD", name="X", group_code="TRADE"))

    assert refused.value.vendor_code == "RecordDuplicate"


def test_the_lists_are_read_whole(desk: Desk) -> None:
    desk.world.set_switches({"page_size": 3})
    client = desk.client()

    accounts = {account.formatted: account for account in client.iter_accounts()}
    vendors = [vendor.number for vendor in client.iter_vendors()]

    assert accounts["6210-100"].number == "6210100"
    assert not accounts["6320-300"].is_active
    assert not accounts["6900-100"].is_postable
    assert accounts["2010-100"].is_control
    assert len(vendors) == len(set(vendors)) == len(desk.ledger()["vendors"])
    assert "TRADE" in {group.code for group in client.iter_vendor_groups()}
    assert "N30" in dict(client.iter_terms())
    assert "EXEMPT" in dict(client.iter_tax_groups())
    march = [p for p in client.iter_fiscal_periods() if p.year == "2026" and p.period == "03"]
    assert march[0].first_date == date(2026, 3, 1)
    profile = client.company_profile()
    assert (profile.name, profile.functional_currency) == ("Calder Bakery", "USD")


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"password": "wrong"}, AuthRefused, 'the switch "password case"'),
        ({"user": "nobody"}, AuthRefused, "does not accept the user name and password of NOBODY"),
        ({"user": "admin", "password": "practice-admin"}, AuthRefused, "the user ADMIN"),
        ({"user": "noright", "password": "practice-noright"}, RightMissing, "Sage 300 Web API"),
        ({"company": "NOSUCH"}, IntegrationError, "company"),
        ({"base_url": "{url}/wrong"}, AddressRefused, "no Sage 300 Web API at this address"),
    ],
)
def test_a_wrong_connection_is_one_clear_sentence(
    desk: Desk, changes: dict[str, str], kind: type[IntegrationError], words: str
) -> None:
    filled = {name: value.format(url=desk.server.url) for name, value in changes.items()}

    with pytest.raises(kind) as refused:
        list(desk.client(**filled).iter_vendor_groups())

    assert words in refused.value.sentence
    assert "practice" not in str(refused.value) + refused.value.sentence


def test_a_password_with_letters_of_both_kinds_is_sent_as_the_switch_says(desk: Desk) -> None:
    desk.world.set_switches({"password_case": "sensitive"})
    desk.world.set_user_password("MLCONN", "MiXed-Case1")

    as_typed = desk.client(password="MiXed-Case1", password_case="as_typed")
    in_capitals = desk.client(password="MiXed-Case1")

    assert as_typed.find_vendor("CASCAD") is not None
    with pytest.raises(AuthRefused):
        in_capitals.find_vendor("CASCAD")


def test_a_refused_password_is_tried_once(desk: Desk) -> None:
    with pytest.raises(AuthRefused):
        desk.client(password="wrong").find_vendor("CASCAD")

    assert len(desk.records) == 1


def test_a_user_without_the_profiles_right_still_works(desk: Desk) -> None:
    desk.world.set_rights("MLCONN", "CALBAK", ["AP", "GL"])

    assert desk.client().company_profile().name == ""


@pytest.mark.parametrize(
    ("kind", "options", "error", "words"),
    [
        ("html", {}, UnexpectedAnswer, "A web page came where Sage 300 should"),
        ("empty", {}, UnexpectedAnswer, "without saying anything"),
        ("truncate", {}, ServerFault, "broke off its answer"),
        ("status", {"status": 503}, ServerFault, "application pool"),
        ("status", {"status": 500}, ServerFault, "HTTP 500"),
        ("huge", {"size_mib": 40}, UnexpectedAnswer, "more than 32 MB"),
    ],
)
def test_a_strange_answer_to_a_question_is_one_clear_sentence(
    desk: Desk, kind: str, options: dict[str, Any], error: type[IntegrationError], words: str
) -> None:
    desk.server.faults.add(kind, "GET /APVendors", times=0, **options)

    with pytest.raises(error) as refused:
        desk.client().find_vendor("CASCAD")

    assert words in refused.value.sentence


def test_the_right_json_under_another_name_is_still_read(desk: Desk) -> None:
    desk.server.faults.add("wrong_type", "GET /APVendors")

    assert desk.client().find_vendor("CASCAD") is not None


def test_a_part_this_sage_does_not_have_is_not_taken_for_a_missing_record(desk: Desk) -> None:
    client = desk.client()

    with pytest.raises(NotFound) as missing:
        client._door.find("AP/APNothing('X')", what="read nothing")

    assert missing.value.vendor_code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("https://sage.example.com", "https://sage.example.com/Sage300WebApi"),
        ("https://sage.example.com/", "https://sage.example.com/Sage300WebApi"),
        (" https://s.example/sage300webapi/v1.0/-/X ", "https://s.example/sage300webapi"),
        ("https://s.example/Sage300WebApi/", "https://s.example/Sage300WebApi"),
        ("https://s.example/proxy/sage", "https://s.example/proxy/sage"),
    ],
)
def test_the_address_a_person_types_is_completed(typed: str, full: str) -> None:
    assert full_base_url(typed) == full
