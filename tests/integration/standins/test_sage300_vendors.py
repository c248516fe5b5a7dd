"""Vendors of the pretended Sage 300: defaults by property order, lengths, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.standins.sage300_http import Sage, invoice, sage_at_work


@pytest.fixture
def sage() -> Iterator[Sage]:
    with sage_at_work() as at_work:
        yield at_work


NEW = {"VendorNumber": "beacon", "GroupCode": "TRADE", "VendorName": "Beacon Fleet Leasing"}


def create(sage: Sage, **fields: Any) -> Any:
    return sage.call("POST", "AP/APVendors", NEW | fields)


def test_a_new_vendor_takes_its_groups_defaults(sage: Sage) -> None:
    answer = create(sage)

    row = answer.json
    assert answer.status == 201
    assert row["VendorNumber"] == "BEACON"
    assert (row["Terms"], row["AccountSet"], row["CurrencyCode"]) == ("N30", "TRADE", "USD")
    assert (row["TaxGroup"], row["Status"], row["OnHold"]) == ("EXEMPT", "Active", "NotOnHold")
    assert row["InactiveDate"] is None
    assert sage.get("AP/APVendors('BEACON')").json["VendorName"] == "Beacon Fleet Leasing"


def test_property_order_decides_what_stays(sage: Sage) -> None:
    before = {"VendorNumber": "V1", "Terms": "COD", "GroupCode": "TRADE", "VendorName": "One"}
    after = {"VendorNumber": "V2", "GroupCode": "TRADE", "Terms": "COD", "VendorName": "Two"}

    assert sage.call("POST", "AP/APVendors", before).json["Terms"] == "N30"
    assert sage.call("POST", "AP/APVendors", after).json["Terms"] == "COD"


@pytest.mark.parametrize(
    ("fields", "status", "code", "words"),
    [
        ({"VendorNumber": "NOVAK"}, 409, "RecordDuplicate", "already exists"),
        ({"VendorNumber": ""}, 409, "FieldInvalid", "Vendor number"),
        ({"VendorName": ""}, 409, "FieldInvalid", "Vendor name"),
        ({"GroupCode": "NOSUCH"}, 409, "FieldInvalid", "does not exist"),
        ({"GroupCode": "CLOSED"}, 409, "FieldInvalid", "inactive"),
        ({"Terms": "NOSUCH"}, 409, "FieldInvalid", "Terms"),
        ({"AccountSet": "NOSUCH"}, 409, "FieldInvalid", "Account set"),
        ({"TaxGroup": "NOSUCH"}, 409, "FieldInvalid", "Tax group"),
        ({"GLAccount": "9999-999"}, 409, "FieldInvalid", "G/L account"),
        ({"VendorNumber": "A" * 13}, 409, "FieldInvalid", "longer than 12"),
        ({"VendorName": "A" * 61}, 409, "FieldInvalid", "longer than 60"),
        ({"Nonsense": "x"}, 400, "InvalidPayload", "Nonsense"),
        ({"OnHold": "Yes"}, 400, "InvalidPayload", "OnHold"),
        ({"CreditLimit": "12"}, 400, "InvalidPayload", "CreditLimit"),
        ({"StartDate": "2026-02-30"}, 400, "InvalidPayload", "StartDate"),
        ({"VendorOptionalFieldValues": [{"OptionalField": "X"}]}, 409, "FieldInvalid", "Optional"),
    ],
)
def test_refusals_write_nothing(
    sage: Sage, fields: dict[str, Any], status: int, code: str, words: str
) -> None:
    before = sage.world.ledger()

    answer = create(sage, **fields)

    assert (answer.status, answer.code) == (status, code)
    assert words in answer.text
    assert sage.world.ledger() == before


def test_too_long_may_be_cut_instead(sage: Sage) -> None:
    sage.world.set_switches({"over_length": "truncate"})

    assert create(sage, VendorName="A" * 70).json["VendorName"] == "A" * 60


def test_letters_outside_the_code_page_are_lost(sage: Sage) -> None:
    assert create(sage, VendorName="Café ☕").json["VendorName"] == "Café ?"

    sage.world.set_switches({"code_page": ""})
    assert create(sage, VendorNumber="V2", VendorName="☕").json["VendorName"] == "☕"


def test_patch_changes_what_is_sent_and_the_group_brings_its_defaults(sage: Sage) -> None:
    changed = sage.call("PATCH", "AP/APVendors('NOVAK')", {"Terms": "COD", "City": "Duluth"})
    assert (changed.status, changed.body) == (204, b"")
    row = sage.get("AP/APVendors('NOVAK')").json
    assert (row["Terms"], row["City"], row["VendorName"]) == ("COD", "Duluth", "Novak")

    sage.call("PATCH", "AP/APVendors('NOVAK')", {"GroupCode": "SERVIC"})
    assert sage.get("AP/APVendors('NOVAK')").json["Terms"] == "N20"


def test_optional_fields_come_padded_and_put_purges_them(sage: Sage) -> None:
    create(sage, VendorOptionalFieldValues=[{"OptionalField": "BILLID", "Value": "009"}])
    path = "AP/APVendors('BEACON')"
    assert sage.get(path).json["VendorOptionalFieldValues"][0]["Value"] == "009".ljust(60)

    sage.call("PATCH", path, {"City": "Duluth"})
    assert len(sage.get(path).json["VendorOptionalFieldValues"]) == 1
    sage.call("PUT", path, {"City": "Duluth"})
    assert sage.get(path).json["VendorOptionalFieldValues"] == []


def test_a_vendor_with_open_transactions_stays(sage: Sage) -> None:
    sage.post_batch(invoice("A-1", vendor="MARLOW"))

    assert sage.call("PATCH", "AP/APVendors('MARLOW')", {"Status": "Inactive"}).status == 409
    assert sage.call("DELETE", "AP/APVendors('MARLOW')").status == 409
    assert sage.call("PATCH", "AP/APVendors('SILVER')", {"Status": "Inactive"}).status == 204
    assert sage.call("DELETE", "AP/APVendors('SILVER')").status == 204
    assert sage.get("AP/APVendors('SILVER')").code == "RecordNotFound"
