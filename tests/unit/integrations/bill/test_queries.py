"""What BILL is asked, letter by letter."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.bill.queries import (
    BILLS,
    ListQuery,
    among,
    base_urls,
    changes_query,
    chunks_of_ids,
    classification_query,
    since,
)
from integrations.bill.types import ListKind
from integrations.errors import AddressRefused


@pytest.mark.parametrize(
    ("environment", "practice", "api"),
    [
        ("production", "", "https://gateway.prod.bill.com/connect"),
        ("sandbox", "", "https://gateway.stage.bill.com/connect"),
        ("practice", "http://127.0.0.1:8101/", "http://127.0.0.1:8101/connect"),
    ],
)
def test_each_environment_has_its_host(environment: str, practice: str, api: str) -> None:
    assert base_urls(environment, practice_origin=practice) == (api, f"{api}-events")


@pytest.mark.parametrize("environment", ["practice", "staging", ""])
def test_an_environment_without_an_address_is_refused(environment: str) -> None:
    with pytest.raises(AddressRefused):
        base_urls(environment)


def test_moments_are_asked_for_in_utc_with_milliseconds_and_z() -> None:
    moment = datetime(2026, 9, 1, 2, 0, 0, 127999, tzinfo=timezone(timedelta(hours=2)))

    assert since("updatedTime", moment) == 'updatedTime:gte:"2026-09-01T00:00:00.127Z"'


def test_a_moment_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zone"):
        since("updatedTime", datetime(2026, 9, 1))  # noqa: DTZ001


def test_a_question_is_whole_on_every_page() -> None:
    query = changes_query(BILLS, updated_since=datetime(2026, 9, 1, tzinfo=UTC))

    asked = parse_qs(urlsplit(query.url("https://b", "cur&sor=")).query)

    assert asked == {
        "max": ["100"],
        "sort": ["updatedTime:asc"],
        "filters": ['updatedTime:gte:"2026-09-01T00:00:00.000Z"'],
        "page": ["cur&sor="],
    }


def test_archived_rows_are_never_filtered_out() -> None:
    query = changes_query(
        BILLS,
        updated_since=datetime(2026, 9, 1, tzinfo=UTC),
        created_since=datetime(2026, 1, 1, tzinfo=UTC),
    )

    assert "archived" not in query.url("https://b")
    assert "createdTime" in query.url("https://b")


def test_beginning_again_replaces_the_moment_and_keeps_the_rest() -> None:
    query = ListQuery(path=BILLS, filters=('updatedTime:gte:"x"', "archived:eq:true"))

    later = query.from_moment(datetime(2026, 9, 2, tzinfo=UTC))

    assert later.filters == ("archived:eq:true", 'updatedTime:gte:"2026-09-02T00:00:00.000Z"')


def test_ids_travel_fifty_a_call_each_once_and_odd_ones_not_at_all() -> None:
    ids = [f"00n{n:017d}" for n in range(120)]

    chunks = list(chunks_of_ids([*ids, ids[0], 'x","y', "", "a b", "0" * 65]))

    assert [len(chunk) for chunk in chunks] == [50, 50, 20]
    assert [each for chunk in chunks for each in chunk] == ids
    assert among(["a", "b"]) == 'id:in:"a,b"'
    assert len(ListQuery(path=BILLS, filters=(among(chunks[0]),)).url("https://b")) < 2000


@pytest.mark.parametrize(
    ("kind", "path", "sort"),
    [
        (ListKind.ACCOUNT, "/v3/classifications/chart-of-accounts", "name:asc"),
        (ListKind.EMPLOYEE, "/v3/classifications/employees", "lastName:asc"),
    ],
)
def test_classifications_are_sorted_as_bill_allows(kind: ListKind, path: str, sort: str) -> None:
    query = classification_query(kind)

    assert (query.path, query.sort, query.filters) == (path, sort, ())
