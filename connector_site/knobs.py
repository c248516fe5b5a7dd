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

    # The network, and Sage 300.
    connect_seconds: float = knob(
        10.0, "seconds", "Another system must take our call within this time.", least=0.1
    )
    answer_bytes: int = knob(
        33_554_432, "bytes", "A longer answer of another system is cut off.", least=65_536
    )
    read_attempts: int = knob(3, "tries", "A question that met a passing fault is put.", least=1)
    patience_seconds: float = knob(
        5.0, "seconds", "The longest pause another system may ask for within one call."
    )
    sage_read_seconds: float = knob(
        120.0, "seconds", "One question to Sage 300, repeated ones included.", least=1
    )
    sage_write_seconds: float = knob(
        180.0, "seconds", "One write to Sage 300; later its outcome counts as unknown.", least=1
    )
    sage_post_seconds: float = knob(
        240.0, "seconds", "One run of Sage 300's posting process.", least=1
    )

    # The running site: `manage.py run`.
    web_processes: int = knob(2, "processes", "Processes that answer web requests.", least=1)
    web_threads: int = knob(8, "threads", "Requests one web process answers at a time.", least=1)
    web_timeout_seconds: int = knob(
        60, "seconds", "A web process that is stuck for longer is replaced.", least=5
    )
    stop_grace_seconds: int = knob(
        30, "seconds", "When told to stop, work under way may take this long; then it is killed."
    )
    watchdog_ring_seconds: float = knob(
        15.0, "seconds", "The watchdog asks the queue for a sign of life this often.", least=1
    )
    watchdog_stalled_seconds: float = knob(
        75.0, "seconds", "Without a sign of life for this long the worker is replaced.", least=5
    )
    alive_seconds: float = knob(
        180.0, "seconds", "`manage.py alive` fails when the queue's last beat is older.", least=1
    )

    # The work.
    poll_overlap_seconds: float = knob(
        600.0, "seconds", "BILL's lists are read again from this long before the last change seen."
    )
    first_read_days: int = knob(
        730, "days", "The first read of BILL's bills begins this long before the cutover."
    )
    read_seconds: float = knob(
        120.0, "seconds", "A pass reads BILL's bills for this long; the next one reads on.", least=1
    )
    young_bill_days: int = knob(
        7, "days", "A bill this young that waits for approval is read again with every poll."
    )
    waiting_check_seconds: float = knob(
        0.0, "seconds", "A young waiting bill is not read again sooner than this."
    )
    old_bill_check_seconds: float = knob(
        3600.0, "seconds", "An older bill that waits for approval is read again this often."
    )
    catalogue_seconds: float = knob(
        21_600.0, "seconds", "Lists of both systems (accounts, vendors …) are read anew this often."
    )
    webhook_gather_seconds: float = knob(
        3.0, "seconds", "Events that arrive within this time are read from BILL together."
    )
    webhook_body_bytes: int = knob(
        262_144, "bytes", "A longer notification of BILL's is refused.", least=1024
    )
    webhook_tally_seconds: float = knob(
        10.0, "seconds", "Refused notifications are counted in the database this often at most."
    )
    webhook_check_seconds: float = knob(
        86_400.0, "seconds", "A subscription in BILL is looked after this often."
    )
    webhook_history_seconds: float = knob(
        172_800.0, "seconds", "BILL's history is read this far back beyond the last look."
    )
    webhook_old_key_seconds: float = knob(
        604_800.0, "seconds", "A replaced webhook key stays good for late deliveries this long."
    )
    turn_seconds: float = knob(
        60.0, "seconds", "A company sends for this long, then the next one has its turn.", least=1
    )
    turn_lease_seconds: float = knob(
        600.0, "seconds", "A company whose worker died is taken up again after this.", least=1
    )
    turns_per_tick: int = knob(200, "companies", "Companies woken by one tick at most.", least=1)
    lease_seconds: float = knob(
        300.0, "seconds", "A writer that died keeps its Sage database this long.", least=1
    )
    settle_seconds: float = knob(
        180.0, "seconds", "An invoice whose answer was lost is sent again no sooner than this."
    )
    retry_seconds: float = knob(
        5.0, "seconds", "First pause after a failed look into Sage; doubles.", least=0.01
    )
    longest_retry_seconds: float = knob(300.0, "seconds", "The longest such pause.", least=0.01)
    stray_watch_seconds: float = knob(
        3600.0, "seconds", "A new batch in Sage is watched this long for late entries of ours."
    )
    refused_period_seconds: float = knob(
        86_400.0, "seconds", "A fiscal period that Sage refused counts as closed for this long."
    )
    restore_watch_seconds: float = knob(
        86_400.0, "seconds", "After a restore every new batch in Sage is read for this long."
    )
    history_check_seconds: float = knob(
        86_400.0, "seconds", "Whether Sage's history was cleared is looked up this often."
    )
    circuit_failures: int = knob(
        5, "failures", "After this many in a row Sage 300 is left alone for a while.", least=1
    )
    loss_limit: int = knob(
        5, "sends", "After this many lost answers in a row a person is asked.", least=1
    )

    # Comparing both sides.
    reconcile_hour: int = knob(
        6, "o'clock", "Both sides are compared once a day at this hour of the company's zone."
    )
    reconcile_seconds: float = knob(
        180.0,
        "seconds",
        "One comparison reads for this long and then goes on in a next job.",
        least=1,
    )
    reconcile_days: int = knob(
        100, "days", "Fiscal periods that ended longer ago are compared only in what is unfinished."
    )

    # Operators.
    behind_seconds: float = knob(
        600.0, "seconds", "A company due for this long with nobody on it counts as behind.", least=1
    )
    silent_seconds: float = knob(
        900.0,
        "seconds",
        "A system that gave no good answer for this long before the last pass ended"
        " counts as silent.",
        least=1,
    )
    quota_near_percent: float = knob(
        80.0, "percent", "From this much of BILL's hour on an operator is warned.", least=1
    )
    latency_near_seconds: float = knob(
        2.0, "seconds", "A Sage 300 whose usual answer takes longer is marked.", least=0
    )
    operator_rows: int = knob(
        50, "companies", "Companies an operator can act on at one press.", least=1
    )

    # Mail to people.
    tell_unsettled_seconds: float = knob(
        900.0, "seconds", "A batch whose outcome is unknown for longer is told by mail."
    )
    tell_silence_seconds: float = knob(
        3600.0, "seconds", "A system that has not answered for longer is told by mail.", least=60
    )
    tell_switched_off_seconds: float = knob(
        86_400.0, "seconds", "That BILL switched webhooks off is told for this long afterwards."
    )
    tell_again_hours: float = knob(
        24.0, "hours", "What still stops the flow after this long is told once more; 0 is never."
    )
    mail_look_seconds: float = knob(
        300.0, "seconds", "Whether somebody must be told is looked up this often.", least=1
    )
    mail_tries: int = knob(10, "tries", "A mail the server does not take is sent again.", least=1)
    mail_retry_seconds: float = knob(
        60.0, "seconds", "First pause before a mail is sent again; doubles.", least=0.01
    )
    mail_claim_seconds: float = knob(
        120.0, "seconds", "A mail whose worker died while sending is taken up after this.", least=1
    )
    mail_record_days: int = knob(
        90, "days", "What was told to whom is remembered this long.", least=8
    )

    # People and pages.
    replay_bills: int = knob(
        500, "bills", "Bills asked for again at one press; more of a filter follow after.", least=1
    )
    pulse_seconds: float = knob(
        3.0, "seconds", "An open page asks this often whether anything has changed.", least=0.2
    )
    page_rows: int = knob(25, "rows", "Rows of a list on one page.", least=1)
    api_page_size: int = knob(50, "rows", "Rows on one page of an API list.", least=1)
    session_seconds: int = knob(14 * 24 * 3600, "seconds", "A sign-in lasts this long.", least=60)
    statement_timeout_seconds: int = knob(
        30, "seconds", "A single database statement that runs longer is ended.", least=1
    )
    database_connection_seconds: int = knob(
        60, "seconds", "A database connection is kept open for reuse this long; 0 closes each."
    )
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
