"""What BILL's refusals mean: a table from `BDC_n` codes to error classes and sentences.

The code in the body decides and the status only where no known code came: BILL documents no status
for most codes, and its clients report different ones. An error body is an array of objects, but
gateways in between answer one object, HTML or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.bill.values import UnreadableJson, read_json, rows_of, text_of
from integrations.errors import (
    AuthRefused,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
)

SESSION_LOST = "BDC_1109"
SESSION_EXPIRED_OR_UNTRUSTED = "BDC_1361"
HOURLY_LIMIT = "BDC_1144"
CONCURRENCY_LIMIT = "BDC_1322"
API_NOT_SUPPORTED = "BDC_1121"

BUSY_RETRY_SECONDS = 5.0
UNNAMED_LIMIT_RETRY_SECONDS = 60.0


class NotPermitted(AuthRefused):
    """Signed in, but this one operation is not allowed; others may be.

    A caller that can do without the operation catches this before AuthRefused and goes on.
    """


class SessionLost(AuthRefused):
    """The session has ended. The client signs in again and repeats the call; callers never see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry of BILL's error array."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code means to us: the class to raise and the sentence for the bookkeeper."""

    error: type[IntegrationError]
    sentence: str


MEANINGS: dict[str, Meaning] = {
    SESSION_LOST: Meaning(
        error=SessionLost,
        sentence="BILL ended the session and did not accept a new one. An owner opens Connections "
        "and checks the BILL user or sync token.",
    ),
    "BDC_1101": Meaning(
        error=AuthRefused,
        sentence="BILL does not accept the user name and password. An owner enters them again "
        "under Connections (for a sync token: its name and its value).",
    ),
    "BDC_1102": Meaning(
        error=AuthRefused,
        sentence="BILL does not know this developer key. An owner checks under Connections that "
        "the key belongs to the chosen environment: a sandbox key does not work in production.",
    ),
    "BDC_1103": Meaning(
        error=AuthRefused,
        sentence="The developer key is not active. Its holder activates it in BILL's developer "
        "settings; then an owner presses Try again under Connections.",
    ),
    "BDC_1104": Meaning(
        error=AuthRefused,
        sentence="BILL's terms for the developer key are not accepted yet. The key's holder signs "
        "in to BILL's developer settings and accepts them.",
    ),
    "BDC_1107": Meaning(
        error=AuthRefused,
        sentence="BILL has locked this organization. Its administrator asks BILL's support to "
        "unlock it (a sandbox frees itself after about 15 minutes); then an owner presses Try "
        "again under Connections.",
    ),
    "BDC_1110": Meaning(
        error=AuthRefused,
        sentence="BILL has locked this user after failed sign-ins. The user resets the password in "
        "BILL; then an owner enters the new one under Connections.",
    ),
    "BDC_1111": Meaning(
        error=AuthRefused,
        sentence="This user is not active in this BILL organization. An administrator of the "
        "organization activates the user in BILL, or an owner corrects the organization id under "
        "Connections.",
    ),
    "BDC_1113": Meaning(
        error=AuthRefused,
        sentence="BILL refused the sign-in without saying why. An owner signs in to BILL in a "
        "browser with the same user, follows what BILL asks there, and then presses Try again "
        "under Connections.",
    ),
    "BDC_1123": Meaning(
        error=AuthRefused,
        sentence="BILL does not know this organization id. An owner copies it again from BILL "
        "(Settings, Sync and integrations) into Connections.",
    ),
    "BDC_1145": Meaning(
        error=NotPermitted,
        sentence="The BILL user may not do this. An administrator of the BILL organization gives "
        "the user's role the missing right, or makes a sync token for the connector.",
    ),
    "BDC_1302": Meaning(
        error=NotPermitted,
        sentence="BILL does not allow this for a sync token; it needs a person's sign-in. "
        "Nobody needs to act unless the connector says that it cannot go on.",
    ),
    HOURLY_LIMIT: Meaning(
        error=RateLimited,
        sentence="BILL's hourly limit for this developer key is used up. Work goes on by itself "
        "at the next full hour; nobody needs to act.",
    ),
    CONCURRENCY_LIMIT: Meaning(
        error=RateLimited,
        sentence="BILL is busy with other requests under the same developer key. Work goes on by "
        "itself in a moment; nobody needs to act.",
    ),
    "BDC_1205": Meaning(
        error=NotFound,
        sentence="BILL no longer has this record. An accountant looks in BILL whether it was "
        "merged or removed.",
    ),
    API_NOT_SUPPORTED: Meaning(
        error=UnexpectedAnswer,
        sentence="BILL does not offer this call at this address. Support must look at it.",
    ),
}

_UNTRUSTED = Meaning(
    error=NotPermitted,
    sentence="BILL allows this only in a session confirmed by a text message. The connector does "
    "not need it to read bills; support must look at it.",
)


