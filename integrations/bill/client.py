"""BILL's window: what the connector asks of BILL, in BILL's words.

Reads only; the few writes are about subscriptions and live beside it. Everything is asked through
one door (caller.py), so each method here costs exactly the calls it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from integrations.bill.errors import NotPermitted
from integrations.bill.parse import (
    parse_bill,
    parse_health,
    parse_list_item,
    parse_session,
    parse_vendor,
)
from integrations.bill.queries import (
    BILLS,
    VENDORS,
    ListQuery,
    among,
    changes_query,
    chunks_of_ids,
    classification_query,
    one,
)
from integrations.bill.subscriptions import BillSubscriptions
from integrations.bill.types import Bill, BillSession, BillVendor, Health, ListItem, ListKind
from integrations.bill.values import as_mapping
from integrations.bill.walk import walk
from integrations.errors import NotFound, Rejected

Row = Mapping[str, object]


class BillClient(BillSubscriptions):
    """One company's BILL. Raises the IntegrationError family; NotPermitted is the mild AuthRefused.

    Archived rows are part of every list: whether something was archived is a fact we need.
    """

    def health(self) -> Health:
        """Ask whether BILL is there; needs no sign-in and counts towards no limit."""
        return parse_health(self._open("GET", f"{self._address.api_url}/v3/health"))

    def whoami(self) -> BillSession:
        """Ask BILL whose session this is; one call."""
        answer = self._get(f"{self._address.api_url}/v3/login/session")
        session_id = self._held.session.session_id if self._held else ""
        return parse_session(answer, session_id=session_id)

    def iter_bills(
        self, *, updated_since: datetime | None = None, created_since: datetime | None = None
    ) -> Iterator[list[Bill]]:
        """Yield pages of at most 100 bills, oldest change first; one call a page.

        A bill that changes during the walk may come twice; the later one is newer.
        """
        query = changes_query(BILLS, updated_since=updated_since, created_since=created_since)
        for page in self._walk(query):
            yield [parse_bill(row) for row in page]

    def read_bills(self, ids: Iterable[str]) -> tuple[Bill, ...]:
        """Return the bills with these ids as they are now; one call for 50.

        An id BILL does not know is missing in the result.
        """
        return tuple(parse_bill(row) for row in self._by_ids(BILLS, ids))

    def get_bill(self, bill_id: str) -> Bill:
        """Return one bill; raises NotFound. Where the single read is forbidden, the list is asked."""
        return parse_bill(self._one(BILLS, bill_id, sentence=_BILL_GONE))

    def iter_vendors(self, *, updated_since: datetime | None = None) -> Iterator[list[BillVendor]]:
        """Yield pages of at most 100 vendors, oldest change first; one call a page."""
        for page in self._walk(changes_query(VENDORS, updated_since=updated_since)):
            yield [parse_vendor(row) for row in page]

    def read_vendors(self, ids: Iterable[str]) -> tuple[BillVendor, ...]:
        """Return the vendors with these ids from the list (its rows may be thin); 50 a call."""
        return tuple(parse_vendor(row) for row in self._by_ids(VENDORS, ids))

    def get_vendor(self, vendor_id: str) -> BillVendor:
        """Return one vendor whole, as needed before it is written to Sage; raises NotFound."""
        return parse_vendor(self._one(VENDORS, vendor_id, sentence=_VENDOR_GONE))

    def iter_list(
        self, kind: ListKind, *, updated_since: datetime | None = None
    ) -> Iterator[list[ListItem]]:
        """Yield pages of a classification list; raises NotPermitted where the user may not see it.

        The time filter is not on BILL's published list for these; refused, the whole list comes.
        """
        pages = self._walk(classification_query(kind, updated_since=updated_since))
        try:
            first = next(pages, ())
        except Rejected:
            if updated_since is None:
                raise
            pages = self._walk(classification_query(kind))
            first = next(pages, ())
        if first:
            yield [parse_list_item(kind, row) for row in first]
        for page in pages:
            yield [parse_list_item(kind, row) for row in page]

    def _walk(self, query: ListQuery) -> Iterator[tuple[Row, ...]]:
        return walk(self._get, self._address.api_url, query)

    def _by_ids(self, path: str, ids: Iterable[str]) -> Iterator[Row]:
        for chunk in chunks_of_ids(ids):
            for page in self._walk(ListQuery(path=path, filters=(among(chunk),))):
                yield from page

    def _one(self, path: str, record_id: str, *, sentence: str) -> Row:
        """One record by its id, or through the list where only that is allowed (BDC_1145)."""
        try:
            return as_mapping(self._get(f"{self._address.api_url}{one(path, record_id)}"))
        except NotPermitted:
            for row in self._by_ids(path, [record_id]):
                return row
        raise NotFound("not in BILL's list", sentence=sentence)


_BILL_GONE = (
    "BILL no longer has this bill. An accountant looks in BILL whether it was removed or merged."
)
_VENDOR_GONE = "BILL no longer has this vendor. An accountant looks in BILL whether it was merged into another."
