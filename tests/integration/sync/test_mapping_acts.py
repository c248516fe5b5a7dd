"""Mapping rules by hand and by file: checked, counted, kept in history; mended bills go by themselves."""

from decimal import Decimal
from typing import Any

import pytest

from sync.models import LineOverride, MappingRuleChange
from sync.services import line_choices, mapping_acts, mapping_files
from sync.services.acts import Done, NotOpen, Overtaken
from sync.services.line_choices import Choice
from sync.services.mapping_acts import Draft, Refused, Saved, stamp_of
from tenants.scoping import tenant_scope
from tests.integration.sync.workbench import (
    DANA,
    PRIYA,
    TRADE_SHOWS,
    UTILITIES,
    a_synced_desk,
    now,
    rules,
)
from tests.integration.sync.world import Desk, invoices_of_ours

pytestmark = pytest.mark.django_db(transaction=True)


def to(account: str, **conditions: str) -> Draft:
    return Draft(gl_account=account, conditions=conditions)


def save(desk: Desk, draft: Draft, **more: Any) -> Saved | Refused | Overtaken:
    with tenant_scope(desk.company.tenant_id):
        return mapping_acts.save(desk.company, draft, actor=PRIYA, now=now(), **more)


def history(desk: Desk) -> list[tuple[str, str, str, str]]:
    with tenant_scope(desk.company.tenant_id):
        rows = MappingRuleChange.objects.for_tenant(desk.company.tenant_id).order_by("at")
        return [(r.actor_name, r.action, r.before_account, r.after_account) for r in rows]


def test_mapping_an_account_lets_its_blocked_bills_go_into_sage_by_themselves(
    settings: Any,
) -> None:
    with a_synced_desk(settings) as desk:
        saved = save(desk, to("6420100", account_id=TRADE_SHOWS))

        assert isinstance(saved, Saved)
        assert saved.waiting_bills == 2
        assert [rule.gl_account for rule in rules(desk)] == ["6420-100"]
        desk.sync()
        mended = desk.postings(vendor_name__in=["Brightline Signs", "Parkway Printing"])
        gone = {
            p.invoice_number: p.state for p in mended if p.invoice_number in {"5512", "PP-3402"}
        }
        assert gone == {"5512": "IN_SAGE", "PP-3402": "IN_SAGE"}
        ledger = invoices_of_ours(desk.ledger())
        assert {entry[5][0][0] for entry in ledger.values() if entry[3] == "5512"} == {"6420100"}
        assert history(desk) == [("Priya Raman", "made", "", "6420-100")]


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ("9999-100", "Sage has no GL account 9999-100"),
        ("6320-300", "is inactive in Sage"),
        ("2010-100", "is a control account"),
        ("", "Choose the Sage account"),
    ],
)
def test_a_target_sage_would_refuse_is_refused_when_it_is_chosen(
    settings: Any, account: str, says: str
) -> None:
    with a_synced_desk(settings) as desk:
        refused = save(desk, to(account, account_id=TRADE_SHOWS))

        assert isinstance(refused, Refused)
        assert says in refused.errors["gl_account"]
        assert rules(desk) == []


