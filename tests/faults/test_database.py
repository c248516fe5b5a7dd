"""The database fails in the middle: nothing is half done, and the next pass goes on."""

import pytest
from django.db import OperationalError, connection

from connector_site import database
from tests.faults.office import (
    POST_BATCH,
    a_bill,
    all_in_sage,
    entries,
    heal,
    later,
    posts,
    start_worker,
    wait_for,
)
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def cut_other_connections() -> None:
    """What a failover does to every client."""
    name = connection.settings_dict["NAME"]
    mine = connection.connection.info.backend_pid
    with database.parse_url(database.ensure_running()).connect(name="postgres") as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> %s",
            [name, mine],
        )


@pytest.mark.parametrize("moment", [POST_BATCH, "GET /APPostedDocuments", "GET /GLAccounts"])
def test_f46_a_failover_in_the_middle_ends_the_pass_and_the_next_one_goes_on(
    desk: Desk, moment: str
) -> None:
    desk.sage_server.faults.add("delay_answer", moment, seconds=0.3)
    worker = start_worker(desk.sync)
    wait_for(lambda: desk.sage_server.faults.hits)
    if moment == POST_BATCH:
        wait_for(lambda: len(entries(desk)) == 3)
    cut_other_connections()
    assert worker.ended() != 0

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f48_statements_that_run_out_of_time_leave_no_half_state(desk: Desk) -> None:
    def hurried(milliseconds: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {milliseconds}")
        desk.sync()

    for milliseconds in (1, 2, 3, 5, 8):
        a_bill(desk, f"S-{milliseconds}")
        start_worker(lambda limit=milliseconds: hurried(limit)).ended()
        later(desk)

    heal(desk)

    all_in_sage(desk, 8)
    sent = sorted(entry["DocumentNumber"] for entry in entries(desk))
    assert sent == ["B-1", "B-2", "B-3", "S-1", "S-2", "S-3", "S-5", "S-8"]


STRIKES = [("sync_batch", "40001"), ("sync_attempt", "40P01"), ("sync_answer", "40001"),
           ("sync_bill", "40P01")]  # fmt: skip


def test_f49_a_deadlock_or_conflict_anywhere_is_gone_with_the_next_pass(desk: Desk) -> None:
    for number, (table, code) in enumerate(STRIKES):
        a_bill(desk, f"D-{number}")
        with failing_once(table, code), pytest.raises(OperationalError):
            desk.sync()
        later(desk)

    heal(desk)

    all_in_sage(desk, 7)
    sent = sorted(entry["DocumentNumber"] for entry in entries(desk))
    assert sent == ["B-1", "B-2", "B-3", "D-0", "D-1", "D-2", "D-3"]


class failing_once:  # noqa: N801 - reads as a sentence
    """The next insert into a table fails with this code, and only that one."""

    def __init__(self, table: str, code: str) -> None:
        self._table, self._code = table, code

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SEQUENCE faults_counter")
            cursor.execute(
                "CREATE FUNCTION faults_fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF nextval('faults_counter') = 1 THEN"
                f" RAISE EXCEPTION 'struck' USING ERRCODE = '{self._code}'; END IF;"
                " RETURN NEW; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER faults_strike BEFORE INSERT ON {self._table}"
                " FOR EACH ROW EXECUTE FUNCTION faults_fail()"
            )

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER faults_strike ON {self._table}")
            cursor.execute("DROP FUNCTION faults_fail")
            cursor.execute("DROP SEQUENCE faults_counter")
