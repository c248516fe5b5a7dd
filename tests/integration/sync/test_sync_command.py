"""`manage.py sync`: one pass in this process, told in words and in an exit code."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sync.models import Run
from sync.services import turns
from tenants.scoping import tenant_scope
from tests.builders import a_company
from tests.integration.sync.world import BAKERY_NUMBERS, a_desk, a_policy

pytestmark = pytest.mark.django_db(transaction=True)


def sync(**options: Any) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("sync", stdout=out, **options)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    except CommandError as refused:
        return refused.returncode, str(refused)
    return 0, out.getvalue()


def test_pass_is_made_and_its_steps_are_told(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        code, said = sync(company=desk.company.slug)

        assert code == 0
        assert "Read bills from BILL: 39 bills read" in said
        assert desk.postings(state="IN_SAGE")
        with tenant_scope(desk.company.tenant_id):
            assert Run.objects.get().trigger == "command"


def test_company_that_is_not_set_up_says_who_acts() -> None:
    a_company(name="Calder Bakery")

    code, said = sync()

    assert code == 1
    assert "an owner adds both connections" in said


def test_company_a_worker_is_on_is_left_to_it() -> None:
    company = a_company()
    turns.keep_turns(tenant_id=company.tenant_id, company_id=company.pk)
    assert turns.take_turn(company_id=company.pk, seconds=60)

    code, said = sync()

    assert (code, "A worker is on this company" in said) == (1, True)


def test_unknown_company_is_told(db: None) -> None:
    assert sync(tenant="nobody") == (2, "There is no such tenant or company.")
