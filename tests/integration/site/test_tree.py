"""The process tree with real processes: nothing of it outlives the one who started it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector_site.processes.guardian import kill_session, read_orders, session_members
from connector_site.processes.ports import NoPortFree, listen, port_of
from connector_site.processes.tree import ProcessTree
from tests.integration.site.programs import (
    a_forking_program,
    a_program,
    a_stubborn_program,
)
from tests.live_site import within

ROOT = Path(__file__).parents[3]

_PARENT = """
import sys, time
from pathlib import Path
from connector_site.processes.tree import ProcessTree
from tests.integration.site.programs import a_forking_program
tree = ProcessTree(directory=Path.cwd(), embedded_data=None)
print(tree.start(a_forking_program("forks")).session, flush=True)
time.sleep(600)
"""


@pytest.fixture
def tree() -> Iterator[ProcessTree]:
    tree = ProcessTree(directory=ROOT, embedded_data=None)
    yield tree
    tree.end(grace_seconds=0)


def test_end_asks_first_and_leaves_nothing(tree: ProcessTree):
    forks = tree.start(a_forking_program("forks"))
    assert within(5, lambda: len(session_members(forks.session)) == 4)

    tree.end(grace_seconds=5)

    assert session_members(forks.session) == []
    assert tree.children == ()


def test_who_does_not_stop_in_time_is_killed(tree: ProcessTree):
    stubborn = tree.start(a_stubborn_program("stubborn"))
    assert within(5, lambda: bool(session_members(stubborn.session)))
    time.sleep(0.3)  # until it ignores the signal

    started = time.monotonic()
    tree.end(grace_seconds=0.5)

    assert session_members(stubborn.session) == []
    assert time.monotonic() - started < 5


def test_replacing_kills_everything_the_old_one_forked(tree: ProcessTree):
    old = tree.start(a_forking_program("worker"))
    assert within(5, lambda: len(session_members(old.session)) == 4)

    new = tree.replace("worker")

    assert session_members(old.session) == []
    assert new.session != old.session
    assert tree.child("worker") is new


def test_nothing_lives_on_after_the_parent_was_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    session = int(parent.stdout.readline())
    assert within(5, lambda: len(session_members(session)) == 4)

    parent.kill()
    parent.wait()

    gone = within(5, lambda: session_members(session) == [])
    parent.stdout.close()
    kill_session(session)
    assert gone


def test_a_killed_guardian_is_followed_by_one_that_knows_everything():
    code = _PARENT.replace(
        "time.sleep(600)\n",
        "tree._guardian.kill(); tree._guardian.wait(); tree.keep_guardian()\n"
        "print('again', flush=True); time.sleep(600)\n",
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    session = int(parent.stdout.readline())
    assert parent.stdout.readline() == "again\n"
    assert within(5, lambda: len(session_members(session)) == 4)

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    gone = within(5, lambda: session_members(session) == [])
    parent.stdout.close()
    kill_session(session)
    assert gone


@pytest.mark.parametrize(
    ("orders", "left_over"),
    [
        ([], set()),
        (["watch 7\n", "watch 8\n"], {7, 8}),
        (["watch 7\n", "forget 7\n"], set()),
        (["watch 7\n", "farewell\n"], None),
        (["watch 7\n", "half a li"], {7}),
    ],
)
def test_the_guardian_kills_what_it_was_told_of(orders: list[str], left_over: set[int] | None):
    assert read_orders(orders) == left_over


def test_a_program_is_given_its_environment_and_pipe(tree: ProcessTree):
    code = "import os; print(os.environ['WORD'], flush=True)"
    says = replace(a_program("says", code=code), environment={"WORD": "flour"}, piped=True)

    child = tree.start(says)

    assert child.process.stdout is not None
    assert child.process.stdout.readline() == b"flour\n"


def test_a_taken_port_is_stepped_over():
    with listen("127.0.0.1", 18_300) as first, listen("127.0.0.1", port_of(first)) as second:
        assert port_of(second) > port_of(first)


def test_an_address_that_is_not_ours_is_said():
    with pytest.raises(NoPortFree, match=r"We cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 18_300)


def test_the_last_port_ends_the_search():
    taken = socket.create_server(("127.0.0.1", 65_535))

    with taken, pytest.raises(NoPortFree, match="65535 to 65535"):
        listen("127.0.0.1", 65_535)
