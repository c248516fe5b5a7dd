"""A small world with the figures of a firm, for journeys and pictures: every state has its bills."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.bill.types import Bill, BillLine
from integrations.models import (
    BillConnection,
    Sage300Connection,
    WebhookAddress,
    WebhookSubscription,
)
from sync.domain.problems import ProblemCode
from sync.models import (
    Answer,
    Attempt,
    Batch,
    CompanyPolicy,
    DueWork,
    LogEntry,
    Posting,
    Run,
    WebhookEvent,
)
from tenants.models import Company, Role, Tenant, User
from tenants.scoping import tenant_scope
from tests import builders

PASSWORD = "flour and water, 1926"


@dataclass(slots=True, kw_only=True)
class World:
    """What was made; `postings` by invoice number."""

    tenant: Tenant
    company: Company
    owner: User
    accountant: User
    viewer: User
    stranger: User
    now: datetime
    postings: dict[str, Posting] = field(default_factory=dict)
    run_id: uuid.UUID | None = None
    answered_line_id: uuid.UUID | None = None
    owner_pages: dict[str, str] = field(default_factory=dict)
    operator_pages: dict[str, str] = field(default_factory=dict)


def a_world(now: datetime) -> World:
    """Make the whole world around `now`."""
    tenant = builders.a_tenant(slug="calder", name="Calder Foods", created_at=now)
    elsewhere = builders.a_tenant(slug="quill", name="Quill Inks", created_at=now)
    world = World(
        tenant=tenant,
        company=builders.a_company(
            tenant, slug="bakery", name="Calder Bakery", created_at=now - timedelta(days=120)
        ),
        owner=_person(tenant, Role.OWNER, "owner@calder.example", "Dana Whitfield"),
        accountant=_person(tenant, Role.ACCOUNTANT, "accountant@calder.example", "Priya Raman"),
        viewer=_person(tenant, Role.VIEWER, "viewer@calder.example", "Marcus Ortiz"),
        stranger=_person(elsewhere, Role.OWNER, "stranger@quill.example", "Stran Quill"),
        now=now,
    )
    builders.a_company(tenant, slug="catering", name="Calder Catering", created_at=now)
    _connect(world)
    _with_us(world)
    _stopped(world)
    _in_sage(world)
    _runs(world)
    return world


def _person(tenant: Tenant, role: Role, email: str, name: str) -> User:
    user = builders.a_member(tenant, role, email=email, name=name)
    user.set_password(PASSWORD)
    user.save()
    return user


def _shared(world: World) -> dict[str, Any]:
    return {"tenant_id": world.tenant.pk, "company": world.company}


def _connect(world: World) -> None:
    now = world.now
    with tenant_scope(world.tenant.pk):
        BillConnection.objects.create(
            **_shared(world), environment="practice", user_name="ML-CONNECTOR",
            organization_id="008CalderBakery00001", last_ok_at=now - timedelta(minutes=2),
        )  # fmt: skip
        Sage300Connection.objects.create(
            **_shared(world), base_url="https://sage.calder.example", company_database="CALBAK",
            user_name="MLCONN", last_ok_at=now - timedelta(minutes=2),
        )  # fmt: skip
        address = WebhookAddress.objects.create(
            tenant_id=world.tenant.pk, company_id=world.company.pk, created_at=now
        )
        WebhookSubscription.objects.create(
            **_shared(world), address_id=address.pk, bill_id="sub-1", status="registered",
            registered_at=now,
        )  # fmt: skip
        WebhookEvent.objects.create(
            **_shared(world), event_id="e1", event_type="bill.updated", entity="bill",
            entity_id="x", body=b"{}", received_at=now - timedelta(minutes=11),
            taken_in_at=now - timedelta(minutes=11),
        )  # fmt: skip
        CompanyPolicy.objects.create(
            **_shared(world), changed_at=now, version=41,
            values={"cutover_date": (now - timedelta(days=90)).date().isoformat()},
        )  # fmt: skip
    DueWork.objects.create(
        company_id=world.company.pk, tenant_id=world.tenant.pk,
        next_run_at=now + timedelta(minutes=3),
    )  # fmt: skip


def _add(
    world: World, vendor: str, number: str, amount: str, *, minutes: float, **columns: Any
) -> Posting:
    status = columns.pop("approval", "APPROVED")
    bill = _bill(world, vendor, number, amount, approval=status)
    sage = columns.pop("sage", None)
    at = world.now - timedelta(minutes=minutes)
    if sage:
        batch, entry, word = sage
        columns = {
            **builders.in_sage(bill, batch=batch, entry=entry, status=word, at=at),
            **columns,
        }
    elif columns.get("state") in {"READY", "REVIEW", "IN_FLIGHT", "UNCERTAIN"}:
        made = builders.in_sage(bill, batch=1, entry=1, status="", at=at)
        columns = {
            **{k: v for k, v in made.items() if not k.startswith("sage_") and k not in UNSENT},
            **columns,
        }
    posting = builders.a_posting(world.company, bill=bill, at=at, **columns)
    world.postings[number] = posting
    _told(world, posting)
    return posting


STATUS = {"posting.landed": "Open", "posting.posted": "Posted"}
UNSENT = {"read_back_at", "in_sage_at", "posting_sequence", "state"}


def _bill(world: World, vendor: str, number: str, amount: str, *, approval: str) -> Bill:
    bill = builders.a_bill(
        vendor_name=vendor,
        vendor_id=f"009{hashlib.md5(vendor.encode()).hexdigest()[:10]}",
        invoice_number=number,
        amount=Decimal(amount),
        approval_status=approval,
        invoice_date=(world.now - timedelta(days=6)).date(),
        due_date=(world.now + timedelta(days=24)).date(),
        created_at=world.now - timedelta(days=6, hours=2),
    )
    return replace(bill, lines=(replace(bill.lines[0], description="As on the invoice"),))


def _told(world: World, posting: Posting) -> None:
    """The log's line that left the posting where it stands."""
    being_sent = posting.state in {"IN_FLIGHT", "UNCERTAIN"}
    event = "posting.pending" if being_sent else f"posting.{posting.state.lower()}"
    if posting.state == "ATTENTION":
        event = "posting.taken"
    sentence = posting.sentence or "It stands here."
    if posting.state == "IN_SAGE":
        event = "posting.posted" if posting.sage_status == "Posted" else "posting.landed"
        where = f"batch {posting.sage_batch_number}, entry {posting.sage_entry_number}"
        sentence = f"Read back from Sage: {where}, {posting.sage_status}, to the cent."
    with tenant_scope(world.tenant.pk):
        LogEntry.objects.create(
            **_shared(world), at=posting.changed_at, event=event, posting=posting,
            invoice_number=posting.invoice_number, vendor_name=posting.vendor_name,
            amount=posting.amount, sentence=sentence,
            gl_accounts=", ".join(line["gl_account"] for line in posting.lines),
            status=posting.sage_status if posting.state == "IN_SAGE" else posting.state,
            batch_number=posting.sage_batch_number, entry_number=posting.sage_entry_number,
        )  # fmt: skip


