"""What every part of the pretended BILL shares: clock, switches, ids, doors and the post."""

from __future__ import annotations

from integrations.standins.bill.answers import Json
from integrations.standins.bill.clock import Clock
from integrations.standins.bill.deliveries import PostOffice
from integrations.standins.bill.ids import IdMaker
from integrations.standins.bill.lists import Pager
from integrations.standins.bill.notices import make_notices
from integrations.standins.bill.organization import Organization
from integrations.standins.bill.quotas import Quotas
from integrations.standins.bill.sessions import Doorkeeper
from integrations.standins.bill.switches import Switches
from integrations.standins.bill.table import Row, Table


class Office:
    """The parts and how they are joined."""

    def __init__(self, seed: str, clock: Clock) -> None:
        self.clock = clock
        self.switches = Switches()
        self.ids = IdMaker(seed)
        self.doorkeeper = Doorkeeper(clock, self.switches, self.ids)
        self.quotas = Quotas(clock, self.switches)
        self.pager = Pager(self.ids, self.switches)
        self.post = PostOffice(self.switches)
        # (organization, key) -> (when, the answer): successful calls that must not be done twice.
        self.done_before: dict[tuple[str, str], tuple[int, bytes]] = {}

    def create(self, organization: Organization, table: Table, body: Json, event: str = "") -> Row:
        """Keep a new record and tell the subscribers."""
        now_ms = self.clock.now_ms()
        row = table.add(body, created_ms=now_ms, updated_ms=now_ms)
        self.tell(organization, event, row)
        return row

    def change(self, organization: Organization, table: Table, row: Row, event: str = "") -> None:
        """Note a change made to a row, move its updatedTime, and tell the subscribers."""
        table.touch(row, self.clock.now_ms())
        self.tell(organization, event, row)

    def set_archived(
        self, organization: Organization, table: Table, row: Row, *, archived: bool, kind: str = ""
    ) -> None:
        """Archive or restore; doing it twice changes nothing."""
        if row.body.get("archived") == archived:
            return
        row.body["archived"] = archived
        event = f"{kind}.{'archived' if archived else 'restored'}" if kind else ""
        self.change(organization, table, row, event)

    def tell(self, organization: Organization, event: str, row: Row) -> None:
        """Send an event about a row to everybody who asked for it; an empty event to nobody."""
        if event:
            now_ms = self.clock.now_ms()
            for notice, subscription in make_notices(self, organization, event, row, now_ms):
                organization.notices.append(notice)
                if subscription.enabled:
                    self.post.send(notice, subscription)
