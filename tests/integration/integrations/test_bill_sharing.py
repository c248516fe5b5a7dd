"""One session and one quota for all threads and processes, on PostgreSQL and real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from connector_site import database
from integrations.bill.quota import SharedQuota
from integrations.bill.session import SharedSessions
from integrations.bill.sharing import BillLimits
from integrations.bill.types import BillSession
from integrations.errors import AuthRefused, RateLimited
from integrations.models import BillQuotaRow, BillSessionRow, BillSlot
from tests.integration.integrations.bill_world import (
    Served,
    a_bill,
    a_bill_server,
    a_client,
    an_address,
)

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
URL = "http://127.0.0.1:1"
SHORT = BillLimits(wait_seconds=0.3)


@pytest.fixture
def bill() -> Iterator[Served]:
    with a_bill_server([a_bill(number) for number in range(250)]) as served:
        yield served


def in_threads(number: int, work: Callable[[int], T]) -> list[T]:
    def run(index: int) -> T:
        try:
            return work(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def a_session(number: int = 1) -> BillSession:
    return BillSession(session_id=f"s-{number}", organization_id="00801", user_id="syu01")


class Logins:
    """A sign-in that takes a moment and counts."""

    def __init__(self, refusal: AuthRefused | None = None) -> None:
        self.number = 0
        self.refusal = refusal

    def __call__(self) -> BillSession:
        self.number += 1
        time.sleep(0.05)
        if self.refusal is not None:
            raise self.refusal
        return a_session(self.number)


@threaded
def test_eight_threads_in_two_processes_sign_in_once_per_expiry(bill: Served) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "connector_site.settings",
        "DATABASE_URL": replace(
            database.parse_url(database.ensure_running()),
            name=str(connection.settings_dict["NAME"]),
        ).url,
    }
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.integrations.bill_worker", bill.url, "4"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "read one page\n"
        logins_before = bill.count("/v3/login")
        bill.world.expire_sessions()
        outcomes = [worker.communicate("go on\n", timeout=60)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()

    assert [json.loads(outcome) for outcome in outcomes] == [[250] * 4, [250] * 4]
    assert logins_before == 1
    assert bill.count("/v3/login") == 2
    assert bill.world.switches.max_concurrent == 3


def test_a_stored_session_serves_the_next_process() -> None:
    logins = Logins()
    SharedSessions(an_address(URL)).current(logins)

    held = SharedSessions(an_address(URL)).current(logins)

    assert (held.session.session_id, held.version, logins.number) == ("s-1", 1, 1)


def test_the_session_is_sealed_where_it_is_stored() -> None:
    SharedSessions(an_address(URL)).current(Logins())

    row = BillSessionRow.objects.get()

    assert "s-1" not in row.session
    assert "key-1" not in row.key


def test_changed_credentials_never_meet_the_old_session() -> None:
    logins = Logins()
    SharedSessions(an_address(URL)).current(logins)

    SharedSessions(an_address(URL, credential_version=2)).current(logins)

    assert logins.number == 2


@threaded
def test_many_threads_with_one_lost_session_sign_in_once() -> None:
    logins = Logins()
    lost = SharedSessions(an_address(URL)).current(logins)

    held = in_threads(8, lambda _: SharedSessions(an_address(URL)).renewed(lost, logins))

    assert {each.session.session_id for each in held} == {"s-2"}
    assert logins.number == 2


@threaded
def test_a_wrong_password_is_tried_once_by_many_workers() -> None:
    refusal = AuthRefused("refused", sentence="An owner acts.", vendor_code="BDC_1101")
    logins = Logins(refusal)

    def work(_: int) -> AuthRefused:
        with pytest.raises(AuthRefused) as caught:
            SharedSessions(an_address(URL)).current(logins)
        return caught.value

    errors = in_threads(8, work)

    assert logins.number == 1
    assert {error.sentence for error in errors} == {"An owner acts."}
    assert {error.vendor_code for error in errors} == {"BDC_1101"}


def test_a_person_may_try_again_at_once_and_success_is_remembered() -> None:
    sessions = SharedSessions(an_address(URL))
    with pytest.raises(AuthRefused):
        sessions.current(Logins(AuthRefused("refused")))

    sessions.fresh(Logins())

    assert sessions.current(Logins()).version == 1


def test_a_refusal_is_forgotten_in_time() -> None:
    sessions = SharedSessions(an_address(URL))
    with pytest.raises(AuthRefused):
        sessions.current(Logins(AuthRefused("refused")))
    BillSessionRow.objects.update(refused_at=Now() - timedelta(seconds=61))

    assert sessions.current(Logins()).version == 1


def test_a_worker_that_died_signing_in_is_replaced_when_its_lease_ends() -> None:
    sessions = SharedSessions(an_address(URL), SHORT)
    BillSessionRow.objects.create(
        key=sessions._key, logging_in_until=Now() + timedelta(hours=1), holder="dead"
    )
    with pytest.raises(RateLimited):
        sessions.current(Logins())
    BillSessionRow.objects.update(logging_in_until=Now() - timedelta(seconds=1))

    assert sessions.current(Logins()).version == 1


def test_a_failed_sign_in_lets_the_next_one_try() -> None:
    sessions = SharedSessions(an_address(URL), SHORT)

    def lost() -> BillSession:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        sessions.current(lost)

    assert sessions.current(Logins()).version == 1


def test_a_session_that_no_longer_opens_is_made_again() -> None:
    SharedSessions(an_address(URL)).current(Logins())
    BillSessionRow.objects.update(session="k2:00000000:gone")

    assert SharedSessions(an_address(URL)).current(Logins()).version == 2


@threaded
def test_no_more_requests_at_once_than_bill_allows() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        quota = SharedQuota(an_address(URL))
        for _ in range(3):
            with quota.slot():
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.02)
                with lock:
                    inside -= 1

    in_threads(8, work)

    assert most == 3
    assert BillQuotaRow.objects.get().calls == 24
    assert not BillSlot.objects.exclude(holder="").exists()


def test_organizations_have_places_of_their_own_and_one_hourly_count() -> None:
    limits = BillLimits(concurrency=1, wait_seconds=0.1)
    bakery = SharedQuota(an_address(URL), limits)
    catering = SharedQuota(an_address(URL, organization_id="00802"), limits)

    with bakery.slot(), catering.slot(), pytest.raises(RateLimited):
        bakery._take("another")

    assert BillQuotaRow.objects.get().calls == 2


def test_a_place_is_given_back_when_the_call_fails() -> None:
    quota = SharedQuota(an_address(URL), BillLimits(concurrency=1, wait_seconds=0.1))

    for _ in range(3):
        with pytest.raises(ConnectionError), quota.slot():
            raise ConnectionError

    assert not BillSlot.objects.exclude(holder="").exists()


def test_a_dead_holders_place_is_taken_over_when_its_lease_ends() -> None:
    quota = SharedQuota(an_address(URL), BillLimits(concurrency=1, wait_seconds=0.2))
    quota._take("dead")
    with pytest.raises(RateLimited):
        quota._take("next")
    BillSlot.objects.update(held_until=Now() - timedelta(seconds=1))

    with quota.slot():
        assert BillSlot.objects.get().holder not in {"", "dead"}


def test_the_hours_requests_are_counted_and_then_refused_until_the_next_hour() -> None:
    quota = SharedQuota(an_address(URL), BillLimits(calls_per_hour=2))
    for _ in range(2):
        with quota.slot():
            pass

    with pytest.raises(RateLimited) as caught:
        quota._take("third")

    assert 0 < caught.value.retry_after_seconds <= 3600
    assert BillQuotaRow.objects.get().calls == 2


def test_a_new_hour_begins_at_one() -> None:
    quota = SharedQuota(an_address(URL), BillLimits(calls_per_hour=2))
    with quota.slot():
        pass
    BillQuotaRow.objects.update(calls=2, hour_started_at=Now() - timedelta(hours=2))

    with quota.slot():
        pass

    assert BillQuotaRow.objects.get().calls == 1


def test_a_closed_key_is_closed_for_every_organization_at_once() -> None:
    seconds = SharedQuota(an_address(URL)).close_for_the_hour()

    with pytest.raises(RateLimited) as caught:
        SharedQuota(an_address(URL, organization_id="00802"))._take("other")

    assert 0 < seconds <= 3605
    assert abs(caught.value.retry_after_seconds - seconds) < 2


def test_another_developer_key_is_not_concerned() -> None:
    SharedQuota(an_address(URL)).close_for_the_hour()
    entered = []

    for key in ("key-1", "key-2"):
        with suppress(RateLimited), SharedQuota(an_address(URL, developer_key=key)).slot():
            entered.append(key)

    assert entered == ["key-2"]


@threaded
def test_sign_ins_are_limited_by_the_minute_over_all() -> None:
    def work(_: int) -> bool:
        try:
            SharedQuota(an_address(URL), SHORT).permit_login()
        except RateLimited as error:
            return error.retry_after_seconds > 60
        return True

    assert sum(in_threads(8, work)) == 5


def test_sign_ins_are_limited_by_the_hour() -> None:
    quota = SharedQuota(an_address(URL), replace(SHORT, logins_per_hour=3))
    for _ in range(3):
        quota.permit_login()
    now = quota._database_seconds()
    BillQuotaRow.objects.update(logins=[now - 3000, now - 2000, now - 1000])

    with pytest.raises(RateLimited) as caught:
        quota.permit_login()

    assert 590 < caught.value.retry_after_seconds <= 600
    BillQuotaRow.objects.update(logins=[now - 3700, now - 2000, now - 1000])
    quota.permit_login()


def test_taking_and_giving_back_a_place_costs_two_statements_and_no_wait_for_the_disk() -> None:
    quota = SharedQuota(an_address(URL))
    with quota.slot():
        pass

    with CaptureQueriesContext(connection) as captured, quota.slot():
        pass

    statements = [query["sql"].split()[0] for query in captured.captured_queries]
    assert [word for word in statements if word not in {"SAVEPOINT", "RELEASE"}] == [
        "SET",
        "WITH",
        "SET",
        "UPDATE",
    ]
    asides = [query["sql"] for query in captured.captured_queries if query["sql"][:3] == "SET"]
    assert set(asides) == {"SET LOCAL synchronous_commit TO off"}


@threaded
def test_calling_bill_inside_a_transaction_is_a_loud_mistake() -> None:
    quota = SharedQuota(an_address(URL))

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), quota.slot():
        pass


@threaded
def test_eight_threads_never_meet_bills_own_limit(bill: Served) -> None:
    bill.world.switches.seconds_per_call = 0.02

    found = in_threads(8, lambda _: sum(len(page) for page in a_client(bill.url).iter_bills()))

    assert found == [250] * 8
    assert {row["status"] for row in bill.server.requests.rows()} == {200}
