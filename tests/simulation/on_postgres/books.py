"""The rows on PostgreSQL, in the place of the simulated ones: read for checks, written by services."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from integrations.models import Sage300Connection
from integrations.sage300.types import BatchHeader, Invoice
from sync.domain import facts_json
from sync.domain.commands import Headers
from sync.domain.deeds import Deed
from sync.domain.facts import Place
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode
from sync.models import Attempt, Batch, CatalogueList, Posting
from sync.services import acts, restoring
from sync.services.marks import find_marks
from sync.services.work import Work
from tenants.audit import Actor
from tenants.scoping import tenant_scope
from tests.simulation.office import Bill as ModelsBill
from tests.simulation.on_postgres.company import open_company
from tests.simulation.on_postgres.database_clock import set_clock
from tests.simulation.on_postgres.steps import facts_told
from tests.simulation.on_postgres.windows import Body, SageWindow
from tests.simulation.store import Batch as ModelsBatch
from tests.simulation.store import Company
from tests.simulation.store import Posting as ModelsPosting
from tests.simulation.world import World

ADA = Actor(name="Ada")
UTC = ZoneInfo("UTC")
ROWS = """
SELECT p.source_id, p.state, p.sentence, b.tag, p.is_dirty, p.identity_frozen_at IS NOT NULL,
  p.is_identity_clean, p.is_skipped_by_person, p.vendor_number, p.document_number,
  p.sage_batch_number, p.sage_entry_number, p.sage_status, p.posted_at IS NOT NULL
FROM sync_posting p LEFT JOIN sync_batch b ON b.id = p.batch_id
WHERE p.company_id = '{}' ORDER BY p.source_id
"""


class Intents:
    """Whether a POST's intent is committed: asked of the rows themselves."""

    def __init__(self, books: PostgresBooks) -> None:
        self._books = books

    def __contains__(self, tag: object) -> bool:
        with self._books.scope():
            rows = Attempt.objects.for_tenant(self._books.tenant_id)
            return rows.filter(tag=tag, operation="PostBatch", answer=None).exists()


