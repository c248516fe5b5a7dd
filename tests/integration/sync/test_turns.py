"""Whose turn it is, who may write, and what the queue is trusted with: nothing."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db import transaction as tx
from django_q.models import OrmQ, Schedule

from sync import jobs
from sync.models import DueWork
from sync.services import turns
from sync.services.lease import holds_lease, keep_lease, release_lease, renew_lease, take_lease
from tests import builders

pytestmark = pytest.mark.django_db


def an_alarm_clock(**when: str) -> uuid.UUID:
    company_id = uuid.uuid4()
    turns.keep_turns(tenant_id=uuid.uuid4(), company_id=company_id)
    for column, value in when.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE sync_duework SET {column} = clock_timestamp() + %s::interval"
                " WHERE company_id = %s",
                [value, company_id],
            )
    return company_id


def due() -> list[uuid.UUID]:
    return [turn.company_id for turn in turns.due_turns(limit=10)]


def test_the_company_served_longest_ago_comes_first() -> None:
    recent = an_alarm_clock(next_run_at="-1 hour", served_at="-1 minute")
    long_ago = an_alarm_clock(next_run_at="-1 minute", served_at="-1 hour")
    an_alarm_clock(next_run_at="1 minute")

    assert due() == [long_ago, recent]


def test_one_worker_takes_a_turn_and_the_next_finds_it_taken() -> None:
    company_id = an_alarm_clock()

    assert turns.take_turn(company_id=company_id, seconds=60) is not None
    assert turns.take_turn(company_id=company_id, seconds=60) is None
    assert due() == []


def test_a_dead_workers_turn_is_free_again_when_its_time_is_over() -> None:
    company_id = an_alarm_clock(taken_until="-1 second")

    assert turns.take_turn(company_id=company_id, seconds=60) is not None


def test_a_doorbell_makes_a_company_due_without_a_poll() -> None:
    company_id = an_alarm_clock(next_run_at="1 hour")
    turns.ring(company_id=company_id)

    turn = turns.take_turn(company_id=company_id, seconds=60)

    assert turn is not None
    assert not turn.is_poll_due


def test_ending_a_turn_sets_the_next_poll_by_the_cadence() -> None:
    company_id = an_alarm_clock()
    turns.take_turn(company_id=company_id, seconds=60)

    turns.end_turn(company_id=company_id, cadence_seconds=300, was_poll=True, again_in_seconds=None)

    row = DueWork.objects.get(pk=company_id)
    assert row.taken_until is None
    assert row.served_at is not None
    assert round((row.next_run_at - row.served_at).total_seconds()) == 300


def test_a_doorbell_rung_during_a_turn_is_not_lost() -> None:
    company_id = an_alarm_clock()
    turns.take_turn(company_id=company_id, seconds=60)
    turns.ring(company_id=company_id)

    turns.end_turn(company_id=company_id, cadence_seconds=300, was_poll=True, again_in_seconds=None)

    assert due() == [company_id]


def test_a_poll_asked_for_during_a_poll_is_not_lost() -> None:
    company_id = an_alarm_clock()
    turn = turns.take_turn(company_id=company_id, seconds=60)
    assert turn is not None
    turns.poll_now(company_id=company_id)

    is_due_again = turns.end_turn(
        company_id=company_id,
        cadence_seconds=300,
        was_poll=True,
        again_in_seconds=None,
        due_at=turn.due_at,
    )

    assert is_due_again
    next_turn = turns.take_turn(company_id=company_id, seconds=60)
    assert next_turn is not None
    assert next_turn.is_poll_due


def test_there_is_one_writer_for_a_sage_database_and_its_epoch_grows() -> None:
    first = take_lease("sage/CALBAK", owner="a", seconds=60)
    assert first is not None
    assert take_lease("sage/CALBAK", owner="b", seconds=60) is None
    release_lease(first)

    second = take_lease("sage/CALBAK", owner="b", seconds=60)

    assert second is not None
    assert second.epoch == first.epoch + 1
    assert not renew_lease(first)
    with tx.atomic():
        assert not holds_lease(first)
        assert holds_lease(second)
        assert keep_lease(first) is None
        assert keep_lease(second)


def test_a_lease_that_ran_out_may_be_finished_under_and_not_gone_on_with() -> None:
    sleeper = take_lease("sage/CALBAK", owner="a", seconds=-1)
    assert sleeper is not None

    assert keep_lease(sleeper) is False
    assert not renew_lease(sleeper)


def test_a_lease_that_ran_out_goes_to_the_next_and_the_sleeper_can_do_nothing() -> None:
    sleeper = take_lease("sage/CALBAK", owner="a", seconds=-1)
    assert sleeper is not None

    successor = take_lease("sage/CALBAK", owner="b", seconds=60)

    assert successor is not None
    release_lease(sleeper)
    assert renew_lease(successor)


def test_a_doorbell_waits_for_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    company = builders.a_company()
    with django_capture_on_commit_callbacks(execute=True):
        jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="person")
        assert OrmQ.objects.count() == 0

    assert OrmQ.objects.count() == 1


def test_the_tick_rings_for_every_company_that_is_due(
    django_capture_on_commit_callbacks: Any,
) -> None:
    an_alarm_clock()
    an_alarm_clock(next_run_at="1 hour")

    with django_capture_on_commit_callbacks(execute=True):
        jobs.tick()

    rung = [task.func() for task in OrmQ.objects.all()]
    assert rung.count("sync.jobs.run_company") == 1


def test_the_schedule_is_one_row_however_often_it_is_installed() -> None:
    jobs.install_schedule()
    jobs.install_schedule()

    assert Schedule.objects.count() == 1
    assert jobs.schedule_problems() == []


def test_another_schedule_row_is_told() -> None:
    jobs.install_schedule()
    Schedule.objects.create(func="os.getcwd", name="mine", schedule_type=Schedule.ONCE)

    assert [problem.split(".")[0] for problem in jobs.schedule_problems()] == [
        "There are 2 schedules in the queue's table and there must be exactly one",
        "Schedule 'mine' is not the tick",
    ]


def test_a_beat_is_told() -> None:
    assert jobs.last_beat() is None

    jobs.heartbeat()

    assert jobs.last_beat() is not None
