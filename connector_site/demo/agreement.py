"""Does the whole ledger agree with what the product says? Compared from both sides.

From the product's side: each posting it shows in Sage lies there, in the batch and entry it names,
to the cent, on the same accounts. From the ledger's side: each entry the connector made belongs to
exactly one posting, no document is there twice, and nothing is there that the product shows as
waiting or blocked. The connector's entries are known by the Sage user who entered them, not by
anything the product wrote, so a lost note of ours cannot hide one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync.services.landings import status_words

IN_SAGE = "IN_SAGE"
POSTED = "Posted"
_DELETED = "Deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPosting:
    """One posting as the product shows it."""

    invoice_number: str
    vendor_name: str
    state: str
    amount: Decimal | None
    vendor_number: str = ""
    document_number: str = ""
    batch_number: int | None = None
    entry_number: int | None = None
    sage_status: str = ""
    lines: tuple[tuple[str, Decimal], ...] = ()

    @property
    def title(self) -> str:
        """How a person would name it."""
        return f"{self.vendor_name} {self.invoice_number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One entry of a batch in Sage, as the ledger has it."""

    batch_number: int
    batch_status: str
    entry_number: int
    vendor_number: str
    document_number: str
    total: Decimal
    undistributed: Decimal
    entered_by: str
    lines: tuple[tuple[str, Decimal], ...]

    @property
    def title(self) -> str:
        """How a person would find it in Sage."""
        return f"batch {self.batch_number} entry {self.entry_number} ({self.document_number})"


def read_entries(company: Mapping[str, Any]) -> list[LedgerEntry]:
    """Return the entries of one company's ledger; batches a person deleted hold none."""
    return [
        LedgerEntry(
            batch_number=int(batch["BatchNumber"]),
            batch_status=status_words(str(batch["BatchStatus"])),
            entry_number=int(entry["EntryNumber"]),
            vendor_number=entry["VendorNumber"],
            document_number=entry["DocumentNumber"],
            total=Decimal(entry["DocumentTotalIncludingTax"]),
            undistributed=Decimal(entry["UndistributedAmount"]),
            entered_by=entry["EnteredBy"],
            lines=tuple(
                (plain_account(line["GLAccount"]), Decimal(line["DistributedAmount"]))
                for line in entry["InvoiceDetails"]
            ),
        )
        for batch in company["batches"]
        if batch["BatchStatus"] != _DELETED
        for entry in batch["Invoices"]
    ]


def plain_account(account: str) -> str:
    """Return an account number without the separators it is shown with."""
    return "".join(letter for letter in account if letter.isalnum()).upper()


def disagreements(
    shown: Sequence[ShownPosting], company: Mapping[str, Any], *, connector_user: str
) -> list[str]:
    """Return one sentence for each way the product and one company's ledger differ."""
    entries = read_entries(company)
    ours = [entry for entry in entries if entry.entered_by.upper() == connector_user.upper()]
    posted = Counter((row["VendorNumber"], row["DocumentNumber"]) for row in company["posted"])
    claimed = Counter(
        (posting.batch_number, posting.entry_number)
        for posting in shown
        if posting.state == IN_SAGE
    )
    return [
        *(
            sentence
            for posting in shown
            if posting.state == IN_SAGE
            for sentence in _posting_faults(posting, ours, posted)
        ),
        *_unclaimed(ours, claimed),
        *_doubled(ours),
        *_doubled_postings(posted),
    ]


def _posting_faults(
    posting: ShownPosting,
    entries: Iterable[LedgerEntry],
    posted: Mapping[tuple[str, str], int],
) -> list[str]:
    place = (posting.batch_number, posting.entry_number)
    entry = next((e for e in entries if (e.batch_number, e.entry_number) == place), None)
    if entry is None:
        return [
            f"{posting.title}: shown in batch {place[0]} entry {place[1]}; Sage has none there."
        ]
    compared = [
        ("vendor", posting.vendor_number, entry.vendor_number),
        ("document", posting.document_number, entry.document_number),
        ("amount", posting.amount, entry.total),
        ("status", posting.sage_status, entry.batch_status),
        ("accounts", _sorted_lines(posting.lines), _sorted_lines(entry.lines)),
        ("undistributed amount", Decimal(0), entry.undistributed),
    ]
    faults = [
        f"{posting.title}: {what} is {ours} here and {theirs} in Sage's {entry.title}."
        for what, ours, theirs in compared
        if ours != theirs
    ]
    is_posted = posted.get((entry.vendor_number, entry.document_number), 0) > 0
    if (posting.sage_status == POSTED) != is_posted:
        words = "has" if is_posted else "does not have"
        faults.append(
            f"{posting.title}: shown as {posting.sage_status}, but Sage {words} it among"
            " its posted documents."
        )
    return faults


def _unclaimed(
    ours: Iterable[LedgerEntry], claimed: Mapping[tuple[int | None, int | None], int]
) -> list[str]:
    return [
        f"Sage's {entry.title} was made by the connector, and {count or 'no'} postings show it."
        for entry in ours
        if (count := claimed.get((entry.batch_number, entry.entry_number), 0)) != 1
    ]


def _doubled(ours: Iterable[LedgerEntry]) -> list[str]:
    counts = Counter((entry.vendor_number, entry.document_number) for entry in ours)
    return [
        f"Vendor {vendor} has {count} entries of the connector with the document {document}."
        for (vendor, document), count in counts.items()
        if count > 1
    ]


def _doubled_postings(posted: Mapping[tuple[str, str], int]) -> list[str]:
    return [
        f"Vendor {vendor} has {count} posted documents with the number {document}."
        for (vendor, document), count in posted.items()
        if count > 1
    ]


def _sorted_lines(lines: Iterable[tuple[str, Decimal]]) -> str:
    """Return lines so that they compare, and read, alike; one account may stand on several."""
    return ", ".join(f"{account} {amount:.2f}" for account, amount in sorted(lines))
