"""What the product says, read through the queries its own pages use."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from connector_site.demo.agreement import POSTED, ShownPosting, plain_account
from sync.domain.posting_state import BEING_SENT, PostingState
from sync.models import DueWork, Posting
from sync.queries.postings import WORDS, Filter, iter_rows, standing_of
from tenants.models import Company, Tenant
from tenants.scoping import tenant_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCompany:
    """One company of the demo's customer."""

    tenant_id: uuid.UUID
    company_id: uuid.UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: the posting for people, and for the comparison."""

    posting: ShownPosting
    bill_id: str
    accounts: str
    word: str
    sentence: str

    @property
    def is_under_way(self) -> bool:
        """Whether the machine has still to do something before it comes to rest."""
        return PostingState(self.posting.state) in {PostingState.READY, *BEING_SENT}

    @property
    def is_in_sage(self) -> bool:
        """Whether Sage holds it and it was read back."""
        return self.posting.state == PostingState.IN_SAGE

    @property
    def is_posted(self) -> bool:
        """Whether Sage has posted it."""
        return self.is_in_sage and self.posting.sage_status == POSTED

    @property
    def place(self) -> str:
        """Batch and entry as people write them."""
        posting = self.posting
        return f"{posting.batch_number}-{posting.entry_number}" if posting.batch_number else ""


def companies_of(tenant_slug: str) -> list[ShownCompany]:
    """Return the companies of a customer by name."""
    tenant = Tenant.objects.get(slug=tenant_slug)
    with tenant_scope(tenant.pk):
        rows = list(Company.objects.for_tenant(tenant).order_by("name"))
    return [
        ShownCompany(tenant_id=tenant.pk, company_id=row.pk, slug=row.slug, name=row.name)
        for row in rows
    ]


def rows_of(company: ShownCompany) -> list[Row]:
    """Return every posting of a company, by vendor and invoice number."""
    with tenant_scope(company.tenant_id):
        postings = list(
            iter_rows(tenant_id=company.tenant_id, company_id=company.company_id, wanted=Filter())
        )
    rows = [_row(posting) for posting in postings]
    return sorted(rows, key=lambda row: (row.posting.vendor_name, row.posting.invoice_number))


def is_at_rest(company: ShownCompany, *, since: datetime, now: datetime) -> bool:
    """Return whether a sync has ended after ``since``, and nothing is under way or asked for."""
    due = DueWork.objects.filter(company_id=company.company_id).first()
    if due is None or due.served_at is None or due.served_at < since:
        return False
    if due.taken_until is not None or (due.rung_at is not None and due.rung_at <= now):
        return False
    with tenant_scope(company.tenant_id):
        postings = Posting.objects.for_tenant(company.tenant_id).of_company(company.company_id)
        return not postings.in_state(PostingState.READY, *BEING_SENT).exists()


def _row(posting: Posting) -> Row:
    lines = [
        (line.get("formatted") or line["gl_account"], line["amount"]) for line in posting.lines
    ]
    return Row(
        posting=ShownPosting(
            invoice_number=posting.invoice_number,
            vendor_name=posting.vendor_name,
            state=posting.state,
            amount=posting.amount,
            vendor_number=posting.vendor_number,
            document_number=posting.sage_document_number or posting.document_number,
            batch_number=posting.sage_batch_number,
            entry_number=posting.sage_entry_number,
            sage_status=posting.sage_status,
            lines=tuple((plain_account(account), Decimal(amount)) for account, amount in lines),
        ),
        bill_id=posting.source_id,
        accounts=", ".join(dict.fromkeys(account for account, _ in lines)),
        word=WORDS[standing_of(posting.state, posting.sage_status)],
        sentence=posting.sentence,
    )