class PostgresBooks:
    """The database of one company."""

    checks_epoch = saves_intent = True

    def __init__(self, world: World) -> None:
        self.world = world
        self.company = Company()
        self.restores = 0
        self.intents = Intents(self)
        self._seen: dict[uuid.UUID, object] = {}
        self._named: dict[str, str] = {}
        self.row, self.policy = open_company(world.nature)
        self.tenant_id, self.company_id = self.row.tenant_id, self.row.pk
        self.database_key = f"model/{self.company_id}"

    def scope(self) -> Any:
        return tenant_scope(self.tenant_id)

    def work(self, worker: str, *, sage: Any, bill: Any) -> Work:
        return Work(
            tenant_id=self.tenant_id, company_id=self.company_id, company_name="Model", zone=UTC,
            policy=self.policy, policy_version=1, database_key=self.database_key,
            bill=bill, sage=sage, clock=lambda: self.world.now, worker=worker,
            rng=self.world.rng,
        )  # fmt: skip

    # --- what the scene and the checks ask ---

    @property
    def postings(self) -> dict[str, ModelsPosting]:
        with self.scope():
            rows = Posting.objects.for_tenant(self.tenant_id).select_related("batch", "bill")
            return {
                row.source_id: self._posting(row)
                for row in rows.filter(company_id=self.company_id).order_by("source_id")
            }

    def _posting(self, row: Posting) -> ModelsPosting:
        key = str(row.pk)
        facts = facts_json.from_json(row.batch.facts) if row.batch else None
        bill = ModelsBill(
            row.source_id, row.bill_vendor_id, row.invoice_number, row.amount or 0, 0,  # type: ignore[arg-type]
            row.bill.approval_status == "APPROVED", row.bill.is_archived,
        )  # fmt: skip
        return ModelsPosting(
            id=row.source_id, bill=bill, state=PostingState(row.state),
            entry=facts.entry(key) if facts else None, batch=row.batch.tag if row.batch else "",
            place=facts.place(key) if facts else Place(), is_clean=row.is_identity_clean,
            sentence=row.sentence, is_skipped_by_person=row.is_skipped_by_person,
        )  # fmt: skip

    @property
    def batches(self) -> dict[str, ModelsBatch]:
        with self.scope():
            rows = Batch.objects.for_tenant(self.tenant_id).filter(company_id=self.company_id)
            return {
                row.tag: ModelsBatch(
                    row.tag, facts_json.from_json(self.told(row.facts)), row.version,
                    row.settled_at is not None,
                )
                for row in rows.order_by("made_at")
            }  # fmt: skip

    def unsettled(self) -> list[uuid.UUID]:
        with self.scope():
            rows = Batch.objects.for_tenant(self.tenant_id).filter(company_id=self.company_id)
            return list(rows.filter(settled_at=None).values_list("pk", flat=True))

    @property
    def commits(self) -> tuple[object, ...]:
        """A mark that changes with every step that is stored."""
        with self.scope(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT array_agg((changed_at, is_dirty) ORDER BY id)::text"
                " FROM sync_posting WHERE company_id = %(company)s),"
                " (SELECT array_agg(version ORDER BY id)::text"
                " FROM sync_batch WHERE company_id = %(company)s)",
                {"company": self.company_id},
            )
            return tuple(cursor.fetchone())

    def told(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Facts with the bills' ids in the place of our rows' keys."""
        text = _UUID.sub(lambda found: self._name(found.group()), json.dumps(facts))
        return dict(json.loads(text))

    def _name(self, key: str) -> str:
        if key not in self._named:
            rows = Posting.objects.for_tenant(self.tenant_id).filter(company_id=self.company_id)
            self._named = {str(pk): source for pk, source in rows.values_list("pk", "source_id")}
        return self._named.get(key, key)

    # --- in words ---

    def rows_told(self) -> list[tuple[object, ...]]:
        # The scope and the question in one message: it is asked at every step.
        with connection.cursor() as cursor:
            cursor.execute(
                f"BEGIN; SELECT set_config('app.tenant', '{self.tenant_id}', true);"
                f" {ROWS.format(self.company_id)}; COMMIT"
            )
            cursor.nextset()
            cursor.nextset()
            rows = cursor.fetchall()
        return [(*row[:3], row[3] or "", *row[4:]) for row in rows]

    def batches_told(self) -> dict[str, tuple[int, bool, str]]:
        """The batches that were stored since this was last asked."""
        with self.scope():
            rows = Batch.objects.for_tenant(self.tenant_id).filter(company_id=self.company_id)
            rows = rows.order_by("made_at")
            marks = {
                key: (version, settled)
                for key, version, settled in rows.values_list("pk", "version", "settled_at")
            }
            changed = [key for key, mark in marks.items() if self._seen.get(key) != mark]
            self._seen = marks
            stored = list(rows.filter(pk__in=changed)) if changed else []
            return {
                row.tag: (row.version, row.settled_at is not None, facts_told(self.told(row.facts)))
                for row in stored
            }

    def marks_told(self) -> tuple[object, ...]:
        with self.scope():
            marks = find_marks(tenant_id=self.tenant_id, company_id=self.company_id)
            lists = CatalogueList.objects.for_tenant(self.tenant_id)
            pace = lists.filter(company_id=self.company_id, kind="sage.pace").first()
        if marks is None:
            return ()
        return (
            marks.highest, marks.low, dict(sorted(marks.first_seen.items())),
            dict(sorted(marks.prints.items())), tuple(marks.told),
            dict(sorted(marks.strangers.items())),
            dict(sorted(marks.seen.items())), marks.trusts_sequences, marks.thorough_until,
            pace.rows["size"] if pace else self.policy.batch_size,
        )  # fmt: skip

    # --- a person's acts ---

    def send_again(self, key: str) -> None:
        self._act(key, Deed.REPLAY, "")

    def looked_in_sage(self, key: str) -> None:
        self._act(key, Deed.LOOKED_IN_SAGE, "in all open batches")

    def blocked(self) -> list[ModelsPosting]:
        """Those that were sent under other numbers than they would have now."""
        cause = [{"code": ProblemCode.SENT_UNDER_OTHER_NUMBER.value}]
        with self.scope():
            rows = Posting.objects.for_tenant(self.tenant_id).select_related("batch", "bill")
            rows = rows.filter(
                company_id=self.company_id, state="BLOCKED", problems__contains=cause
            )
            return [self._posting(row) for row in rows.order_by("source_id")]

    def handle_outside(self, key: str) -> None:
        self._act(key, Deed.HANDLED_OUTSIDE, "by hand")

    def _act(self, key: str, deed: Deed, note: str) -> None:
        with self.scope():
            rows = Posting.objects.for_tenant(self.tenant_id).filter(company_id=self.company_id)
            posting = rows.get(source_id=key)
            done = acts.act(
                posting, deed, seen_state=posting.state, actor=ADA, note=note, zone=UTC,
                now=self.world.now,
            )  # fmt: skip
        assert isinstance(done, acts.Done), done

    def is_thorough(self) -> bool:
        """Whether a restore is still being worked through."""
        with self.scope():
            marks = find_marks(tenant_id=self.tenant_id, company_id=self.company_id)
        return marks is not None and marks.is_thorough(self.world.now)

    def hold(self, why: str) -> None:
        why = why if "restored from a backup" in why else ""
        self.company = Company(hold=why)

    def resume(self) -> None:
        """Somebody has entered the right password."""
        with self.scope():
            rows = Sage300Connection.objects.for_tenant(self.tenant_id)
            for paused in rows.filter(company_id=self.company_id, state="paused"):
                paused.resume()

    def frozen(self, facts: Body) -> dict[str, Invoice]:
        """The invoices of a POST, as its bytes say."""
        return facts.invoices

    def go_on(self, headers: tuple[BatchHeader, ...], *, was_restored: bool) -> bool:
        """As `manage.py decide_restore`; False while a worker is writing."""
        set_clock(self.world.now)
        sage = SageWindow(_answering(headers))
        work, now = self.work("operator", sage=sage, bill=None), self.world.now
        try:
            if was_restored:
                for lost in restoring.lost_batches(work):
                    choice = restoring.Choice.SEND_AGAIN
                    restoring.decide(
                        work, number=lost.number, choice=choice, actor=ADA, note="", now=now
                    )
                restoring.go_on(work, actor=ADA, note="", now=now)
            else:
                restoring.history_cleared(work, actor=ADA, now=now)
        except restoring.CannotDecide:
            return False
        self.hold("")
        return True

    # --- a backup ---

    TABLES = ("cataloguelist", "cursor", "batch", "bill", "posting")
    LOGS = ("logentry", "answer", "attempt")

    def snapshot(self) -> str:
        """The tables as they are now, copied beside themselves."""
        with self.scope(), connection.cursor() as cursor:
            for table in self.TABLES:
                cursor.execute(f"DROP TABLE IF EXISTS backup_{table}")
                cursor.execute(f"CREATE TEMP TABLE backup_{table} AS TABLE sync_{table}")
        return "backup"

    def restore(self, snapshot: str) -> None:
        """Our database as it was; the operator says so (`manage.py after_restore`)."""
        set_clock(self.world.now)
        # A backup knows nothing of the rule that a log only grows.
        self._let_logs_shrink("DISABLE")
        with self.scope(), connection.cursor() as cursor:
            for table in (*self.LOGS, *reversed(self.TABLES)):
                cursor.execute(f"DELETE FROM sync_{table}")
            for table in self.TABLES:
                cursor.execute(f"INSERT INTO sync_{table} SELECT * FROM backup_{table}")
            cursor.execute(
                "UPDATE sync_sagelease SET epoch = epoch + 1000, expires_at = NULL"
                " WHERE database_key = %s",
                [self.database_key],
            )
        self._let_logs_shrink("ENABLE")
        work = self.work("operator", sage=SageWindow(_answering(())), bill=None)
        with self.scope():
            marks = find_marks(tenant_id=self.tenant_id, company_id=self.company_id)
        restoring.look_again(work, from_batch=None if marks else 0, now=self.world.now)
        self.restores += 1

    def _let_logs_shrink(self, change: str) -> None:
        with connection.cursor() as cursor:
            for table in self.LOGS:
                cursor.execute(f"ALTER TABLE sync_{table} {change} TRIGGER USER")


def _answering(headers: tuple[BatchHeader, ...]) -> Callable[..., Any]:
    """An operator's look at Sage, which takes no time and does not fail."""
    return lambda command, _: Headers(headers=tuple(h for h in headers if h.number > command.after))


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
