"""Every wait, deadline, size and cadence of the product, each on one line.

A figure that someone may want to turn is a knob: a field of ``Knobs`` with its default, its unit and
what it means. Its environment variable is ``CONNECTOR_`` plus the name in capitals. Code reads it
as ``settings.CONNECTOR.<name>`` and mypy knows its type; ``manage.py settings`` lists them all, and
a test fails for a knob that no code reads. To add a knob, add its line here.
"""

from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from typing import Any

from connector_site.env import Environment, SettingRefused


def knob(default: Any, unit: str, meaning: str, *, least: float = 0) -> Any:
    """Declare one knob: its default, unit, meaning, and the least value that makes sense."""
    return dataclass_field(
        default=default, metadata={"unit": unit, "meaning": meaning, "least": least}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """The current value of every knob."""

    # The queue. `retry` is computed from these, see `queue_retry_seconds`.
    queue_workers: int = knob(2, "processes", "Jobs that run at the same time.", least=1)
    queue_timeout_seconds: int = knob(300, "seconds", "A job that runs longer is ended.", least=5)
    queue_retry_margin_seconds: int = knob(
        60,
        "seconds",
        "Added to the computed time after which an unfinished job is handed out again.",
    )
    queue_poll_seconds: float = knob(0.5, "seconds", "Pause between two looks into the queue.")
    queue_recycle_jobs: int = knob(
        200, "jobs", "A worker process is replaced after this many jobs.", least=1
    )

    # BILL. The limits are BILL's own, for each developer key.
    bill_concurrency: int = knob(
        3, "requests", "Requests to BILL at the same time for a key and organization.", least=1
    )
    bill_calls_per_hour: int = knob(20_000, "requests", "Requests to BILL an hour.", least=1)
    bill_logins_per_hour: int = knob(200, "sign-ins", "Sign-ins to BILL an hour.", least=1)
    bill_logins_per_minute: int = knob(5, "sign-ins", "Sign-ins to BILL a minute.", least=1)
    bill_call_seconds: float = knob(
        30.0, "seconds", "One call to BILL, its repeated reads included, ends after this.", least=1
    )
    bill_wait_seconds: float = knob(
        30.0, "seconds", "A call waits this long for its turn under BILL's limits."
    )
    bill_refusal_seconds: float = knob(
        60.0, "seconds", "A refused sign-in to BILL is not tried again by itself for this long."
    )
    bill_busy_tries: int = knob(
        5, "tries", "A call BILL refuses as one too many at once is sent this often.", least=1
    )
    bill_busy_pause_seconds: float = knob(
        0.5, "seconds", "Pause before the first of these repeats; each is longer by as much."
    )

    # People and pages.
    session_seconds: int = knob(14 * 24 * 3600, "seconds", "A sign-in lasts this long.", least=60)
    statement_timeout_seconds: int = knob(
        30, "seconds", "A single database statement that runs longer is ended.", least=1
    )
    database_connection_seconds: int = knob(
        60, "seconds", "A database connection is kept open for reuse this long; 0 closes each."
    )
    api_page_size: int = knob(50, "rows", "Rows on one page of an API list.", least=1)
    request_body_bytes: int = knob(
        2_621_440, "bytes", "A request with a larger body is refused.", least=1024
    )


def read_knobs(env: Environment) -> Knobs:
    """Return the knobs, each from its variable or its default; raises SettingRefused."""
    given: dict[str, Any] = {}
    for declared in fields(Knobs):
        variable = variable_name(declared.name)
        meaning = f"{declared.metadata['meaning']} ({declared.metadata['unit']})"
        default: Any = declared.default
        value = (
            env.whole_number(variable, default, meaning=meaning)
            if isinstance(default, int)
            else env.number(variable, default, meaning=meaning)
        )
        least = declared.metadata["least"]
        if value < least:
            raise SettingRefused(f"{variable} is {value}. It must be at least {least}.")
        given[declared.name] = value
    return Knobs(**given)


def variable_name(knob_name: str) -> str:
    """Return the environment variable of a knob."""
    return f"CONNECTOR_{knob_name.upper()}"


def queue_retry_seconds(
    *, timeout: int, workers: int, queue_limit: int, bulk: int, margin: int
) -> int:
    """Return when an unfinished job may be handed out again.

    The clock starts when the pusher fetches a job, not when a worker starts it, so time spent
    waiting locally counts: every job ahead of it may use its whole timeout. A smaller figure runs
    jobs two to four times (measured with django-q2 1.11.1).
    """
    waiting_rounds = -(-(queue_limit + 1 + bulk) // workers)
    return timeout * (1 + waiting_rounds) + margin
