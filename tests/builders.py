"""Rows and values for tests: one function each, everything overridable by keyword."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from integrations.bill.types import Bill, BillLine
from integrations.sage300.types import Invoice, InvoiceDetail
from sync.domain.packing import pack
from sync.domain.problems import ProblemCode, problem, problem_to_dict
from sync.models import Batch, Posting
from sync.models import Bill as BillRow
from tenants.models import ApiToken, Company, Membership, Role, Tenant, User
from tenants.scoping import tenant_scope

#: Tuesday, December 1, 2026, 8:42 in Chicago.
NOW = datetime(2026, 12, 1, 14, 42, tzinfo=UTC)

_numbers = count(1)


def a_tenant(**overrides: object) -> Tenant:
    number = next(_numbers)
    fields: dict[str, object] = {
        "slug": f"tenant-{number}",
        "name": f"Tenant {number}",
        "created_at": NOW,
    }
    return Tenant.objects.create(**(fields | overrides))


def a_company(tenant: Tenant | None = None, **overrides: object) -> Company:
    tenant = tenant or a_tenant()
    number = next(_numbers)
    fields: dict[str, object] = {
        "slug": f"company-{number}",
        "name": f"Company {number}",
        "time_zone": "America/Chicago",
        "currency": "USD",
        "created_at": NOW,
    }
    with tenant_scope(tenant.pk):
        return Company.objects.create(tenant=tenant, **(fields | overrides))


def a_user(**overrides: object) -> User:
    number = next(_numbers)
    fields: dict[str, object] = {
        "email": f"person{number}@example.com",
        "name": f"Person {number}",
        "password": "!no sign-in by password in this test",
    }
    return User.objects.create(**(fields | overrides))


def a_member(tenant: Tenant, role: Role = Role.OWNER, **overrides: object) -> User:
    user = a_user(**overrides)
    Membership.objects.create(tenant=tenant, user=user, role=role, created_at=NOW)
    return user


def an_operator(**overrides: object) -> User:
    return a_user(is_staff=True, is_superuser=True, **overrides)


def an_api_token(tenant: Tenant, role: Role = Role.OWNER, *, label: str = "Test") -> str:
    _, text = ApiToken.issue(tenant=tenant, role=role, label=label, created_by=None, now=NOW)
    return text


# --- Bills and postings -----------------------------------------------------------------------


def a_bill(**overrides: object) -> Bill:
    """A bill as BILL tells it: one line over its whole amount, unless lines are given."""
    number = next(_numbers)
    amount = overrides.get("amount", Decimal("100.00"))
    line = BillLine(id=f"line-{number}", amount=amount, description="Flour, 50 lb")  # type: ignore[arg-type]
    fields: dict[str, object] = {
        "id": f"00n{number:017d}",
        "vendor_id": "009vendor",
        "vendor_name": "Prairie Mill & Grain",
        "invoice_number": f"PM-{48000 + number}",
        "invoice_date": date(2026, 11, 20),
        "due_date": date(2026, 12, 20),
        "amount": amount,
        "approval_status": "APPROVED",
        "lines": (line,),
        "created_at": NOW - timedelta(days=3),
        "updated_at": NOW,
        "content_hash": f"{number:064d}",
    }
    return Bill(**(fields | overrides))  # type: ignore[arg-type]


def a_posting(
    company: Company, *, bill: Bill | None = None, at: datetime = NOW, **overrides: object
) -> Posting:
    """A posting with its bill's row, standing where `state` and the other columns say."""
    bill = bill or a_bill()
    shared = {"tenant_id": company.tenant_id, "company": company}
    fields: dict[str, object] = {
        "source_id": bill.id,
        "invoice_number": bill.invoice_number,
        "vendor_name": bill.vendor_name,
        "bill_vendor_id": bill.vendor_id,
        "amount": bill.amount,
        "invoice_date": bill.invoice_date,
        "due_date": bill.due_date,
        "since": at,
        "created_at": at,
        "changed_at": at,
        "is_dirty": False,
    }
    with tenant_scope(company.tenant_id):
        row = BillRow.objects.create(
            **shared,
            bill_id=bill.id,
            bill_vendor_id=bill.vendor_id,
            snapshot=pack(bill),
            content_hash=bill.content_hash,
            approval_status=bill.approval_status,
            created_in_bill_at=bill.created_at,
            read_at=at,
            checked_at=at,
        )
        return Posting.objects.create(**shared, bill=row, **(fields | overrides))


def a_batch(company: Company, *, at: datetime = NOW, **overrides: object) -> Batch:
    """A settled batch of this company; needs the open scope."""
    number = next(_numbers)
    fields: dict[str, object] = {
        "database_key": "sage/CALBAK", "tag": f"MLC-{number:04d}", "stage": "done",
        "description": f"BILL MLC-{number:04d}", "invoices": {}, "facts": {}, "lease_epoch": 1,
        "entry_count": 1, "total_amount": Decimal(1), "made_at": at, "settled_at": at,
    }  # fmt: skip
    return Batch.objects.create(
        tenant_id=company.tenant_id, company=company, **(fields | overrides)
    )


def in_sage(
    bill: Bill, *, batch: int, entry: int, status: str, at: datetime = NOW
) -> dict[str, Any]:
    """The columns of a posting that was read back from Sage equal to the cent."""
    document = bill.invoice_number.upper()
    account = "6210100"
    invoice = Invoice(
        vendor_number="PRAMIL",
        document_number=document,
        order_number=bill.id.upper(),
        document_date=bill.invoice_date,
        posting_date=bill.invoice_date,
        due_date=bill.due_date,
        total=bill.amount or Decimal(0),
        details=(InvoiceDetail(gl_account=account, amount=bill.amount or Decimal(0)),),
        description=bill.description[:60],
    )
    line = {
        "line_id": bill.lines[0].id,
        "gl_account": account,
        "formatted": "6210-100",
        "account_name": "Equipment repairs",
        "amount": str(bill.amount),
        "description": bill.lines[0].description,
        "reason": "Same number in Sage",
    }
    return {
        "state": "IN_SAGE",
        "currency": "USD",
        "vendor_number": "PRAMIL",
        "document_number": document,
        "order_number": bill.id.upper(),
        "posting_date": bill.invoice_date,
        "fiscal_year": "2026",
        "fiscal_period": "11",
        "invoice": pack(invoice),
        "lines": [line],
        "mapped_hash": bill.content_hash,
        "sage_batch_number": batch,
        "sage_entry_number": entry,
        "sage_document_number": document,
        "sage_status": status,
        "sage_amount": bill.amount,
        "posting_sequence": 2214 if status == "Posted" else None,
        "read_back_at": at,
        "in_sage_at": at,
        "posted_at": at if status == "Posted" else None,
    }


def a_cause(
    code: ProblemCode, sentence: str, *, subject: str = "", name: str = ""
) -> dict[str, str]:
    """A problem as a posting's row holds it."""
    return problem_to_dict(problem(code, sentence, subject=subject, subject_name=name))
