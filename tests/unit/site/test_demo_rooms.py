"""Where a demo keeps its things, its scenario, and the text a terminal shows."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connector_site.database import parse_url
from connector_site.demo import environment
from connector_site.demo.agreement import ShownPosting
from connector_site.demo.scenario import read_scenario
from connector_site.demo.shown import Row
from connector_site.demo.table import Timing, p95, table, timings_text


def test_a_demo_has_a_data_directory_of_its_own(tmp_path: Path):
    values = {"PUBLIC_URL": "https://connect.example.com", "EMAIL_URL": "smtp://mail.example.com"}

    environment.prepare(values, base=tmp_path)

    assert values == {
        "CONNECTOR_DATA_DIR": str(tmp_path / ".data" / "demo"),
        "CONNECTOR_PRACTICE": "on",
        "EMAIL_URL": (tmp_path / ".data" / "demo" / "mails").as_uri(),
        "LOG_LEVEL": "warning",
    }


def test_a_given_database_is_left_alone_and_one_beside_it_is_used(tmp_path: Path):
    values = {"DATABASE_URL": "postgresql://me:secret@db.example.com:5433/books?sslmode=require"}

    environment.prepare(values, base=tmp_path)

    address = parse_url(values["DATABASE_URL"])
    assert address.name == "books_demo"
    assert (address.host, address.port, address.password) == ("db.example.com", "5433", "secret")


def test_a_second_demo_at_the_same_time_steps_aside(tmp_path: Path):
    first: dict[str, str] = {}
    second = {"DATABASE_URL": "postgresql://me@db.example.com/books"}
    environment.prepare(first, base=tmp_path)

    environment.prepare(second, base=tmp_path)

    assert first["CONNECTOR_DATA_DIR"].endswith("/demo")
    assert second["CONNECTOR_DATA_DIR"].endswith("/demo_2")
    assert parse_url(second["DATABASE_URL"]).name == "books_demo_2"


def test_the_scenario_counts_its_days_from_today():
    scenario = read_scenario(sage_url="http://127.0.0.1:4021", today=date(2026, 3, 31))

    bakery, catering = scenario.customer["companies"]
    assert bakery["policy"]["cutover_date"] == "2026-01-30"
    assert (bakery["policy"]["release"], catering["policy"]["release"]) == ("open", "post")
    assert bakery["sage300"]["base_url"] == "http://127.0.0.1:4021"
    assert scenario.sage_databases == {"bakery": "CALBAK", "catering": "CALCAT"}
    assert {each.told_by for each in scenario.approvals} == {"poll", "webhook"}


@pytest.mark.parametrize(
    ("values", "slowest"),
    [([3.0], 3.0), ([1.0, 9.0, 2.0, 3.0], 9.0), ([float(n) for n in range(1, 101)], 95.0)],
)
def test_p95_is_the_nearest_rank(values: list[float], slowest: float):
    assert p95(values) == slowest


def test_a_row_of_the_table_holds_one_bill_and_its_sentence():
    posting = ShownPosting(
        invoice_number="NG-11811-WITH-A-VERY-LONG-NUMBER",
        vendor_name="Northgate Sanitation",
        state="BLOCKED",
        amount=Decimal("1402.5"),
        batch_number=59,
        entry_number=5,
    )
    row = Row(
        posting=posting, bill_id="00n", accounts="6230-300", word="Blocked", sentence="Map it here."
    )

    said = table([row]).splitlines()

    assert said[2].split() == [
        "NG-11811-WITH-A-VERY-LO…",
        "Northgate",
        "Sanitation",
        "1,402.50",
        "6230-300",
        "Blocked",
        "59-5",
    ]
    assert said[3].strip() == "Map it here."


def a_timing(told_by: str, seconds: float | None) -> Timing:
    return Timing(
        title="SP-1204",
        company="bakery",
        told_by=told_by,
        open_seconds=seconds,
        posted_seconds=None,
    )


def test_the_times_are_measured_against_what_is_promised():
    said = timings_text(
        [a_timing("webhook", 12.0), a_timing("poll", 130.0)],
        cadence_seconds=60,
    )

    assert "By webhook: p95 12.0 s until read back, within 30 s." in said
    assert "By poll: p95 130.0 s until read back, OVER 120 s." in said
    assert "0.20 min" in said


def test_a_bill_that_never_came_is_said():
    said = timings_text([a_timing("webhook", None), a_timing("poll", 1.0)], cadence_seconds=60)

    assert "By webhook: not every one was in Sage in time." in said