def read_faults(body: bytes) -> tuple[Fault, ...]:
    """Return the entries of an error body; a lone object counts as one, anything else as none."""
    try:
        value = read_json(body)
    except UnreadableJson:
        return ()
    rows = rows_of(value if isinstance(value, list) else [value])
    return tuple(
        Fault(code=text_of(row.get("code")), message=text_of(row.get("message")))
        for row in rows
        if "code" in row or "message" in row
    )


def is_refusal(status: int, value: object) -> bool:
    """Tell whether an answer is an error: by its status, or a 200 that holds BILL's error array."""
    if not 200 <= status < 300:
        return True
    first = next(iter(rows_of(value)), {})
    return text_of(first.get("code")).startswith("BDC_") and "message" in first


def error_for(*, status: int, body: bytes, request_id: str, is_write: bool) -> IntegrationError:
    """Return the error that a refused answer means; the caller raises it.

    A write answered by a fault of the server counts as OutcomeUnknown: it may have been done.
    """
    faults = read_faults(body)
    fault = _deciding(faults)
    said = _joined(faults)
    meaning = _meaning_of(fault, status=status, said=said, is_write=is_write)
    facts = {
        "sentence": meaning.sentence,
        "request_id": request_id,
        "http_status": status,
        "vendor_code": fault.code,
        "vendor_message": said,
    }
    message = f"BILL answered {status} {fault.code or 'without a code'}"
    if issubclass(meaning.error, RateLimited):
        seconds = (
            BUSY_RETRY_SECONDS if fault.code == CONCURRENCY_LIMIT else UNNAMED_LIMIT_RETRY_SECONDS
        )
        return meaning.error(message, retry_after_seconds=seconds, **facts)
    return meaning.error(message, **facts)  # type: ignore[arg-type]


def _deciding(faults: tuple[Fault, ...]) -> Fault:
    """The first entry with a known code, else the first with any, else an empty one."""
    known = (fault for fault in faults if _is_known(fault.code))
    coded = (fault for fault in faults if fault.code)
    return next(known, None) or next(coded, None) or Fault(code="", message="")


def _is_known(code: str) -> bool:
    return code in MEANINGS or code == SESSION_EXPIRED_OR_UNTRUSTED


def _meaning_of(fault: Fault, *, status: int, said: str, is_write: bool) -> Meaning:
    if fault.code == SESSION_EXPIRED_OR_UNTRUSTED:
        return _UNTRUSTED if "untrusted session" in said.lower() else MEANINGS[SESSION_LOST]
    known = MEANINGS.get(fault.code)
    return known or _by_status(status, said=said, is_write=is_write)


def _by_status(status: int, *, said: str, is_write: bool) -> Meaning:
    """What remains where no known code came; `said` is "" where the body was not BILL's at all."""
    quoted = f" BILL says: {said[:200]}" if said else ""
    if status == 401:
        return MEANINGS[SESSION_LOST]
    if status == 429:
        return MEANINGS[CONCURRENCY_LIMIT]
    if status == 423:
        return MEANINGS["BDC_1107"]
    if status >= 500:
        return Meaning(
            error=OutcomeUnknown if is_write else ServerFault,
            sentence="BILL has a fault of its own. The connector asks again by itself; nobody "
            f"needs to act.{quoted}",
        )
    if not said:
        return Meaning(error=UnexpectedAnswer, sentence=_NOT_BILL)
    if status == 403:
        return Meaning(error=NotPermitted, sentence=MEANINGS["BDC_1145"].sentence + quoted)
    if status == 404:
        return Meaning(error=NotFound, sentence=MEANINGS["BDC_1205"].sentence + quoted)
    return Meaning(
        error=Rejected,
        sentence=f"BILL refused the request for what it says.{quoted}",
    )


_NOT_BILL = (
    "The answer did not come from BILL: a page, or something else that is not BILL's data, arrived "
    "in its place. An owner checks the chosen environment under Connections; if it is right, ask "
    "whoever looks after the network whether something stands between this server and BILL."
)


def not_bill(*, status: int, request_id: str, is_write: bool) -> IntegrationError:
    """Return the error for a good status with a body that is not JSON."""
    kind = OutcomeUnknown if is_write else UnexpectedAnswer
    return kind(
        f"BILL answered {status} with something that is not JSON",
        sentence=_NOT_BILL,
        request_id=request_id,
        http_status=status,
    )


def _joined(faults: Iterable[Fault]) -> str:
    """All messages once; BILL may say one thing twice, the second time after the record's id."""
    texts: list[str] = []
    for fault in faults:
        text = " ".join(fault.message.split())
        if text and not any(text.endswith(known) or known.endswith(text) for known in texts):
            texts.append(text)
    return "; ".join(texts)[:300]
