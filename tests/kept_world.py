"""A world that was made once and begins anew in every test that wants it.

A first sync reads, decides and sends everything there is; a test whose story begins after it need
not pay for that again. What was made is kept for a minute in this process: the rows as PostgreSQL
copies them out, both stand-ins as they keep themselves on disk, and what they were asked. Ids and
addresses are the same each time, as for a process that starts again beside books it knows.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from integrations.standins.memory import Memory
from integrations.standins.messages import Request
from integrations.standins.server import StandInServer
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests import database
from tests.integration.sync.world import Desk, settle_in

#: So little time has passed then that a pass finds nothing of it old.
KEPT_SECONDS = 60
_directory = TemporaryDirectory(prefix="kept-worlds-")


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What it takes to put a desk back."""

    made_at: float
    tenant_id: uuid.UUID
    company_id: uuid.UUID
    rows: dict[str, bytes]
    worlds: Memory
    asked: list[list[dict[str, Any]]]
    ports: list[int]
    moved: timedelta


_kept: dict[str, _Kept] = {}


@contextmanager
def a_kept_desk(
    settings: Any, name: str, make: Callable[[], AbstractContextManager[Desk]]
) -> Iterator[Desk]:
    """The desk that `make` once made, as it was then; made anew where none is kept by this name.

    `make` brings it as far as the test wants it. Nothing else may be in the database before.
    """
    with ExitStack() as stack:
        desk = _put_back(settings, _kept.get(name), stack)
        if desk is None:
            is_alone = database.can_copy_rows() and not database.copy_out()
            desk = stack.enter_context(make())
            if is_alone:
                _kept[name] = _keep(desk)
        yield desk


def _keep(desk: Desk) -> _Kept:
    servers = (desk.bill_server, desk.sage_server)
    worlds = Memory(Path(_directory.name) / str(uuid.uuid4()))
    worlds.keep((desk.bill, desk.sage))
    return _Kept(
        made_at=time.monotonic(),
        tenant_id=desk.company.tenant_id,
        company_id=desk.company.pk,
        rows=database.copy_out(),
        worlds=worlds,
        asked=[server.requests.rows() for server in servers],
        ports=[int(urlsplit(server.url).port or 0) for server in servers],
        moved=desk.moved,
    )


def _put_back(settings: Any, kept: _Kept | None, stack: ExitStack) -> Desk | None:
    """The desk, unless it is too old, or the addresses that its rows name were taken meanwhile."""
    if kept is None or time.monotonic() - kept.made_at > KEPT_SECONDS:
        return None
    worlds = kept.worlds.recall()
    try:
        servers = [
            stack.enter_context(StandInServer(world, port=port))
            for world, port in zip(worlds, kept.ports, strict=True)
        ]
    except OSError:
        return None
    for server, rows in zip(servers, kept.asked, strict=True):
        _note_asked(server, rows)
    database.copy_in(kept.rows)
    with tenant_scope(kept.tenant_id):
        rows = Company.objects.for_tenant(kept.tenant_id).select_related("tenant")
        company = rows.get(pk=kept.company_id)
    settle_in(settings, *servers)
    return Desk(
        company=company, bill=worlds[0], sage=worlds[1], bill_server=servers[0],
        sage_server=servers[1], moved=kept.moved,
    )  # fmt: skip


def _note_asked(server: StandInServer, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        request = Request(method=row["method"], path=row["path"], raw_query=row["query"])
        kind = server.world.normalise_path(request.path)
        server.requests.record(request, kind=kind, status=row["status"])
