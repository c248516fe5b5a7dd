"""Finds the BILL ids of records that a provision file names by number or name.

What was read before is looked into first; only what is not found there is asked of BILL, once a
list, before anything is changed and with no transaction open.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from integrations.bill.client import BillClient
from integrations.bill.types import ListItem, ListKind
from integrations.errors import IntegrationError
from integrations.secrets import SecretUnreadable
from sync.domain.gl_accounts import fold_number
from sync.domain.words import count_of
from sync.models import VendorLink
from sync.services.catalogue import Lists, bill_kind
from sync.services.provisioning.company import CompanyEntry, Named, conditions
from sync.services.provisioning.shape import Reading
from tenants.models import Company
from tenants.scoping import tenant_scope

VENDOR = "vendor"
_LISTS = {
    "account": ListKind.ACCOUNT,
    "department": ListKind.DEPARTMENT,
    "location": ListKind.LOCATION,
    "accounting_class": ListKind.CLASS,
    "item": ListKind.ITEM,
}
_WORDS = {"accounting_class": "accounting class"}

Ids = dict[tuple[str, Named], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a record can be named by."""

    id: str
    number: str
    name: str

    def is_called(self, named: Named) -> bool:
        """Whether the file means this one: numbers without separators, names without capitals."""
        if named.number:
            return bool(self.number) and fold_number(self.number) == fold_number(named.number)
        return _folded(self.name) == _folded(named.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A record named at one place of the file."""

    kind: str
    named: Named
    pointer: str


def mentions(entry: CompanyEntry, pointer: str) -> Iterator[Mention]:
    """Every record a company's part names, with its place."""
    for place, rule in enumerate(entry.mapping_rules):
        for kind, named in conditions(rule).items():
            where = f"{pointer}/mapping_rules/{place}/{kind}"
            yield Mention(kind=kind, named=named, pointer=where)
    for place, skip in enumerate(entry.skip_rules):
        for kind, wanted in ((VENDOR, skip.vendor), ("account", skip.account)):
            if wanted is not None:
                where = f"{pointer}/skip_rules/{place}/{kind}"
                yield Mention(kind=kind, named=wanted, pointer=where)
    for place, link in enumerate(entry.vendor_links):
        where = f"{pointer}/vendor_links/{place}/vendor"
        yield Mention(kind=VENDOR, named=link.vendor, pointer=where)
    for place, account in enumerate(entry.vendor_accounts):
        where = f"{pointer}/vendor_accounts/{place}/vendor"
        yield Mention(kind=VENDOR, named=account.vendor, pointer=where)


def resolve(
    found: Iterable[Mention],
    *,
    company: Company | None,
    open_bill: Callable[[], BillClient | None],
    reading: Reading,
) -> Ids:
    """The BILL id of every record named; what cannot be found is noted in `reading`."""
    ids: Ids = {}
    by_kind: dict[str, list[Mention]] = {}
    for mention in found:
        if mention.named.id:
            ids[mention.kind, mention.named] = mention.named.id
        else:
            by_kind.setdefault(mention.kind, []).append(mention)
    for kind, open_mentions in by_kind.items():
        known = _stored(company, kind) if company else []
        if not all(_is_there(known, mention) for mention in open_mentions):
            try:
                known = _asked(open_bill(), kind) or known
            except (IntegrationError, SecretUnreadable) as error:
                why = error.sentence if isinstance(error, IntegrationError) else str(error)
                for mention in open_mentions:
                    reading.add(mention.pointer, _unasked(kind, why))
                continue
        for mention in open_mentions:
            record = _the_one(known, mention, reading)
            if record is not None:
                ids[kind, mention.named] = record.id
    return ids


def _stored(company: Company, kind: str) -> list[Record]:
    tenant_id: uuid.UUID = company.tenant_id
    with tenant_scope(tenant_id):
        if kind == VENDOR:
            rows = VendorLink.objects.for_tenant(tenant_id).filter(company=company)
            return [
                Record(id=key, number="", name=name)
                for key, name in rows.values_list("bill_vendor_id", "name")
            ]
        lists = Lists(tenant_id, company.pk)
        return [_record(item) for item in lists.of(bill_kind(_LISTS[kind]), ListItem)]


def _asked(bill: BillClient | None, kind: str) -> list[Record]:
    if bill is None:
        return []
    if kind == VENDOR:
        return [
            Record(id=vendor.id, number="", name=vendor.name)
            for page in bill.iter_vendors()
            for vendor in page
            if not vendor.archived
        ]
    return [_record(item) for page in bill.iter_list(_LISTS[kind]) for item in page]


def _record(item: ListItem) -> Record:
    return Record(id=item.id, number=item.number, name=item.name)


def _is_there(known: list[Record], mention: Mention) -> bool:
    return any(record.is_called(mention.named) for record in known)


def _the_one(known: list[Record], mention: Mention, reading: Reading) -> Record | None:
    fitting = {record.id: record for record in known if record.is_called(mention.named)}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    word = _WORDS.get(mention.kind, mention.kind)
    what = f"{'number' if mention.named.number else 'name'} “{mention.named.said}”"
    if fitting:
        sentence = (
            f"BILL has {count_of(len(fitting), word, f'{word}es' if word[-1] == 's' else '')} with the {what}. Name the one you mean by "
            f"its id: {', '.join(sorted(fitting))}."
        )
    else:
        sentence = f"BILL has no {word} with the {what}. Correct it, or name the record by its id."
    reading.add(mention.pointer, sentence)
    return None


def _unasked(kind: str, why: str) -> str:
    word = _WORDS.get(kind, kind)
    return f"To find this {word}, BILL had to be asked: {why} Or name the record by its id."


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