def _with_us(world: World) -> None:
    asked = "Waits for approval in BILL; no approver has acted yet."
    _add(
        world,
        "Summit Roofing",
        "SR-4410",
        "9600.00",
        minutes=2900,
        approval="ASSIGNED",
        sentence=asked,
    )
    _add(
        world,
        "Stanton Uniform Rental",
        "SU-66131",
        "318.44",
        minutes=1500,
        approval="ASSIGNED",
        sentence=asked,
    )
    _add(world, "Tri-County Electric Cooperative", "1106-55209", "2801.15", minutes=1400, approval="APPROVING",
         sentence="Waits for approval in BILL; some approvers have said yes, not all.")  # fmt: skip
    for number, amount in (("LP-20901", "88.10"), ("LP-20902", "412.00"), ("LP-20903", "75.25")):
        _add(world, "Lakeshore Packaging", number, amount, minutes=4000, approval="UNASSIGNED",
             sentence="It has no approver in BILL, and your policy leaves such bills there."
             " Assign one in BILL, or change the policy.")  # fmt: skip
    ready = "Goes with the next batch."
    _add(world, "Silverline Paper", "SP-1204", "1318.20", minutes=1, state="READY", sentence=ready)
    _add(world, "Tri-County Waste Services", "TW-8902", "688.40", minutes=0.5, state="IN_FLIGHT",
         sentence="Being sent to Sage.")  # fmt: skip
    _add(world, "Granger Yeast", "GY-5507", "2204.75", minutes=11, state="UNCERTAIN",
         sentence="The line was silent for 30 seconds. We are looking it up in Sage and will not send it"
         " again until Sage shows that it is not there. Nobody needs to act.")  # fmt: skip
    review = "Ready, and waits for an accountant's yes, as your policy asks."
    _add(
        world,
        "Orchard & Vine Produce",
        "88-4127",
        "1937.25",
        minutes=160,
        state="REVIEW",
        sentence=review,
    )
    twin = builders.a_cause(
        ProblemCode.POSSIBLE_DUPLICATE,
        "Another bill of Parkway Printing has the invoice number PP-3370 (2,143.00, 2026-11-24). If this"
        " one is a different invoice, say yes and it gets a suffix; if it is the same, leave it out here.",
        subject=str(world.postings["SP-1204"].pk), name="PP-3370",
    )  # fmt: skip
    _add(world, "Parkway Printing", "PP-3370 ", "2143.00", minutes=170, state="REVIEW", problems=[twin],
         sentence=twin["sentence"])  # fmt: skip
    _add(world, "Calder Logistics", "IC-1126", "2400.00", minutes=8000, state="SKIPPED",
         sentence="Left out by Dana Whitfield: intercompany", is_skipped_by_person=True)  # fmt: skip


