"""The ladder of checks, for both sides, and the command that prints it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import integrations.standins
from integrations.bill.wiring import bill_address, bill_client
from integrations.models import BillConnection, Sage300Connection
from integrations.ping.bill import ping_bill
from integrations.ping.ladder import Step, Verdict, is_well
from integrations.ping.sage import ping_sage
from integrations.practice import address_policy, open_transport
from integrations.sage300.wiring import sage_address, sage_client
from integrations.standins.bill.world import BillWorld
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests.builders import NOW, a_company, a_tenant

SAMPLES = Path(integrations.standins.__file__).parent / "samples"
ORGANIZATION = "008CalderBakery00001"

pytestmark = pytest.mark.django_db


@dataclass
class Town:
    """Both stand-ins, and a company connected to them."""

    bill: StandInServer
    sage: StandInServer
    company: Company

    def connect_bill(self, **changes: Any) -> BillConnection:
        values = {
            "environment": "practice",
            "user_name": "ML-CONNECTOR",
            "password": "practice-token-for-bill",
            "organization_id": ORGANIZATION,
            "developer_key": "01PRACTICEKEY000000000000000",
        }
        return self._connect(BillConnection, values | changes)

    def connect_sage(self, **changes: Any) -> Sage300Connection:
        values = {
            "base_url": self.sage.url,
            "company_database": "CALBAK",
            "user_name": "MLCONN",
            "password": "practice-sage",
        }
        return self._connect(Sage300Connection, values | changes)

    def _connect(self, model: Any, values: dict[str, Any]) -> Any:
        tenant_id = self.company.tenant_id
        with tenant_scope(tenant_id):
            return model.objects.create(tenant_id=tenant_id, company=self.company, **values)

    def ping_sage(self, **changes: Any) -> list[Step]:
        client = sage_client(sage_address(self.connect_sage(**changes)), open_transport())
        return list(ping_sage(client, address_policy()))

    def ping_bill(self, **changes: Any) -> list[Step]:
        address = bill_address(self.connect_bill(**changes))
        return list(
            ping_bill(
                bill_client(address, open_transport()),
                address_policy(),
                api_url=address.api_url,
                organization_id=address.organization_id,
            )
        )


@pytest.fixture
def town(settings: Any) -> Iterator[Town]:
    sage_world = Sage300World.from_file(SAMPLES / "sage300-practice.json")
    bill_world = BillWorld.from_file(SAMPLES / "bill-practice.json", now=NOW)
    with StandInServer(bill_world) as bill, StandInServer(sage_world) as sage:
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL, settings.PRACTICE_SAGE_URL = bill.url, sage.url
        company = a_company(a_tenant(slug="calder"), slug="bakery", name="Calder Bakery")
        yield Town(bill, sage, company)


def first_failure(steps: list[Step]) -> Step:
    return next(step for step in steps if step.verdict is Verdict.FAILED)


def test_a_good_sage_connection_passes_every_step(town: Town) -> None:
    steps = town.ping_sage()

    assert {step.verdict for step in steps} == {Verdict.OK}
    assert "Calder Bakery, USD" in [step.answer for step in steps]


def test_a_good_bill_connection_passes_every_step(town: Town) -> None:
    steps = town.ping_bill()

    assert [step.name for step in steps if step.verdict is not Verdict.OK] == []
    assert "sync token" in steps[-1].answer


def test_a_check_writes_nothing(town: Town) -> None:
    before = (town.bill.world.ledger(), town.sage.world.ledger())

    town.ping_sage()
    town.ping_bill()

    assert (town.bill.world.ledger(), town.sage.world.ledger()) == before


@pytest.mark.parametrize(
    ("changes", "step", "words"),
    [
        ({"password": "wrong"}, "Sign-in and vendors", 'the switch "password case"'),
        ({"company_database": "NOSUCH"}, "Sign-in and vendors", "company database"),
        ({"user_name": "NORIGHT", "password": "practice-noright"}, "Sign-in and vendors", "right"),
        ({"base_url": "https://127.0.0.1"}, "Address", "cannot be used"),
        ({"base_url": "https://10.0.0.1"}, "Address", "not an address on the public internet"),
        ({"base_url": "http://user:pw@sage.example.com"}, "Address", "user name or password"),
        ({"base_url": "{url}/elsewhere"}, "Web API answers", "no Sage 300 Web API"),
    ],
)
def test_a_bad_sage_connection_stops_at_its_step_with_one_sentence(
    town: Town, changes: dict[str, str], step: str, words: str
) -> None:
    filled = {name: value.format(url=town.sage.url) for name, value in changes.items()}

    steps = town.ping_sage(**filled)

    failure = first_failure(steps)
    assert (failure.name, words in failure.what_to_do) == (step, True)
    assert [s.verdict for s in steps[steps.index(failure) + 1 :]] == [Verdict.NOT_TRIED] * (
        len(steps) - steps.index(failure) - 1
    )


def test_a_wrong_sage_password_is_tried_once(town: Town) -> None:
    town.ping_sage(password="wrong")

    refused = [row for row in town.sage.requests.rows() if row["status"] == 401]
    assert len(refused) == 1


def test_a_sage_server_that_is_off_is_said(town: Town) -> None:
    town.sage.stop()

    failure = first_failure(town.ping_sage())

    assert (failure.name, failure.answer) == ("The server takes the call", "no answer")
    assert "Sage 300 does not answer" in failure.what_to_do


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "html"}, "A web page came where Sage 300 should have answered"),
        ({"kind": "huge", "size_mib": 10}, "more than 1 MB"),
        ({"kind": "status", "status": 503}, "application pool"),
        ({"kind": "empty"}, "without saying anything"),
    ],
)
def test_a_strange_answer_is_one_sentence(
    town: Town, settings: Any, fault: dict[str, Any], words: str
) -> None:
    settings.CONNECTOR = _with(settings.CONNECTOR, answer_bytes=1_048_576, read_attempts=1)
    town.sage.faults.add(**fault, match="GET /APVendors", times=0)

    assert words in first_failure(town.ping_sage()).what_to_do


def _with(knobs: Any, **changes: Any) -> Any:
    return replace(knobs, **changes)


def test_what_is_only_nice_to_have_warns(town: Town) -> None:
    world: Any = town.sage.world
    world.set_rights("MLCONN", "CALBAK", ["AP", "GL"])

    steps = town.ping_sage()

    doubtful = [step.name for step in steps if step.verdict is Verdict.WARNING]
    assert doubtful == ["Fiscal calendar", "Company profile"]
    assert is_well(steps)


@pytest.mark.parametrize(
    ("changes", "step", "words"),
    [
        ({"password": "wrong"}, "Sign-in", "BILL"),
        ({"developer_key": "wrong"}, "Sign-in", "developer key"),
        ({"organization_id": "00800NOSUCHORG000000"}, "Sign-in", "organization"),
    ],
)
def test_a_bad_bill_connection_stops_at_its_step_with_one_sentence(
    town: Town, changes: dict[str, str], step: str, words: str
) -> None:
    failure = first_failure(town.ping_bill(**changes))

    assert failure.name == step
    assert words.lower() in failure.what_to_do.lower()


def test_another_server_at_bills_address_is_said(town: Town) -> None:
    town.bill.faults.add("html", "* /", times=0)

    failure = first_failure(town.ping_bill())

    assert failure.name == "BILL answers"
    assert failure.what_to_do


def test_a_person_signed_in_to_bill_is_warned_about(town: Town) -> None:
    steps = town.ping_bill(user_name="dana@calder.example", password="practice-password")

    assert (steps[-1].verdict, is_well(steps)) == (Verdict.WARNING, True)
    assert "sync token" in steps[-1].what_to_do


def check(*options: str) -> str:
    out = StringIO()
    call_command("check_connections", *options, stdout=out)
    return out.getvalue()


def test_the_command_prints_every_step_of_both_sides(town: Town) -> None:
    town.connect_bill()
    town.connect_sage()

    printed = check("--tenant", "calder", "--company", "bakery")

    assert "Calder Bakery: BILL" in printed
    assert "Calder Bakery: Sage 300" in printed
    assert "All 2 connections work." in printed


def test_the_command_fails_with_what_to_do(town: Town) -> None:
    town.connect_sage(password="wrong")
    out = StringIO()

    with pytest.raises(CommandError, match="1 of 1 connections do not work"):
        call_command("check_connections", stdout=out)

    assert 'the switch "password case"' in out.getvalue()
    assert "not tried" in out.getvalue()
    assert "wrong" not in out.getvalue()


def test_the_command_says_when_there_is_nothing_to_check(town: Town) -> None:
    with pytest.raises(CommandError, match="no such connection"):
        check("--company", "nobody")


def test_the_command_says_that_a_stored_secret_does_not_open(town: Town, settings: Any) -> None:
    town.connect_sage()
    settings.CREDENTIAL_KEYS = [base64.urlsafe_b64encode(os.urandom(32)).decode()]
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("check_connections", stdout=out)

    assert "cannot be opened with CREDENTIAL_KEYS" in out.getvalue()
