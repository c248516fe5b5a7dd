"""An entry that turns up late: its row follows, whatever has happened to it meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from sync.domain import facts_json
from sync.domain.facts import Fate, Place
from sync.models import Batch, Posting
from sync.services import landings
from sync.services.clients import open_work
from tenants.scoping import tenant_scope
from tests.integration.sync.workbench import a_synced_desk
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def land_again(desk: Desk, posting: Posting) -> Posting:
    """Let the protocol find this posting's entry anew, after its row was written otherwise."""
    work = open_work(
        tenant_id=desk.company.tenant_id,
        company_id=desk.company.pk,
        clock=desk.clock,
        worker="test",
    )
    with tenant_scope(desk.company.tenant_id):
        batch = Batch.objects.for_tenant(desk.company.tenant_id).get(pk=posting.batch_id)
        after = facts_json.from_json(batch.facts)
        key = str(posting.pk)
        before = replace(after, places={**after.places, key: Place(fate=Fate.WITHDRAWN)})
        landings.apply(work, batch, before=before, after=after, attempt_id=None, now=desk.clock())
        return Posting.objects.for_tenant(desk.company.tenant_id).get(pk=posting.pk)


def write(desk: Desk, posting: Posting, **values: Any) -> None:
    with tenant_scope(desk.company.tenant_id):
        Posting.objects.for_tenant(desk.company.tenant_id).filter(pk=posting.pk).update(**values)


@pytest.mark.parametrize("state", ["WAITING", "BLOCKED", "REVIEW", "READY"])
def test_a_row_that_had_gone_back_is_in_sage_again(settings: Any, state: str) -> None:
    with a_synced_desk(settings) as desk:
        posting = desk.postings(state="IN_SAGE")[0]
        write(desk, posting, state=state, sage_batch_number=None)

        landed = land_again(desk, posting)

        assert (landed.state, landed.sage_batch_number) == ("IN_SAGE", posting.sage_batch_number)


def test_what_a_person_left_out_stays_left_out(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        posting = desk.postings(state="IN_SAGE")[0]
        write(desk, posting, state="SKIPPED", is_skipped_by_person=True)

        landed = land_again(desk, posting)

        assert (landed.state, landed.is_skipped_by_person) == ("SKIPPED", True)
