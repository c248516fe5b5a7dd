"""What we look at before we start, and refuse with one sentence each.

Django runs these with every command that needs the database (``migrate``), and ``manage.py run``
asks for all of them. Checks that read rows carry the database tag, so that ``check`` alone works
where no database can be reached.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections

from connector_site.database import powerful_role_sentence
from connector_site.knobs import queue_retry_seconds

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Apps = Sequence[AppConfig] | None


@register()
def practice_addresses(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Practice systems belong to practice, and to this machine."""
    named = {
        "CONNECTOR_PRACTICE_BILL_URL": settings.PRACTICE_BILL_URL,
        "CONNECTOR_PRACTICE_SAGE_URL": settings.PRACTICE_SAGE_URL,
    }
    problems: list[CheckMessage] = []
    for name, address in named.items():
        if address and not settings.PRACTICE:
            problems.append(
                Error(
                    f"{name} is set although DEBUG is off: real customers could be sent to a"
                    " practice system. Remove it, or set CONNECTOR_PRACTICE=on.",
                    id="connector.E001",
                )
            )
        elif address and urlsplit(address).hostname not in _LOOPBACK:
            problems.append(
                Error(
                    f"{name} is {address}. A practice system must run on this machine"
                    " (127.0.0.1 or localhost).",
                    id="connector.E002",
                )
            )
    return problems


@register()
def queue_timings(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """A job must be ended before the queue hands it out a second time."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    least = queue_retry_seconds(
        timeout=queue["timeout"],
        workers=queue["workers"],
        queue_limit=queue["queue_limit"],
        bulk=queue["bulk"],
        margin=0,
    )
    problems: list[CheckMessage] = []
    if queue["retry"] <= least:
        problems.append(
            Error(
                f"The queue would hand out a running job a second time: retry is"
                f" {queue['retry']} s and must be more than {least} s."
                " Set CONNECTOR_QUEUE_RETRY_MARGIN_SECONDS above 0.",
                id="connector.E003",
            )
        )
    if not queue["ack_failures"] or queue["max_attempts"] != 1:
        problems.append(
            Error(
                "The queue must not repeat jobs by itself: ack_failures must be on and"
                " max_attempts 1.",
                id="connector.E004",
            )
        )
    return problems


@register(Tags.security, deploy=True)
def keys_from_outside(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Keys that lie beside the data protect nothing when the disk is copied."""
    problems: list[CheckMessage] = []
    if settings.KEYS_ARE_LOCAL:
        problems.append(
            Warning(
                "SECRET_KEY or CREDENTIAL_KEYS is not set, so keys made by ourselves are used."
                f" They lie in {settings.DATA_DIR / 'keys'}, beside the data. Set both.",
                id="connector.W001",
            )
        )
    if settings.SECRET_KEY in settings.CREDENTIAL_KEYS:
        problems.append(
            Error("CREDENTIAL_KEYS repeats SECRET_KEY. Make a key of its own.", id="connector.E005")
        )
    if not settings.PUBLIC_URL.startswith("https://"):
        problems.append(
            Warning(
                "PUBLIC_URL is not an https address: passwords travel in the clear and BILL sends"
                " no webhooks.",
                id="connector.W002",
            )
        )
    return problems


@register(Tags.database)
def bound_role(
    app_configs: Apps, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Row-level security binds everyone but superusers and those with BYPASSRLS."""
    problems: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles"
                " WHERE rolname = current_user"
            )
            role, is_powerful = cursor.fetchone()
        if is_powerful:
            name = connections[alias].settings_dict["NAME"]
            problems.append(Error(powerful_role_sentence(role, name), id="connector.E006"))
    return problems


@register(Tags.database)
def key_canary(
    app_configs: Apps, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """With another key every stored password is unreadable: say so before one is used."""
    from integrations import canary  # noqa: PLC0415 (its models are not loaded yet at import)

    if "default" not in (databases or ()):
        return []
    try:
        canary.verify()
    except canary.WrongKey as refusal:
        return [Error(str(refusal), id="connector.E007")]
    except DatabaseError:
        return []  # Before the first migration there is no table, and nothing sealed.
    return []