def _stopped(world: World) -> None:
    trade = builders.a_cause(
        ProblemCode.ACCOUNT_UNMAPPED,
        "BILL account Trade Shows has no Sage account. Map it here.",
        subject="acc-trade", name="Trade Shows",
    )  # fmt: skip
    for vendor, number, amount in (
        ("Brightline Signs", "5512", "1140.00"),
        ("Meridian Expo Services", "ME-2219", "4800.00"),
        ("Harbor Travel Group", "HT-80443", "2316.80"),
    ):
        _add(world, vendor, number, amount, minutes=5000, state="BLOCKED", problems=[trade],
             sentence=trade["sentence"])  # fmt: skip
    alder = builders.a_cause(
        ProblemCode.VENDOR_AMBIGUOUS,
        "Two Sage vendors fit Alder Creek Dairy: ALDCRK and ALDER2. Names alone are never enough for us"
        " to link. Choose one here.",
        subject="009alder", name="Alder Creek Dairy",
    )  # fmt: skip
    for number, amount in (("AC-7781", "3905.12"), ("AC-7802", "4118.67")):
        _add(world, "Alder Creek Dairy", number, amount, minutes=1010, state="BLOCKED", problems=[alder],
             sentence=alder["sentence"])  # fmt: skip
    _add(world, "Novak", "10442", "742.90", minutes=930, state="ATTENTION", mode="data",
         sentence="Sage already has Novak invoice 10442: batch 4459, entry 2.",
         words="Vendor NOVAK. Document number 10442 already exists.")  # fmt: skip


