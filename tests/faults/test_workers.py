"""Workers that meet, sleep, die, are timed out, or read another clock; and a queue that forgets."""

import random
import signal
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django_q.conf import Conf
from django_q.exceptions import TimeoutException
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from sync import jobs
from sync.models import DueWork, Run
from sync.services import turns
from sync.services.lease import release_lease, take_lease
from tenants.scoping import tenant_scope
from tests.faults.office import (
    POST_BATCH,
    a_bill,
    agrees,
    all_in_sage,
    entries,
    free_lease,
    heal,
    later,
    posts,
    start_worker,
    wait_for,
)
from tests.integration.sync.world import Desk, connect

pytestmark = pytest.mark.django_db(transaction=True)


def run_job(desk: Desk, **more: str) -> None:
    ids = {"tenant_id": str(desk.company.tenant_id), "company_id": str(desk.company.pk)}
    jobs.run_company(**(ids | more))


def test_f40_two_workers_at_once_are_one_writer_and_both_end_well(desk: Desk) -> None:
    desk.sage_server.faults.add("delay", POST_BATCH, seconds=0.3)
    first, second = start_worker(desk.sync), start_worker(desk.sync)

    assert (first.ended(), second.ended()) == (0, 0)

    heal(desk)
    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f40_two_jobs_for_one_company_make_one_pass(desk: Desk) -> None:
    desk.sage_server.faults.add("delay", POST_BATCH, seconds=0.3)
    workers = [start_worker(lambda: run_job(desk)) for _ in range(3)]

    assert [worker.ended() for worker in workers] == [0, 0, 0]

    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f41_a_worker_that_slept_past_its_lease_writes_no_state(desk: Desk) -> None:
    desk.sage_server.faults.add("delay_answer", POST_BATCH, seconds=0.3)
    sleeper = start_worker(desk.sync)
    wait_for(lambda: len(entries(desk)) == 3)
    sleeper.pause()
    heal(desk)
    all_in_sage(desk, 3)
    before = [(p.pk, p.changed_at) for p in desk.postings()]

    sleeper.go_on()

    assert sleeper.ended() == 0
    assert [(p.pk, p.changed_at) for p in desk.postings()] == before
    heal(desk)
    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f41_a_worker_that_slept_before_sending_sends_nothing(desk: Desk) -> None:
    desk.sage_server.faults.add("delay", "GET /APPostedDocuments", seconds=0.3)
    sleeper = start_worker(desk.sync)
    wait_for(lambda: desk.sage_server.faults.hits)
    sleeper.pause()
    heal(desk)
    all_in_sage(desk, 3)

    sleeper.go_on()

    assert sleeper.ended() == 0
    heal(desk)
    all_in_sage(desk, 3)
    assert posts(desk) == 1


@pytest.mark.parametrize("name", ["desk", "posting_desk"])
def test_f41_a_sleepers_post_that_arrives_late_ends_as_one_entry(
    request: pytest.FixtureRequest, name: str
) -> None:
    desk = request.getfixturevalue(name)
    desk.sage.set_switches({"number_check_race": 0.8, "batch_failure_mode": "entries_left"})
    sleeper = start_worker(desk.sync)
    wait_for(lambda: desk.ledger()["batches"][-1]["Description"].startswith("MLC"))
    sleeper.pause()
    desk.sage.set_switches({"number_check_race": 0.0})
    free_lease()
    desk.sync()
    later(desk)
    desk.sync()
    wait_for(lambda: posts(desk) >= 1 and len(entries(desk)) >= 3)
    sleeper.go_on()

    assert sleeper.ended() == 0

    heal(desk)
    all_in_sage(desk, 3, status="Open" if name == "desk" else "Posted")


def test_f42_a_killed_worker_leaves_its_company_to_the_next(desk: Desk) -> None:
    desk.sage_server.faults.add("delay_answer", POST_BATCH, seconds=0.5)
    worker = start_worker(lambda: run_job(desk))
    wait_for(lambda: len(entries(desk)) == 3)
    worker.kill()
    assert turns.due_turns(limit=10) == []
    DueWork.objects.update(taken_until=DueWork.objects.get().next_run_at - timedelta(hours=1))
    assert len(turns.due_turns(limit=10)) == 1

    heal(desk)

    with tenant_scope(desk.company.tenant_id):
        runs = Run.objects.order_by("started_at")
        assert [run.outcome for run in runs][:1] == ["broke"]
        assert runs[0].sentence.startswith("This run's worker was stopped")
        assert not runs.filter(ended_at=None).exists()
    all_in_sage(desk, 3)
    wait_for(lambda: posts(desk) > 0)  # the delayed answer is counted when it goes out
    assert posts(desk) == 1


def test_f43_a_time_out_at_any_moment_leaves_rows_that_can_be_taken_up(desk: Desk) -> None:
    def alarm(*_: object) -> None:
        raise TimeoutException("the job ran too long")

    def timed_out(seconds: float) -> None:
        signal.signal(signal.SIGALRM, alarm)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        desk.sync()

    dice = random.Random(43)
    for number in range(8):
        a_bill(desk, f"T-{number}")
        start_worker(lambda: timed_out(dice.uniform(0.01, 0.35))).ended()
        later(desk)

    heal(desk)

    all_in_sage(desk, 11)
    sent = sorted(entry["DocumentNumber"] for entry in entries(desk))
    assert sent == ["B-1", "B-2", "B-3", *(f"T-{number}" for number in range(8))]


