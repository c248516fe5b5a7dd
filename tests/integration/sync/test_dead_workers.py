"""What a killed worker held is free at once; what anybody else holds is not touched."""

import re
import subprocess
import sys
import uuid

import pytest
from django.utils import timezone

from sync import jobs
from sync.models import DueWork, SageLease
from sync.services import lease, turns
from sync.services.workers import free_the_dead, is_dead, worker_name

pytestmark = pytest.mark.django_db

COMPANY = uuid.UUID(int=7)
BOOKS = "sage.example.com/CALBAK"


def a_dead_worker() -> str:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return re.sub(r":\d+@", f":{ended.pid}@", worker_name())


@pytest.fixture
def due() -> None:
    turns.keep_turns(tenant_id=uuid.UUID(int=1), company_id=COMPANY)


def test_a_living_worker_is_not_dead():
    assert not is_dead(worker_name())


def test_an_ended_process_of_this_machine_is_dead():
    assert is_dead(a_dead_worker())


@pytest.mark.parametrize("name", ["", "host:1", "other:99999999@0badcafe", "sync command"])
def test_who_cannot_be_judged_is_taken_for_alive(name: str):
    assert not is_dead(name)


@pytest.mark.usefixtures("due")
def test_a_dead_workers_turn_is_due_again_at_once():
    dead = a_dead_worker()
    assert turns.take_turn(company_id=COMPANY, seconds=600, owner=dead) is not None
    assert turns.take_turn(company_id=COMPANY, seconds=600, owner=worker_name()) is None

    assert free_the_dead() == [dead]

    assert [turn.company_id for turn in turns.due_turns(limit=5)] == [COMPANY]
    assert turns.take_turn(company_id=COMPANY, seconds=600, owner=worker_name()) is not None


@pytest.mark.usefixtures("due")
def test_a_living_workers_turn_is_left_alone():
    turns.take_turn(company_id=COMPANY, seconds=600, owner=worker_name())

    assert free_the_dead() == []

    assert DueWork.objects.get().taken_until > timezone.now()


def test_a_dead_writers_lease_passes_on_with_a_new_epoch():
    dead = lease.take_lease(BOOKS, owner=a_dead_worker(), seconds=300)
    assert dead is not None
    assert lease.take_lease(BOOKS, owner=worker_name(), seconds=300) is None

    jobs.release_the_dead()

    mine = lease.take_lease(BOOKS, owner=worker_name(), seconds=300)
    assert mine is not None
    assert mine.epoch == dead.epoch + 1
    assert SageLease.objects.get().owner == worker_name()


@pytest.mark.usefixtures("due")
def test_what_a_broken_job_of_this_process_left_over_is_free_for_the_next():
    turns.take_turn(company_id=COMPANY, seconds=600, owner=worker_name())
    left_over = lease.take_lease(BOOKS, owner=worker_name(), seconds=300)

    jobs.heartbeat()

    assert turns.take_turn(company_id=COMPANY, seconds=600, owner="another") is not None
    assert lease.take_lease(BOOKS, owner="another", seconds=300) is not None
    assert left_over is not None
    assert not lease.holds_lease(left_over)
