"""Addresses and questions: BILL's base addresses, and the filter language of its lists.

Filters are `field:operator:value`, joined by commas. How BILL wants a quote or a comma inside a
value to be escaped is not documented, so nothing but ids and moments is ever filtered on, and an
id that is not plain letters and digits is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from integrations.bill.types import ListKind
from integrations.errors import AddressRefused

PAGE_SIZE = 100
IDS_PER_CALL = 50

BILLS = "/v3/bills"
VENDORS = "/v3/vendors"
SUBSCRIPTIONS = "/v3/subscriptions"

OLDEST_CHANGE_FIRST = "updatedTime:asc"

_HOSTS = {
    "production": "https://gateway.prod.bill.com",
    "sandbox": "https://gateway.stage.bill.com",
}
_PLAIN_ID = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillAddress:
    """Where one company's BILL is, and as whom we go there.

    `credential_version` rises with every change of the credentials, so that a session made with the
    old ones is not used under the new.
    """

    api_url: str
    events_url: str
    environment: str
    user_name: str
    password: str = field(repr=False)
    organization_id: str
    developer_key: str = field(repr=False)
    credential_version: int = 0


def base_urls(environment: str, *, practice_origin: str = "") -> tuple[str, str]:
    """Return the API's and the events API's base address; raises AddressRefused for no known one.

    Production is the `.prod.` host: gateway.bill.com, which several clients use, is another one.
    """
    host = practice_origin.rstrip("/") if environment == "practice" else _HOSTS.get(environment, "")
    if not host:
        raise AddressRefused(
            f"no address for the BILL environment {environment!r}",
            sentence=f"No address is known for the BILL environment “{environment}”. An owner "
            "chooses production or sandbox under Connections; for practice, the operator sets "
            "CONNECTOR_PRACTICE_BILL_URL.",
        )
    return f"{host}/connect", f"{host}/connect-events"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """One question to a list; asked again unchanged, but for the cursor, on every page.

    Archived rows are wanted, so `archived` is never filtered on.
    """

    path: str
    filters: tuple[str, ...] = ()
    sort: str = ""
    others: tuple[tuple[str, str], ...] = ()

    def url(self, base: str, cursor: str = "") -> str:
        """Return the address of the page behind `cursor`."""
        pairs = [("max", str(PAGE_SIZE)), *self.others]
        if self.sort:
            pairs.append(("sort", self.sort))
        if self.filters:
            pairs.append(("filters", ",".join(self.filters)))
        if cursor:
            pairs.append(("page", cursor))
        return f"{base}{self.path}?{urlencode(pairs, quote_via=quote)}"

    def from_moment(self, moment: datetime) -> ListQuery:
        """Return the same question beginning at a later change."""
        others = tuple(part for part in self.filters if not part.startswith("updatedTime:gte:"))
        return replace(self, filters=(*others, since("updatedTime", moment)))


def since(name: str, moment: datetime) -> str:
    """Return a filter for everything at or after an aware moment, in milliseconds, in UTC.

    BILL does not say which zone it assumes without an offset, so Z is always sent.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone cannot be asked for")
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'{name}:gte:"{text}"'


def among(ids: Sequence[str]) -> str:
    """Return a filter for exactly these ids."""
    return f'id:in:"{",".join(ids)}"'


def chunks_of_ids(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield the ids that can be asked for, each once, in order, as many as go into one call."""
    askable = [each for each in dict.fromkeys(ids) if _PLAIN_ID.fullmatch(each)]
    for start in range(0, len(askable), IDS_PER_CALL):
        yield askable[start : start + IDS_PER_CALL]


def changes_query(
    path: str, *, updated_since: datetime | None = None, created_since: datetime | None = None
) -> ListQuery:
    """Return the question for everything changed (or made) since then, oldest change first."""
    filters = []
    if updated_since is not None:
        filters.append(since("updatedTime", updated_since))
    if created_since is not None:
        filters.append(since("createdTime", created_since))
    return ListQuery(path=path, filters=tuple(filters), sort=OLDEST_CHANGE_FIRST)


def classification_query(kind: ListKind, *, updated_since: datetime | None = None) -> ListQuery:
    """Return the question for a classification list.

    BILL does not sort these by time; a documented order keeps the pages from shifting.
    """
    filters = () if updated_since is None else (since("updatedTime", updated_since),)
    order = "lastName:asc" if kind is ListKind.EMPLOYEE else "name:asc"
    return ListQuery(path=f"/v3/classifications/{kind.value}", filters=filters, sort=order)


def one(path: str, record_id: str) -> str:
    """Return the path of one record."""
    return f"{path}/{quote(record_id, safe='')}"