def _in_sage(world: World) -> None:
    batch = _batch(world, minutes=930)
    rows = [
        ("Silverline Paper", "SP-1190", "1204.15", 1), ("Tri-County Waste Services", "TW-8851", "688.40", 2),
        ("Lakeshore Packaging", "LP-20877", "1961.70", 4), ("Stanton Uniform Rental", "SU-66071", "580.00", 5),
    ]  # fmt: skip
    for vendor, number, amount, entry in rows:
        _add(world, vendor, number, amount, minutes=44, sage=(4469, entry, "Posted"), batch=batch)
    _cascade(world, batch)
    ready = _batch(world, minutes=920)
    _add(world, "Tri-County Electric Cooperative", "1106-55120", "2761.08", minutes=51,
         sage=(4470, 6, "Ready To Post"), batch=ready)  # fmt: skip
    _add(
        world,
        "Orchard & Vine Produce",
        "88-4102",
        "1877.90",
        minutes=51,
        sage=(4470, 7, "Ready To Post"),
        batch=ready,
    )
    latest = _batch(world, minutes=30)
    _add(
        world,
        "Prairie Mill & Grain",
        "PM-48190",
        "5204.00",
        minutes=27,
        sage=(4471, 1, "Open"),
        batch=latest,
    )
    _add(
        world,
        "Marlow Freight Lines",
        "MF-90188",
        "98.20",
        minutes=27,
        sage=(4471, 2, "Open"),
        batch=latest,
    )
    _add(
        world,
        "Parkway Printing",
        "PP-3370",
        "2143.00",
        minutes=27,
        sage=(4471, 6, "Open"),
        batch=latest,
    )
    changed = "Amount changed in BILL after it was sent. We never overwrite an invoice in Sage."
    northgate = _add(
        world, "Northgate Sanitation", "NG-11840", "1280.00", minutes=1050, sage=(4452, 7, "Posted"),
        changed_in_bill_at=world.now - timedelta(minutes=1050), change_note=changed,
    )  # fmt: skip
    with tenant_scope(world.tenant.pk):
        northgate.bill.snapshot["amount"] = "1208.00"
        northgate.bill.save()


def _cascade(world: World, batch: Batch) -> None:
    """The posting whose whole story the pictures tell."""
    text = "Burner assembly, deck oven 2, line B, including fitting and freight to site"
    lines = (("Burner assembly", "2650.00"), ("Labor, 8 hours", "680.00"), ("Freight", "82.08"))
    bill = replace(
        _bill(world, "Cascade Oven Works", "cow-31877", "3412.08", approval="APPROVED"),
        description=text,
        lines=tuple(
            BillLine(id=f"c{index}", amount=Decimal(amount), description=said)
            for index, (said, amount) in enumerate(lines)
        ),
    )
    at = world.now - timedelta(minutes=44)
    columns = builders.in_sage(bill, batch=4469, entry=3, status="Posted", at=at)
    columns["invoice"]["vendor_number"] = columns["vendor_number"] = "CASCAD"
    columns["lines"] = [
        {
            "line_id": f"c{index}", "gl_account": "6210100", "formatted": "6210-100",
            "account_name": "Equipment repairs", "amount": amount, "description": said,
            "reason": "BILL account Equipment Repairs goes to 6210-100 by rule",
            "not_carried": ["Department Plant"],
        }
        for index, (said, amount) in enumerate(lines)
    ]  # fmt: skip
    posting = builders.a_posting(
        world.company, bill=bill, at=at, batch=batch, policy_version=41, **columns
    )
    world.postings["cow-31877"] = posting
    _cascade_log(world, posting, batch)


