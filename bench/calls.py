"""HTTP calls for N new approved bills, against the fewest that are safe (H).

H = 1 sign-in + ⌈N/100⌉ pages of bills + ⌈V/100⌉ pages of vendors + 2n (read, create) for vendors new
to Sage + ⌈N/B⌉ * (approval re-read 1 + posted-number look-ups ⌈B/15⌉ + POST 1 + read-back 1) + 2
(newer batches, own open batches); with posting + 4 * ⌈N/B⌉ (Ready To Post, compare, process, read
back). Both systems' lists are warm: a sync of the empty company has read them before the bills come.
Every call that reaches the stand-ins counts, whatever for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil

from bench import stage
from bench.figures import Figures, table

BATCH = 25
BAR = 1.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One run: how many bills, vendors, vendors new to Sage, and how they come and go."""

    bills: int
    vendors: int
    new: int
    posts: bool = False
    by_webhook: bool = False

    @property
    def name(self) -> str:
        """How the tables call it."""
        how = "posting" if self.posts else "left open"
        way = "webhooks" if self.by_webhook else "poll"
        return f"N={self.bills:,} V={self.vendors} n={self.new}, {how}, {way}"

    def price_list(self) -> dict[str, int]:
        """H, kind by kind."""
        batches = ceil(self.bills / BATCH)
        return {
            "sign-in": 1,
            "bills": ceil(self.bills / 100),
            "vendors": ceil(self.vendors / 100),
            "new vendors: read, create": 2 * self.new,
            "approval re-read": batches,
            "posted-number look-up": batches * ceil(BATCH / 15),
            "POST of a batch": batches,
            "read-back": batches,
            "headers of batches": 2,
            **(
                {
                    "Ready To Post": batches,
                    "compare, read back": 2 * batches,
                    "process": batches,
                }
                if self.posts
                else {}
            ),
        }


SHAPES = (
    Shape(bills=1000, vendors=100, new=5),
    Shape(bills=1000, vendors=100, new=5, posts=True),
    Shape(bills=1000, vendors=100, new=5, by_webhook=True),
    Shape(bills=100, vendors=10, new=1),
    Shape(bills=100, vendors=10, new=1, posts=True),
    Shape(bills=20, vendors=10, new=1),
    Shape(bills=20, vendors=10, new=1, posts=True),
)


def kind_of(request: dict[str, object]) -> str:
    """The line of the price list that a request belongs to."""
    method, path, query = (str(request[name]) for name in ("method", "path", "query"))
    resource = path.rsplit("/", 1)[-1]
    match method, resource.partition("(")[0]:
        case "POST", "login":
            return "sign-in"
        case "GET", "bills":
            return "approval re-read" if "id%3Ain" in query else "bills"
        case "GET", "vendors":
            return "vendors"
        case "GET", "APInvoiceBatches":
            return "read-back" if "(" in resource else "headers of batches"
        case "POST", "APInvoiceBatches":
            return "POST of a batch"
        case "PATCH", "APInvoiceBatches":
            return "Ready To Post"
        case "POST", "APPostInvoices":
            return "process"
        case "GET", "APPostedDocuments":
            is_by_batch = query.startswith("%24filter=BatchNumber") or "=BatchNumber" in query
            return "compare, read back" if is_by_batch else "posted-number look-up"
        case _, "APVendors":
            return "new vendors: read, create"
        case "GET", _ if "/vendors/" in path:
            return "new vendors: read, create"
    return f"{method} {path}"


def measured(shape: Shape) -> Counter[str]:
    """Run one shape and count its calls by kind."""
    policy = {"release": "post" if shape.posts else "open"}
    with stage.a_pair(sage_vendors=shape.vendors - shape.new) as pair:
        office = stage.an_office(pair, vendors=shape.vendors, new=shape.new, **policy)
        office.sync()  # reads both systems' lists
        ids = office.fill(vendors=shape.vendors, bills=shape.bills)
        if shape.by_webhook:
            ring(office, ids)
        stage.forget_sign_ins()
        pair.bill.count_anew()
        pair.sage.count_anew()
        office.sync(is_poll_due=not shape.by_webhook)
        office.expect_in_sage(shape.bills)
        found = Counter(kind_of(row) for row in pair.bill.requests() + pair.sage.requests())
        return told_apart(found, shape)


def ring(office: stage.Office, ids: list[str]) -> None:
    """Lay one event for each bill into the letter box, as signed deliveries leave them there."""
    from sync.models import WebhookEvent
    from tenants.scoping import tenant_scope

    with tenant_scope(office.tenant_id):
        WebhookEvent.objects.bulk_create(
            WebhookEvent(
                tenant_id=office.tenant_id,
                company_id=office.company_id,
                event_id=f"event-{key}",
                event_type="bill.created",
                entity="bill",
                entity_id=key,
                body=b"{}",
                received_at=stage.now(),
            )
            for key in ids
        )


def told_apart(found: Counter[str], shape: Shape) -> Counter[str]:
    """Move what looks alike on the wire to its own line of the price list."""
    batches = ceil(shape.bills / BATCH)
    if shape.posts and found["read-back"] > batches:
        found["compare, read back"] += found["read-back"] - batches
        found["read-back"] = batches
    if shape.by_webhook and found["approval re-read"] > batches:
        found["bills"] += found["approval re-read"] - batches
        found["approval re-read"] = batches
    return found


def main() -> None:
    """Run every shape."""
    figures = Figures()
    with stage.a_database():
        for shape in SHAPES:
            price, found = shape.price_list(), measured(shape)
            kinds = [*price, *sorted(set(found) - set(price))]
            print(shape.name)
            table(
                ["calls", "H", "measured"],
                [
                    *([kind, price.get(kind, 0), found[kind]] for kind in kinds),
                    ["all", sum(price.values()), found.total()],
                ],
            )
            figures.check(
                f"calls / H, {shape.name}", found.total() / sum(price.values()), at_most=BAR
            )
    figures.end()


if __name__ == "__main__":
    main()
