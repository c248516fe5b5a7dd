"""The accountant's pages as people use them: what they show, what their buttons do, who may."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sync.models import MappingRule, Posting
from sync.services.vendor_acts import seen_mark
from tenants.models import Role, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.integration.sync.workbench import (
    TRADE_SHOWS,
    UTILITIES,
    a_synced_desk,
    link_of,
    rules,
)
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[[User], Client]


def base(desk: Desk) -> str:
    return f"/{desk.company.tenant.slug}/{desk.company.slug}"


def browser(desk: Desk, signed_in: SignIn, role: Role = Role.ACCOUNTANT, name: str = "") -> Client:
    return signed_in(builders.a_member(desk.company.tenant, role, name=name or "Priya Raman"))


def stand(desk: Desk, posting: Posting, state: str, **columns: object) -> None:
    """Put a posting elsewhere, as another pass might have."""
    with tenant_scope(desk.company.tenant_id):
        rows = Posting.objects.for_tenant(desk.company.tenant_id).filter(pk=posting.pk)
        rows.update(state=state, **columns)


def read(answer: Any) -> str:
    """The page's words, white space folded."""
    return " ".join(answer.content.decode().split())


def test_mapping_an_account_on_the_attention_page_sends_its_bills(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        client = browser(desk, signed_in)
        page = read(client.get(f"{base(desk)}/attention/"))
        assert "2 bills wait for BILL account <i>Trade Shows</i> to be mapped" in page
        assert "Map and let 2 bills go on" in page
        assert '<option value="6420-100">' in page

        answer = client.post(
            f"{base(desk)}/mapping/save/",
            {"account_id": TRADE_SHOWS, "to": "6420-100", "next": "attention"},
        )
        after = read(client.get(answer["Location"]))
        desk.sync()

        assert answer["Location"] == f"{base(desk)}/attention/"
        assert "Trade Shows goes to 6420-100 Events and trade shows" in after
        assert desk.postings(invoice_number="5512")[0].state == "IN_SAGE"


def test_the_mapping_page_names_what_sage_would_refuse_and_what_a_change_touches(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        client = browser(desk, signed_in)
        table = read(client.get(f"{base(desk)}/mapping/"))
        opened = read(client.get(f"{base(desk)}/mapping/?open={TRADE_SHOWS}"))
        changed = read(client.get(f"{base(desk)}/mapping/?open={UTILITIES}&to=6410-100"))

        assert "inactive in Sage" in table
        assert "2 without a Sage account" in table
        assert "Save, change 2 waiting bills" in opened
        assert "lines in Sage stay, 2,761.08" in changed


def test_a_bad_choice_is_said_in_the_panel_and_keeps_what_was_typed(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        client = browser(desk, signed_in)

        answer = client.post(
            f"{base(desk)}/mapping/save/",
            {"account_id": TRADE_SHOWS, "to": "2010-100", "name": "My fairs"},
        )

        assert answer.status_code == 422
        assert "is a control account" in read(answer)
        assert "My fairs" in read(answer)
        assert rules(desk) == []


def test_rules_go_out_as_a_spreadsheet_and_come_in_with_a_word_for_each_line(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        client = browser(desk, signed_in)

        def send(text: str, deed: str) -> str:
            file = SimpleUploadedFile("rules.csv", text.encode(), content_type="text/csv")
            return read(client.post(f"{base(desk)}/mapping/file/", {"file": file, "deed": deed}))

        bad = send("BILL account,Sage account\nTrade Shows,6420-100\nFluor,1\n", "apply")
        good = send("BILL account,Sage account\nTrade Shows,6420-100\n", "apply")
        out = client.get(f"{base(desk)}/mapping.csv").content.decode("utf-8-sig")
        told = read(client.get(f"{base(desk)}/mapping/history/"))

        assert "Nothing was saved: 1 line of 2 at fault" in bad
        assert "1 rule made or changed; 2 waiting bills decided anew now." in good
        assert "Trade Shows,,,,,,6420-100,Events and trade shows," in out
        assert "Priya Raman" in told
        assert "from a file" in told


def test_a_vendor_is_linked_from_its_comparison_and_the_second_person_is_told(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        first, second = browser(desk, signed_in), browser(desk, signed_in, name="Dana Whitfield")
        link = link_of(desk, "Alder Creek Dairy")
        page = read(first.get(f"{base(desk)}/vendors/"))
        decide = f"{base(desk)}/vendors/{link.pk}/"
        asked = {"deed": "link", "seen": seen_mark(link)}

        first.post(decide, {**asked, "number": "ALDCRK"})
        told = read(second.post(decide, {**asked, "number": "ALDER2"}, follow=True))

        assert "Which Sage vendor is Alder Creek Dairy?" in page
        assert "close, not equal" in page
        assert "Priya Raman was quicker" in told
        assert link_of(desk, "Alder Creek Dairy").sage_number == "ALDCRK"


def test_a_vendor_just_added_in_sage_is_found_there_by_its_number(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        client = browser(desk, signed_in)
        link = link_of(desk, "Alder Creek Dairy")
        desk.sage.add_vendor("CALBAK", "ALDNEW", "Alder Creek Dairy New")

        client.post(
            f"{base(desk)}/vendors/{link.pk}/",
            {"deed": "link", "seen": seen_mark(link), "other": "aldnew"},
        )

        assert link_of(desk, "Alder Creek Dairy").sage_number == "ALDNEW"


def test_review_shows_debits_and_credit_and_what_is_approved_goes(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings, review="review_all") as desk:
        client = browser(desk, signed_in)
        bill = desk.postings(invoice_number="7719")[0]
        panel = read(client.get(f"{base(desk)}/review/{bill.pk}/"))
        assert "6210-100" in panel
        assert "Balances" in panel

        client.post(f"{base(desk)}/review/approve/", {"bill": [str(bill.pk)]})
        desk.sync()

        assert desk.postings(invoice_number="7719")[0].state == "IN_SAGE"
        assert len(desk.postings(state="REVIEW")) > 5


def test_approving_all_needs_the_count_that_was_seen_and_leaves_duplicates(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings, review="review_all") as desk:
        client = browser(desk, signed_in)
        rows = desk.postings(state="REVIEW")
        approve = f"{base(desk)}/review/approve/"
        seen = client.get(f"{base(desk)}/review/").context["page"].mark
        # Another bill of the same amount takes the place of one that was seen.
        first, other = rows[0], desk.postings(state="WAITING")[0]
        stand(desk, first, "WAITING")
        stand(desk, other, "REVIEW", amount=first.amount)

        stale = read(client.post(approve, {"all": "1", "mark": seen}, follow=True))
        stand(desk, first, "REVIEW")
        stand(desk, other, "WAITING", amount=other.amount)
        good = client.post(approve, {"all": "1", "mark": seen}, follow=True)
        left = desk.postings(state="REVIEW")

        assert "Nothing was approved: meanwhile it is" in stale
        assert f"{len(rows) - len(left)} bills approved to post" in read(good)
        assert [row.invoice_number for row in left] == ["NG-11811"]


def test_an_account_changed_in_review_is_remembered_as_a_rule(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings, review="review_all") as desk:
        client = browser(desk, signed_in)
        bill = desk.postings(invoice_number="7719")[0]
        line = bill.lines[0]["line_id"]

        client.post(
            f"{base(desk)}/review/{bill.pk}/account/",
            {"seen": "REVIEW", "line": line, "gl_account": "6220-100", "remember": "vendor_id"},
        )
        desk.sync()

        changed = desk.postings(invoice_number="7719")[0]
        assert changed.lines[0]["gl_account"] == "6220100"
        assert [(rule.vendor_id != "", rule.gl_account) for rule in rules(desk)] == [
            (True, "6220-100")
        ]


def test_a_replay_shows_its_count_first_and_asks_for_a_reason(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        client = browser(desk, signed_in)
        address = f"{base(desk)}/replay/?view=stopped"
        before = client.get(address)
        mark = before.context["plan"].mark

        silent = read(client.post(address, {"mark": mark, "reason": " "}))
        done = read(client.post(address, {"mark": mark, "reason": "After the outage"}, follow=True))

        assert "Ask again for 13 bills?" in read(before)
        assert "Please say why" in silent
        assert "13 bills asked for again" in done


def test_a_viewer_sees_every_workbench_and_can_press_nothing(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings, review="review_all") as desk:
        client = browser(desk, signed_in, Role.VIEWER)
        bill = desk.postings(state="REVIEW")[0]

        for page in (
            "attention/", "mapping/?new=1", "mapping/history/", "vendors/", "vendors/?view=linked",
            "vendors/?view=defaults", "review/", f"review/{bill.pk}/", "replay/?view=stopped",
        ):  # fmt: skip
            shown = client.get(f"{base(desk)}/{page}")
            body = shown.content.decode().partition("<main")[2]
            assert shown.status_code == 200, page
            assert 'method="post"' not in body, page
        refused = client.post(f"{base(desk)}/mapping/save/", {"account_id": TRADE_SHOWS})
        assert refused.status_code == 403


def test_every_view_of_the_pages_opens_also_when_there_is_nothing(
    settings: Any, signed_in: SignIn
) -> None:
    with a_synced_desk(settings) as desk:
        empty = builders.a_company(desk.company.tenant, slug="empty")
        client = browser(desk, signed_in)

        for company in (desk.company, empty):
            place = f"/{company.tenant.slug}/{company.slug}"
            for page in (
                "attention/", "attention/?who=sage", "review/", "review/?view=warned", "mapping/",
                "mapping/?view=rules", "mapping/?view=look", "mapping/?new=1", "mapping/history/",
                "vendors/", "vendors/?view=linked", "vendors/?view=making",
                "vendors/?view=archived", "vendors/?view=ignored", "vendors/?view=defaults",
                "vendors/?view=linked&find=novak", "replay/", "mapping.csv",
            ):  # fmt: skip
                assert client.get(f"{place}/{page}").status_code == 200, (company.slug, page)


def test_machines_map_link_and_replay_with_the_same_refusals(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        token = builders.an_api_token(desk.company.tenant, Role.ACCOUNTANT, label="Robot")
        api = f"/api/v1/companies/{desk.company.slug}"
        client = Client(headers={"Authorization": f"Bearer {token}"})

        def send(method: str, path: str, **body: Any) -> Any:
            return getattr(client, method)(f"{api}/{path}", body, content_type="application/json")

        bad = send("post", "mapping-rules/", account_id=TRADE_SHOWS, gl_account="2010-100")
        odd = send("post", "mapping-rules/", account_id=TRADE_SHOWS, gl_account="1", colour="red")
        made = send("post", "mapping-rules/", account_id=TRADE_SHOWS, gl_account="6420-100")
        rule = made.json()
        changed = send(
            "put", f"mapping-rules/{rule['id']}/", account_id=TRADE_SHOWS, gl_account="6410-100",
            seen=rule["seen"],
        )  # fmt: skip
        late = send(
            "put", f"mapping-rules/{rule['id']}/", account_id=TRADE_SHOWS, gl_account="6510-100",
            seen=rule["seen"],
        )  # fmt: skip
        vendor = client.get(f"{api}/vendors/?state=ambiguous").json()["results"][0]
        linked = send(
            "post", f"vendors/{vendor['id']}/", deed="link", sage_number="ALDCRK",
            seen=vendor["seen"],
        )  # fmt: skip
        again = send(
            "post", f"vendors/{vendor['id']}/", deed="ignore", note="No", seen=vendor["seen"]
        )
        plan = client.get(f"{api}/replay/?find=10442").json()
        replayed = send("post", "replay/?find=10442", mark=plan["mark"], reason="Looked at it")

        assert bad.status_code == 400
        assert "control account" in str(bad.json())
        assert "colour" in str(odd.json())
        assert (made.status_code, changed.status_code, late.status_code) == (201, 200, 409)
        assert linked.json()["sage_number"] == "ALDCRK"
        assert again.status_code == 409
        assert "was quicker" in again.json()["error"]["sentence"]
        assert (plan["count"], plan["amount"]) == (1, "742.90")
        assert replayed.status_code == 202
        with tenant_scope(desk.company.tenant_id):
            rows = MappingRule.objects.for_tenant(desk.company.tenant_id)
            assert [row.made_by_id for row in rows] == [None]
        gone = client.delete(f"{api}/mapping-rules/{rule['id']}/")
        assert "is removed" in gone.json()["sentence"]