def _cascade_log(world: World, posting: Posting, batch: Batch) -> None:
    sent = world.now - timedelta(minutes=930)
    with tenant_scope(world.tenant.pk):
        attempt = Attempt.objects.create(
            **_shared(world), batch=batch, operation="PostBatch", tag=batch.tag, request_hash="0" * 64,
            request=json.dumps({
                "Description": batch.description,
                "Invoices": [
                    {"VendorNumber": "CASCAD", "DocumentNumber": "COW-31877",
                     "OrderNumber": posting.order_number,
                     "InvoiceDetails": [{"GLAccount": "6210100", "DistributedAmount": 3412.08}]},
                    {"VendorNumber": "SILVER"}, {"VendorNumber": "TRIWAS"},
                ],
            }),
            started_at=sent, deadline_at=sent + timedelta(seconds=120),
        )  # fmt: skip
        Answer.objects.create(
            tenant_id=world.tenant.pk, attempt=attempt, outcome="ok", http_status=201, batch_number=4469,
            request_id="8f1c2", ended_at=sent + timedelta(seconds=1.84),
        )  # fmt: skip
        told = [
            ("posting.waiting", -1000, "Waits for approval in BILL; some approvers have said yes, not all.", ""),
            ("posting.review", -955, "Ready, and waits for an accountant's yes, as your policy asks.", ""),
            ("person.approve", -940, "Approved to post. Goes with the next batch.", "Priya Raman"),
            ("posting.batched", -930.2, "Put into batch MLC-4K7Q, with 4 other bills.", ""),
            ("posting.pending", -930, "Being sent to Sage.", ""),
            ("posting.landed", -929.9, "Read back from Sage: batch 4469, entry 3, Open, to the cent.", ""),
            ("posting.posted", -44, "Posted in Sage: batch 4469, entry 3, posting sequence 2214.", ""),
        ]  # fmt: skip
        for event, minutes, sentence, actor in told:
            line = LogEntry.objects.create(
                **_shared(world), at=world.now + timedelta(minutes=minutes), event=event, posting=posting,
                invoice_number=posting.invoice_number, vendor_name=posting.vendor_name, amount=posting.amount,
                sentence=sentence, actor=actor, gl_accounts="6210100", status=STATUS.get(event, "IN_FLIGHT"),
                batch_number=4469 if event in STATUS else None, entry_number=3 if event in STATUS else None,
                attempt=attempt if event == "posting.pending" else None,
            )  # fmt: skip
            if event == "posting.pending":
                world.answered_line_id = line.pk


def _batch(world: World, *, minutes: float) -> Batch:
    with tenant_scope(world.tenant.pk):
        number = Batch.objects.for_tenant(world.tenant.pk).count() + 1
        return Batch.objects.create(
            **_shared(world), database_key="sage/CALBAK", tag=f"MLC-{number:04d}",
            description=f"BILL MLC-{number:04d}", invoices={}, facts={}, stage="done", lease_epoch=1,
            entry_count=1, total_amount=Decimal(1), made_at=world.now - timedelta(minutes=minutes),
            settled_at=world.now - timedelta(minutes=minutes),
        )  # fmt: skip


def _runs(world: World) -> None:
    now = world.now

    def step(
        name: str, done: int, total: int, *, began: float, ended: float | None, said: str
    ) -> dict[str, Any]:
        return {
            "name": name, "done": done, "total": total, "sentence": said,
            "started_at": (now - timedelta(seconds=began)).isoformat(),
            "ended_at": None if ended is None else (now - timedelta(seconds=ended)).isoformat(),
        }  # fmt: skip

    with tenant_scope(world.tenant.pk):
        for minutes, trigger, outcome, said in (
            (10, "schedule", "ok", "Nothing new."),
            (15, "webhook", "ok", "1 bill changed, 1 decided."),
            (27, "person", "ok", "6 bills sent, read back to the cent."),
            (930, "schedule", "failed", "Sage refused Novak 10442; the other 5 went on."),
        ):
            begun = now - timedelta(minutes=minutes)
            Run.objects.create(
                **_shared(world), trigger=trigger, outcome=outcome, sentence=said, started_at=begun,
                ended_at=begun + timedelta(seconds=4.4), heard_at=begun, bill_calls=3, sage_calls=8,
            )  # fmt: skip
        run = Run.objects.create(
            **_shared(world), trigger="person", started_at=now - timedelta(seconds=9), heard_at=now,
            bill_calls=4, sage_calls=2,
            steps=[
                step("Read BILL's events", 1, 1, began=9, ended=8.6, said="1 event, 1 bill."),
                step("Read bills from BILL", 138, 138, began=8.6, ended=2.5, said="138 bills read, 1 new."),
                step("Decide", 84, 138, began=2.5, ended=None, said=""),
            ],
        )  # fmt: skip
        world.run_id = run.pk
