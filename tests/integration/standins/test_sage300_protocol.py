"""Addresses, sign-in, rights, paging and filters of the pretended Sage 300."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.standins.sage300_http import Sage, invoice, sage_at_work


@pytest.fixture
def sage() -> Iterator[Sage]:
    with sage_at_work() as at_work:
        yield at_work


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/elsewhere", 404, None),
        ("/Sage300WebApi", 200, None),
        ("/Sage300WebApi/v1.0/-/NOSUCH/AP/APVendors", 500, "SessionError"),
        ("/Sage300WebApi/v1.0/-/CALBAK/ZZ/ZZThings", 500, "DBLinkError"),
        ("/Sage300WebApi/v1.0/-/CALBAK/AP/APOptions", 404, "ResourceNotFound"),
        ("/Sage300WebApi/v1.0/-/CALBAK/GL/APVendors", 404, "ResourceNotFound"),
        ("/Sage300WebApi/v1.0/other/CALBAK/AP/APVendors", 404, "ResourceNotFound"),
        ("/Sage300WebApi/v1.0/-/Companies", 500, "SessionError"),
        ("/Sage300WebApi/v1.0/-/CALBAK/AP/APVendors('A:B')", 400, None),
        ("/Sage300WebApi/v1.0/-/CALBAK/AP/APVendors('A+B')", 404, None),
        ("/Sage300WebApi/v1.0/-/CALBAK/AP/APVendors('A%2FB')", 404, "ResourceNotFound"),
        (
            "/Sage300WebApi/v1.0/-/CALBAK/AP/APVendors?$select=VendorNumber&x=" + "y" * 2048,
            404,
            None,
        ),
    ],
)
def test_addresses_answer_as_page_or_error(
    sage: Sage, path: str, status: int, code: str | None
) -> None:
    answer = sage.ask("GET", path)

    assert answer.status == status
    if code is None:
        assert answer.headers["content-type"].startswith("text/html")
    else:
        assert answer.code == code
        assert answer.json["error"]["message"]["lang"] == "en-US"


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("AP/APVendors('PRAMIL')", 200),
        ("AP/APVendors('pramil')", 200),
        ("AP/APVendors(PRAMIL)", 200),
        ("AP/APVendors(VendorNumber='PRAMIL')", 200),
        ("AP/APVendors('%50RAMIL')", 200),
        ("AP/APVendors('O''HARA')", 404),
        ("AP/APVendors('NOSUCH')", 404),
        ("AP/APVendors('A',)", 400),
        ("AP/APVendors(Name='A')", 400),
        ("AP/APVendors()", 400),
        ("AP/APInvoiceBatches(57)", 200),
        ("AP/APInvoiceBatches(57.0)", 200),
        ("AP/APInvoiceBatches(BatchNumber=57)", 200),
        ("AP/APInvoiceBatches('57')", 400),
        ("AP/APInvoiceBatches(9999)", 404),
        ("AP/APPostedDocuments(VendorNumber='PRAMIL',DocumentNumber='OB-2025-12')", 200),
        ("AP/APPostedDocuments(DocumentNumber='OB-2025-12',VendorNumber='PRAMIL')", 200),
        ("AP/APPostedDocuments('PRAMIL','OB-2025-12')", 200),
        ("AP/APPostedDocuments('PRAMIL')", 400),
        ("GL/GLAccounts('5010100')", 200),
        ("CS/CSCompanyProfile('CALBAK')", 200),
        ("CS/CSFiscalCalendars('2026')", 200),
        ("TX/TXTaxGroups(TaxGroupKey='EXEMPT',TransactionType='Purchases')", 200),
    ],
)
def test_keys(sage: Sage, resource: str, status: int) -> None:
    answer = sage.get(resource)

    assert answer.status == status
    if status == 404:
        assert answer.code == "RecordNotFound"
    if status == 400:
        assert answer.code == "InvalidEntityKey"


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        ("MLCONN", "PRACTICE-SAGE", 200),
        ("mlconn", "PRACTICE-SAGE", 200),
        ("MLCONN", "practice-sage", 401),
        ("MLCONN", "", 401),
        ("NOBODY", "PRACTICE-SAGE", 401),
        ("ADMIN", "PRACTICE-ADMIN", 401),
        ("NORIGHT", "PRACTICE-NORIGHT", 403),
    ],
)
def test_sign_in(sage: Sage, user: str, password: str, status: int) -> None:
    sage.user, sage.password = user, password

    answer = sage.get("AP/APVendors", top=1)

    assert answer.status == status
    if status != 200:
        assert answer.code == {401: "Unauthorized", 403: "Forbidden"}[status]


def test_password_may_be_case_sensitive_and_admin_let_in(sage: Sage) -> None:
    sage.world.set_user_password("MLCONN", "Mixed-Case")
    sage.password = "MIXED-CASE"
    assert sage.get("AP/APVendors").status == 200

    sage.world.set_switches({"password_case": "sensitive", "admin_allowed": True})
    assert sage.get("AP/APVendors").status == 401
    sage.password = "Mixed-Case"
    assert sage.get("AP/APVendors").status == 200
    sage.user, sage.password = "ADMIN", "PRACTICE-ADMIN"
    assert sage.get("AP/APVendors").status == 200


def test_cookie_stands_in_for_a_wrong_password_where_switched_on(sage: Sage) -> None:
    sage.world.set_switches({"session_cookies": True})
    path = "/Sage300WebApi/v1.0/-/CALBAK/AP/APVendors"
    cookie = sage.ask("GET", path).headers["set-cookie"].partition(";")[0]
    sage.password = "WRONG"

    assert sage.ask("GET", path).status == 401
    assert sage.ask("GET", path, headers={"Cookie": cookie}).status == 200


@pytest.mark.parametrize(
    ("method", "resource", "body"),
    [
        ("GET", "AP/APInvoiceBatches", None),
        ("POST", "AP/APVendors", {"VendorNumber": "X"}),
        ("POST", "AP/APInvoiceBatches", {"Invoices": []}),
        ("POST", "AP/APPostInvoices('$process')", {}),
        ("POST", "AP/APPostInvoices('$template')", None),
    ],
)
def test_rights_are_per_work(sage: Sage, method: str, resource: str, body: object) -> None:
    sage.user, sage.password = "READER", "PRACTICE-READER"

    answer = sage.call(method, resource, body)

    assert (answer.status, answer.code) == (403, "Forbidden")


def test_setting_ready_needs_its_own_right(sage: Sage) -> None:
    sage.user, sage.password = "NOPOST", "PRACTICE-NOPOST"
    number = sage.post_batch(invoice("A-1")).json["BatchNumber"]

    answer = sage.call("PATCH", f"AP/APInvoiceBatches({number})", {"BatchStatus": "ReadyToPost"})

    assert answer.status == 403
    assert sage.call("POST", "AP/APPostInvoices('$process')", {}).status == 403


def test_content_type_is_needed_even_to_read(sage: Sage) -> None:
    sage.content_type = None
    assert sage.get("AP/APVendors").status == 500

    sage.content_type = "application/json; charset=utf-8"
    assert sage.get("AP/APVendors").status == 200


@pytest.mark.parametrize(
    ("method", "resource", "status", "code"),
    [
        ("PUT", "AP/APInvoiceBatches(57)", 405, "MethodNotAllowed"),
        ("DELETE", "AP/APInvoiceBatches(57)", 405, "MethodNotAllowed"),
        ("DELETE", "AP/APTerms('N30')", 405, "MethodNotAllowed"),
        ("POST", "AP/APPostedDocuments", 405, "MethodNotAllowed"),
        ("GET", "AP/APPostInvoices", 405, "MethodNotAllowed"),
        ("POST", "AP/APInvoiceBatches('$frobnicate')", 400, "InvalidAction"),
        ("POST", "AP/APPostInvoices('$frobnicate')", 400, "InvalidAction"),
    ],
)
def test_verbs_and_actions(sage: Sage, method: str, resource: str, status: int, code: str) -> None:
    answer = sage.call(method, resource, {})

    assert (answer.status, answer.code) == (status, code)


def test_metadata_names_sets_and_properties(sage: Sage) -> None:
    answer = sage.get("AP/$metadata")

    tree = ET.fromstring(answer.body.decode())
    names = {node.attrib["Name"] for node in tree.iter() if "Name" in node.attrib}
    assert answer.headers["content-type"] == "application/xml"
    assert {"APInvoiceBatches", "APPostedDocuments", "DocumentTotalIncludingTax"} <= names
    assert "GLAccounts" not in names
    assert sage.get("GL/$metadata").status == 200


def test_templates_show_defaults_and_make_nothing(sage: Sage) -> None:
    before = sage.world.ledger()

    batch = sage.call("POST", "AP/APInvoiceBatches('$template')").json
    process = sage.call("POST", "AP/APPostInvoices($template)").json

    assert batch["Invoices"][0]["TaxAmountControl"] == "Calculate"
    assert {"ProcessAllBatches", "FromBatch", "ToBatch", "ActionSelector"} <= set(process)
    assert sage.world.ledger() == before


def with_vendors(sage: Sage, count: int) -> None:
    for number in range(count):
        sage.world.add_vendor("CALBAK", f"V{number:05}", f"Vendor {number}")


def test_pages_hold_a_hundred_and_name_the_next(sage: Sage) -> None:
    with_vendors(sage, 230)
    seen: list[str] = []
    answer = sage.get(
        "AP/APVendors", select="VendorNumber", count="true", filter="VendorNumber gt 'V'"
    )

    assert answer.json["@odata.count"] == 231  # and WHITCO
    while True:
        seen += [row["VendorNumber"] for row in answer.rows]
        link = answer.json.get("@odata.nextLink")
        if link is None:
            break
        answer = sage.ask("GET", link.removeprefix(sage.server.url))

    assert len(seen) == len(set(seen)) == 231


@pytest.mark.parametrize(
    ("options", "count", "has_next"),
    [
        ({"top": 500}, 100, True),
        ({"top": 5}, 5, False),
        ({"skip": 230}, 20, False),
        ({}, 100, True),
    ],
)
def test_top_and_skip(sage: Sage, options: dict[str, Any], count: int, has_next: bool) -> None:
    with_vendors(sage, 230)

    answer = sage.get("AP/APVendors", select="VendorNumber", **options)

    assert len(answer.rows) == count
    assert ("@odata.nextLink" in answer.json) is has_next
    assert set(answer.rows[0]) == {"VendorNumber"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("VendorNumber eq 'NOVAK'", ["NOVAK"]),
        ("VendorNumber eq 'novak'", ["NOVAK"]),
        ("VendorNumber eq 'NOVAK' or VendorNumber eq 'PRAMIL'", ["NOVAK", "PRAMIL"]),
        ("startswith(VendorName,'Tri-County') and Terms eq 'N20'", ["TRICTY"]),
        ("endswith(VendorName,'LLP')", ["WHITCO"]),
        ("length(VendorName) eq 5", ["NOVAK"]),
        ("(Status eq 'Inactive' or OnHold eq 'OnHold') and GroupCode ne 'X'", ["HOLLIS", "OLDHAR"]),
        ("VendorName eq 'It''s nobody'", []),
        ("CreditLimit lt 0 or CreditLimit gt 10.5", []),
        ("DateOfLastInvoice gt 2016-12-31T12:00:00Z", []),
        ("VendorNumber gt 'TRICTY' and VendorNumber le 'WHITCO'", ["TRIWAS", "WHITCO"]),
    ],
)
def test_filters(sage: Sage, text: str, found: list[str]) -> None:
    answer = sage.get("AP/APVendors", filter=text, select="VendorNumber")

    assert [row["VendorNumber"] for row in answer.rows] == found


@pytest.mark.parametrize(
    "query",
    [
        "$filter=VendorNumber%20ge%20'A'",
        "$filter=contains(VendorName,'A')",
        "$filter=substringof('A',VendorName)",
        "$filter=VendorNumber%20eq",
        "$filter=Nonsense%20eq%20'A'",
        "$filter=startswith(DateOfLastInvoice,'2')",
        "$filter=tolower(VendorName)%20eq%20'a'",
        "$orderby=VendorNumber",
        "$select=Nonsense",
        "$top=1&$top=2",
        "$top=-1",
        "$expand=Things",
        "$count=maybe",
    ],
)
def test_what_is_not_documented_is_refused(sage: Sage, query: str) -> None:
    answer = sage.ask("GET", f"/Sage300WebApi/v1.0/-/CALBAK/AP/APVendors?{query}")

    assert (answer.status, answer.code) == (400, "InvalidParameters")


def test_undocumented_options_can_be_switched_on(sage: Sage) -> None:
    sage.world.set_switches({"allow_ge": True, "allow_contains": True, "allow_orderby": True})

    last = sage.get("AP/APVendors", filter="VendorNumber ge 'WHITCO'").rows
    part = sage.get("AP/APVendors", filter="contains(VendorName,'Legal')").rows
    old_part = sage.get("AP/APVendors", filter="substringof('Legal',VendorName)").rows
    first = sage.get("AP/APVendors", orderby="VendorNumber desc", top=1).rows

    assert last == part == old_part == first


def test_companies_are_listed_only_where_switched_on(sage: Sage) -> None:
    sage.world.set_switches({"companies_list": True})

    answer = sage.ask("GET", "/Sage300WebApi/v1.0/-/Companies")

    assert [row["Company"] for row in answer.rows] == ["CALBAK", "CALCAT"]


def test_companies_keep_their_data_apart(sage: Sage) -> None:
    assert sage.get("AP/APVendors('ALDCRK')").status == 200

    sage.company = "CALCAT"

    assert sage.get("AP/APVendors('ALDCRK')").status == 404
    assert sage.get("AP/APInvoiceBatches").rows == []


def test_bodies_over_the_limit_are_refused_by_the_web_server(sage: Sage) -> None:
    sage.world.set_switches({"max_body_bytes": 1000})

    answer = sage.post_batch(invoice("A-1", Comment="x" * 2000))

    assert answer.status == 413
    assert answer.headers["content-type"].startswith("text/html")


def test_kinds_of_calls_are_counted_without_keys(sage: Sage) -> None:
    sage.get("AP/APVendors('NOVAK')")
    sage.get("AP/APVendors('PRAMIL')")
    sage.call("POST", "AP/APPostInvoices('$template')")

    base = "/Sage300WebApi/v1.0/-/CALBAK/AP"
    assert sage.server.requests.counts() == {
        f"GET {base}/APVendors()": 2,
        f"POST {base}/APPostInvoices('$template')": 1,
    }
