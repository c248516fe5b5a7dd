"""How this installation spells what the reference leaves open.

Posted documents and posting errors are named by rule here; the receivables sister spells some of
them out. Keys that are decimals may come as `58` or as `58.0`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

from integrations.standins.sage300.schema import ENTITIES, Entity, Row
from integrations.standins.sage300.switches import Switches

_SISTER = {
    "DocDescription": "DocumentDescription",
    "DocDate": "DocumentDate",
    "FuncCurrencyInvoiceAmount": "FunctionalCurrencyInvoiceAmount",
    "FuncCurrencyAmountDue": "FunctionalCurrencyAmountDue",
    "VendCurrencyInvoiceAmount": "VendorCurrencyInvoiceAmount",
    "VendCurrencyAmountDue": "VendorCurrencyAmountDue",
    "PostingSequenceNo": "PostingSequenceNumber",
}
_RESPELT = frozenset({"APPostedDocuments", "APPostingErrorMessages"})


@dataclass(frozen=True)
class Spelling:
    """A renaming of properties; usually none."""

    changes: dict[str, str] = field(default_factory=dict)

    def entity(self, entity: Entity) -> Entity:
        """The entity as it is spelt here."""
        if not self.changes:
            return entity
        properties = {
            self.changes.get(name, name): replace(prop, name=self.changes.get(name, name))
            for name, prop in entity.properties.items()
        }
        return Entity(entity.name, properties)

    def row(self, row: Row) -> Row:
        """The row as it is spelt here."""
        if not self.changes:
            return row
        return {self.changes.get(name, name): value for name, value in row.items()}


_PLAIN = Spelling()


@cache
def of(resource: str, names: str) -> Spelling:
    """The spelling of a resource; `names` is the switch."""
    return Spelling(_SISTER) if names == "sister" and resource in _RESPELT else _PLAIN


def numbers(row: Row, entity: Entity, switches: Switches) -> Row:
    """The row with its decimal keys written as the switch says."""
    if not switches.decimal_keys:
        return row
    shown = dict(row)
    for name, value in row.items():
        prop = entity.properties.get(name)
        if prop is None:
            continue
        if prop.kind == "number" and isinstance(value, int):
            shown[name] = float(value)
        elif prop.kind == "rows":
            shown[name] = [numbers(child, ENTITIES[prop.entity], switches) for child in value]
    return shown