def test_f43_a_timed_out_job_gives_its_turn_back(desk: Desk) -> None:
    assert issubclass(TimeoutException, SystemExit)
    desk.sage_server.faults.add("delay", POST_BATCH, seconds=1)

    def timed_out() -> None:
        def alarm(*_: object) -> None:
            raise TimeoutException("the job ran too long")

        signal.signal(signal.SIGALRM, alarm)
        signal.setitimer(signal.ITIMER_REAL, 0.9)
        run_job(desk)

    start_worker(timed_out).ended()

    assert DueWork.objects.get().taken_until is None
    heal(desk)
    all_in_sage(desk, 3)


def test_f44_a_queue_that_was_emptied_is_filled_again_by_the_tick(desk: Desk) -> None:
    turns.poll_now(company_id=desk.company.pk)
    jobs.tick()
    assert OrmQ.objects.exists()
    OrmQ.objects.all().delete()

    jobs.tick()

    take_job_and_run()
    all_in_sage(desk, 3)


def take_job_and_run() -> None:
    tasks = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    [task] = [task for task in tasks if task["func"] == "sync.jobs.run_company"]
    OrmQ.objects.all().delete()
    jobs.run_company(**task["kwargs"])


def test_f44_a_changed_secret_key_loses_queued_jobs_and_no_work(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    turns.poll_now(company_id=desk.company.pk)
    jobs.tick()
    monkeypatch.setattr(Conf, "SECRET_KEY", "a-key-that-was-changed-while-jobs-were-queued")
    with pytest.raises(signing.BadSignature):
        SignedPackage.loads(OrmQ.objects.all()[0].payload)
    OrmQ.objects.all().delete()  # what the broker does with them

    jobs.tick()

    take_job_and_run()
    all_in_sage(desk, 3)
    assert sorted(entry["DocumentNumber"] for entry in entries(desk)) == ["B-1", "B-2", "B-3"]
    assert posts(desk) == 1


def test_f44_a_job_carries_nothing_but_texts_and_survives_a_deploy(desk: Desk) -> None:
    jobs.ring_doorbell(
        tenant_id=desk.company.tenant_id, company_id=desk.company.pk, trigger="webhook"
    )
    [row] = OrmQ.objects.all()
    task = SignedPackage.loads(row.payload)
    assert all(isinstance(value, str) for value in task["kwargs"].values())
    assert isinstance(task["func"], str)

    turns.poll_now(company_id=desk.company.pk)
    run_job(desk, an_argument_of_the_next_release="x")

    all_in_sage(desk, 3)


def test_f44_a_job_nobody_can_read_does_not_hold_up_the_others(desk: Desk) -> None:
    async_task("a.module.that.was.removed")
    turns.poll_now(company_id=desk.company.pk)
    jobs.tick()

    payloads = [SignedPackage.loads(row.payload)["func"] for row in OrmQ.objects.all()]

    assert sorted(payloads) == [
        "a.module.that.was.removed",
        "sync.jobs.run_company",
        "sync.jobs.tell",
    ]


@pytest.mark.parametrize("hours", [-1, 1])
def test_f45_a_worker_whose_clock_is_an_hour_off_takes_no_lease_early(
    desk: Desk, hours: int
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT database_key FROM sync_sagelease")
        assert cursor.fetchall() == []
    desk.sync()
    with connection.cursor() as cursor:
        cursor.execute("SELECT database_key FROM sync_sagelease")
        [(key,)] = cursor.fetchall()
    held = take_lease(key, owner="another", seconds=60)
    assert held is not None
    a_bill(desk, "B-4")
    later(desk, hours * 3600)

    report = desk.sync()

    assert "Another worker is writing" in report.sentence
    assert posts(desk) == 1
    release_lease(held)
    later(desk, -hours * 3600)
    a_bill(desk, "B-5")
    heal(desk)
    all_in_sage(desk, 5)


def test_one_sage_database_has_one_writer_over_two_tenants(settings: Any, desk: Desk) -> None:
    from tests import builders

    neighbour = builders.a_company()
    connect(neighbour, sage_url=desk.sage_server.url)
    desk.sync()
    with connection.cursor() as cursor:
        cursor.execute("SELECT database_key FROM sync_sagelease")
        [(key,)] = cursor.fetchall()
    held = take_lease(key, owner="the first tenant's worker", seconds=60)
    assert held is not None
    other = Desk(company=neighbour, bill=desk.bill, sage=desk.sage, bill_server=desk.bill_server,
                 sage_server=desk.sage_server)  # fmt: skip

    report = other.sync()

    assert "Another worker is writing" in report.sentence
    assert not report.has_more, "it would spin for as long as the other one's turn lasts"
    assert report.again_in_seconds == settings.CONNECTOR.retry_seconds
    agrees(desk)