def test_a_rule_without_a_condition_or_with_those_of_another_is_refused(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        save(desk, to("6420-100", account_id=TRADE_SHOWS))

        nothing = save(desk, to("6420-100"))
        twin = save(desk, to("6410-100", account_id=TRADE_SHOWS))
        unknown = save(desk, to("6420-100", account_id="0caNobody"))

        assert isinstance(nothing, Refused)
        assert "at least one condition" in nothing.sentence
        assert isinstance(twin, Refused)
        assert "already, to 6420-100" in twin.sentence
        assert isinstance(unknown, Refused)
        assert set(unknown.errors) == {"account_id"}


def test_the_second_of_two_people_is_told_who_changed_the_rule(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        save(desk, to("6420-100", account_id=TRADE_SHOWS))
        rule = rules(desk)[0]
        seen = stamp_of(rule)
        changed = to("6410-100", account_id=TRADE_SHOWS)
        assert isinstance(save(desk, changed, rule_id=rule.pk, seen=seen), Saved)

        with tenant_scope(desk.company.tenant_id):
            second = mapping_acts.save(
                desk.company, to("6510-100", account_id=TRADE_SHOWS), rule_id=rule.pk, seen=seen,
                actor=DANA, now=now(),
            )  # fmt: skip
            gone = mapping_acts.remove(desk.company, rule.pk, seen=seen, actor=DANA, now=now())

        assert isinstance(second, Overtaken)
        assert "Priya Raman was quicker" in second.sentence
        assert isinstance(gone, Overtaken)
        assert [rule.gl_account for rule in rules(desk)] == ["6410-100"]


def test_a_preview_counts_what_changes_and_what_stays(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        with tenant_scope(desk.company.tenant_id):
            _, effect = mapping_acts.preview(
                desk.company, to("6410-100", account_id=UTILITIES), now=now()
            )

        assert effect.waiting == []
        # Two lines of the one bill of Tri-County Electric that lies in Sage.
        assert [period.lines for period in effect.sent.values()] == [2]
        assert effect.sent_amount == Decimal("2761.08")
        assert rules(desk) == []


def test_removing_a_rule_blocks_its_bills_again_and_keeps_the_history(settings: Any) -> None:
    with a_synced_desk(settings, review="review_all") as desk:
        save(desk, to("6420-100", account_id=TRADE_SHOWS))
        desk.sync()
        assert desk.postings(invoice_number="5512")[0].state == "REVIEW"

        with tenant_scope(desk.company.tenant_id):
            done = mapping_acts.remove(desk.company, rules(desk)[0].pk, actor=PRIYA, now=now())
        desk.sync()

        assert isinstance(done, Done)
        assert desk.postings(invoice_number="5512")[0].state == "BLOCKED"
        assert [row[1] for row in history(desk)] == ["made", "removed"]


HEADER = "BILL account,Department,Sage account,Rule name\n"


def take_in(desk: Desk, text: str, **more: Any) -> mapping_files.FileReport:
    with tenant_scope(desk.company.tenant_id):
        return mapping_files.take_in(
            desk.company, text.encode(), actor=PRIYA, now=now(), **({"is_trial": False} | more)
        )


def test_a_file_with_one_line_at_fault_changes_nothing_and_names_the_line(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        text = HEADER + "Trade Shows,,6420-100,Fairs\nFluor,,5010-100,\nUtilities,,6320-300,\n"

        report = take_in(desk, text)

        assert not report.is_applied
        assert [(line.line, line.verdict) for line in report.lines] == [
            (2, "new"),
            (3, "refused"),
            (4, "refused"),
        ]
        assert "“Fluor”" in report.lines[1].sentence
        assert rules(desk) == []


def test_a_good_file_is_taken_in_whole_and_what_goes_out_comes_in_again(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        text = HEADER + "Trade Shows,,6420-100,=Fairs\n6120-100,,6410-100,\n"

        trial = take_in(desk, text, is_trial=True)
        report = take_in(desk, text)
        with tenant_scope(desk.company.tenant_id):
            out = mapping_files.write_out(desk.company)
        again = take_in(desk, out)

        assert not trial.is_applied
        assert report.is_applied
        assert report.changes == 2
        assert "'=Fairs" in out
        assert [line.verdict for line in again.lines] == ["same", "same"]
        assert len(rules(desk)) == 2
        desk.sync()
        assert desk.postings(invoice_number="5512")[0].state == "IN_SAGE"


def choose(desk: Desk, invoice: str, account: str, **more: Any) -> object:
    posting = desk.postings(invoice_number=invoice)[0]
    with tenant_scope(desk.company.tenant_id):
        line_id = posting.bill.snapshot["lines"][0]["id"]
        return line_choices.choose(
            posting,
            Choice(line_id=line_id, gl_account=account, **more),
            company=desk.company,
            seen_state=posting.state,
            actor=PRIYA,
            now=now(),
        )


def test_an_account_chosen_for_one_line_goes_for_this_bill_only(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        done = choose(desk, "5512", "6410-100", reason="A sign, not a fair")
        desk.sync()

        assert isinstance(done, Done)
        chosen = desk.postings(invoice_number="5512")[0]
        assert chosen.state == "IN_SAGE"
        assert chosen.lines[0]["reason"] == "Override: chosen for this bill"
        assert desk.postings(invoice_number="PP-3402")[0].state == "BLOCKED"
        assert rules(desk) == []


def test_a_choice_remembered_becomes_a_rule_for_the_lines_like_it(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        choose(desk, "5512", "6420-100", remember=["account_id"])
        desk.sync()

        assert [rule.account_id for rule in rules(desk)] == [TRADE_SHOWS]
        assert desk.postings(invoice_number="PP-3402")[0].state == "IN_SAGE"


def test_a_line_that_lies_in_sage_is_changed_there_and_not_here(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        refused = choose(desk, "7719", "6410-100")

        assert isinstance(refused, NotOpen)
        with tenant_scope(desk.company.tenant_id):
            assert not LineOverride.objects.for_tenant(desk.company.tenant_id).exists()


def test_a_choice_of_a_bad_account_leaves_everything_as_it_was(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        refused = choose(desk, "5512", "2010-100", remember=["account_id"])

        assert isinstance(refused, Refused)
        assert rules(desk) == []
        assert desk.postings(invoice_number="5512")[0].state == "BLOCKED"
