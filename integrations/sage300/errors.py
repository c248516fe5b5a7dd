"""What Sage 300's refusals mean, as a table.

The code in the error body decides; its text is for people, is written in the user's language and
may run several messages together, so patterns over it only help where a code says too little.
Pages that do not come from Sage at all (the web server's own) are told apart by status.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.errors import (
    AddressRefused,
    AuthRefused,
    Busy,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
)
from integrations.sage300.values import WireError, loads

DEFAULT_PATIENCE_SECONDS = 30.0


class RightMissing(AuthRefused):
    """The user is known but may not do this; it need not stop what needs no such right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What there is to judge: an answer and what was asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_write: bool
    what: str
    company: str
    user: str
    request_id: str = ""
    is_password_upper: bool = True


@dataclass(frozen=True, slots=True)
class _Meaning:
    """`kind` of a read; `write_kind` of a write, where it differs."""

    kind: type[IntegrationError]
    sentence: str
    write_kind: type[IntegrationError] | None = None


_CASE = (
    "Sage takes passwords in capitals unless complex passwords are switched on: the switch "
    '"password case" there decides, and is now set to send it {case}.'
)
_LATER = "It will be tried again by itself."
_OURS = "This needs a correction of the connector; the details are in the log."

# The codes of the developer reference, and FieldInvalid, which is captured and not documented.
CODES: dict[str, _Meaning] = {
    "Unauthorized": _Meaning(
        AuthRefused,
        "Sage 300 does not accept the user name and password of {user} for company {company}. "
        f"Check both under Connections. {_CASE} "
        "The connection is paused, so that the user does not get locked.",
    ),
    "Forbidden": _Meaning(
        RightMissing,
        "The Sage 300 user {user} may not {what}. In Sage, a security group of {user} needs the "
        'right "Sage 300 Web API" for this module and the ordinary right beside it.',
    ),
    "TooManyRequests": _Meaning(
        RateLimited, f"Sage 300 has too much to do at the moment. {_LATER}"
    ),
    "InvalidParameters": _Meaning(
        UnexpectedAnswer, f"Sage 300 did not understand the question to {{what}}. {_OURS}"
    ),
    "InvalidEntityKey": _Meaning(
        UnexpectedAnswer, f"Sage 300 did not understand the key used to {{what}}. {_OURS}"
    ),
    "InvalidAction": _Meaning(
        UnexpectedAnswer, "This Sage 300 cannot {what}; its release may not offer it."
    ),
    "MethodNotAllowed": _Meaning(
        UnexpectedAnswer, "This Sage 300 cannot {what}; its release may not offer it."
    ),
    "InvalidPayload": _Meaning(Rejected, 'Sage 300 could not {what}: "{text}"'),
    "RecordNotFound": _Meaning(NotFound, "Sage 300 has no such record ({what})."),
    "ResourceNotFound": _Meaning(
        NotFound,
        "Sage 300 cannot {what}: the company database {company} has no such part. Check the "
        "company database under Connections, and that its modules are activated.",
    ),
    "RecordDuplicate": _Meaning(Rejected, 'Sage 300 has this record already: "{text}"'),
    "RecordInvalid": _Meaning(Rejected, 'Sage 300 could not {what}: "{text}"'),
    "FieldInvalid": _Meaning(Rejected, 'Sage 300 could not {what}: "{text}"'),
    "General": _Meaning(
        Busy,
        'Sage 300 could not {what} now: "{text}" Somebody may have it open on a screen. '
        f"{_LATER}",
    ),
    "DBLinkError": _Meaning(
        ServerFault,
        "Sage 300 cannot open this module of company {company}. Ask who looks after Sage 300 "
        "whether the module is activated and its database is up.",
        OutcomeUnknown,
    ),
    "SessionError": _Meaning(
        ServerFault,
        "Sage 300 could not open a session for company {company}: it may not know the company, or "
        "have no licence free. Check the company database under Connections.",
        OutcomeUnknown,
    ),
    "InternalServerError": _Meaning(
        ServerFault, f"Sage 300 failed inside while asked to {{what}}. {_LATER}", OutcomeUnknown
    ),
}

# Only where the code is General: texts that say waiting does not help (English texts of Sage).
_NOT_BUSY = re.compile(
    r"\b(posted|deleted|status|ready to post|not open|cannot be (edited|changed)|incomplete)\b",
    re.IGNORECASE,
)

# What the web server in front of Sage says by itself, in HTML or in nothing.
PAGES: dict[int, _Meaning] = {
    401: _Meaning(
        AuthRefused,
        "The web server turns {user} away before Sage 300 is asked. Check user name and password "
        f"under Connections. {_CASE}",
    ),
    403: _Meaning(
        AuthRefused,
        "The web server before Sage 300 forbids this address to us. Ask who looks after it to "
        "allow it for this machine.",
    ),
    404: _Meaning(
        AddressRefused,
        "There is no Sage 300 Web API at this address. It usually ends in /Sage300WebApi; check "
        "it under Connections, and that the Web API is installed on that server.",
    ),
    405: _Meaning(UnexpectedAnswer, "The web server before Sage 300 does not allow to {what}."),
    411: _Meaning(UnexpectedAnswer, f"The web server refused the form of the request. {_OURS}"),
    413: _Meaning(
        Rejected,
        "The web server before Sage 300 takes no request of this size. Send fewer bills in a "
        "batch (company policy), or have its limit raised.",
    ),
    414: _Meaning(UnexpectedAnswer, f"The web server refused the length of the address. {_OURS}"),
    429: _Meaning(RateLimited, f"Sage 300 has too much to do at the moment. {_LATER}"),
}
_WINDOWS_SIGN_IN = _Meaning(
    AuthRefused,
    "The web server asks for a Windows sign-in before Sage 300 is reached. Ask who looks after it "
    "to switch Windows authentication off and anonymous authentication on for Sage300WebApi; "
    "Sage checks the password itself.",
)
_ADMIN = _Meaning(
    AuthRefused,
    "Sage 300 turns away the user ADMIN, as its Web API does unless it is told otherwise. Make a "
    "Sage 300 user for this connector, with the rights it needs, and enter it under Connections.",
)
_DOWN = _Meaning(
    ServerFault,
    "The web server answers, but Sage 300 behind it does not (HTTP {status}). Its application "
    f"pool may be stopped or starting. {_LATER}",
    OutcomeUnknown,
)
_NOT_SAGE = _Meaning(
    UnexpectedAnswer,
    "A web page came where Sage 300 should have answered: a sign-in page, or another program at "
    "this address. Check the address under Connections.",
    OutcomeUnknown,
)
_EMPTY = _Meaning(
    UnexpectedAnswer,
    "Sage 300 answered without saying anything when asked to {what}.",
    OutcomeUnknown,
)
_STRANGE = _Meaning(
    UnexpectedAnswer,
    f"Sage 300 answered something this connector does not know when asked to {{what}}. {_OURS}",
    OutcomeUnknown,
)


def refusal(reply: Reply) -> IntegrationError:
    """The error for an answer that is no success."""
    code, words = _envelope(reply.body)
    meaning = _meaning(reply, code, words)
    return _error(meaning, reply, code, words)


def unreadable(reply: Reply, reason: str) -> IntegrationError:
    """The error for an answer that claims success and is not what was due."""
    if not reply.body.strip():
        meaning = _EMPTY
    elif _is_page(reply):
        meaning = _NOT_SAGE
    else:
        meaning = _STRANGE
    return _error(meaning, reply, "", reason)


def refused_document(message: str, document_numbers: Collection[str]) -> str | None:
    """Which one of these document numbers a refusal names; None for none or several.

    A number counts only when it stands alone: 10 is not named by 2010 or 10-A.
    """
    upper = message.upper()
    named = {
        number
        for number in document_numbers
        if number
        and re.search(rf"(?<![0-9A-Z/_-]){re.escape(number.upper())}(?![0-9A-Z/_-])", upper)
    }
    inner = {
        short
        for short in named
        for long in named
        if short != long and short.upper() in long.upper()
    }
    left = named - inner if len(named) > 1 else named
    return left.pop() if len(left) == 1 else None


def is_period_closed(message: str) -> bool:
    """Whether Sage's text says that the posting date's fiscal period takes nothing.

    Which periods are locked for A/P cannot be asked beforehand (Sage 300 reference, section 8), and
    the text is the only sign of it; in another language the refusal is shown as Sage worded it.
    """
    return bool(
        re.search(
            r"fiscal period.{0,40}(locked|closed|not open)", message, re.IGNORECASE | re.DOTALL
        )
        or re.search(r"cannot determine the fiscal period", message, re.IGNORECASE)
    )


def is_number_taken(message: str) -> bool:
    """Whether Sage's text says that a vendor's document number is already in use.

    Captured only in English; in another language the refusal is shown as Sage worded it.
    """
    return bool(
        re.search(
            r"document number.{0,120}already (exists|used|been used)",
            message,
            re.IGNORECASE | re.DOTALL,
        )
    )


def _envelope(body: bytes) -> tuple[str, str]:
    """Sage's code and text, both "" where there is no such envelope."""
    try:
        data: Any = loads(body)
        error = data["error"] if "error" in data else data["odata.error"]
        message = error.get("message", "")
        words = message.get("value", "") if isinstance(message, dict) else message
        return str(error["code"]), " ".join(str(words).split())
    except (WireError, KeyError, TypeError, AttributeError):
        return "", ""


def _meaning(reply: Reply, code: str, words: str) -> _Meaning:
    if code in {"Unauthorized", "Forbidden"} and reply.user == "ADMIN":
        return _ADMIN
    if code == "General" and _NOT_BUSY.search(words):
        return CODES["RecordInvalid"]
    if code in CODES:
        return CODES[code]
    if code:
        return _DOWN if reply.status >= 500 else _STRANGE
    if reply.status == 401 and _wants_windows(reply.headers):
        return _WINDOWS_SIGN_IN
    if reply.status in PAGES:
        return PAGES[reply.status]
    if reply.status >= 500:
        return _DOWN
    return _NOT_SAGE if _is_page(reply) else _STRANGE


def _wants_windows(headers: Mapping[str, str]) -> bool:
    challenge = headers.get("www-authenticate", "").lower()
    return "negotiate" in challenge or "ntlm" in challenge


def _is_page(reply: Reply) -> bool:
    kind = reply.headers.get("content-type", "").lower()
    return "html" in kind or reply.body.lstrip()[:1] == b"<"


def _error(meaning: _Meaning, reply: Reply, code: str, words: str) -> IntegrationError:
    kind = (meaning.write_kind or meaning.kind) if reply.is_write else meaning.kind
    sentence = meaning.sentence.format(
        user=reply.user,
        company=reply.company,
        what=reply.what,
        text=words[:300],
        status=reply.status,
        case="in capitals" if reply.is_password_upper else "as typed",
    )
    log_text = f"{reply.what}: HTTP {reply.status} {code} {words[:200]}".strip()
    common = {
        "sentence": sentence,
        "request_id": reply.request_id,
        "http_status": reply.status,
        "vendor_code": code,
        "vendor_message": words,
    }
    if kind is RateLimited:
        asked = reply.headers.get("retry-after", "").strip()
        seconds = float(asked) if asked.isdigit() else DEFAULT_PATIENCE_SECONDS
        return RateLimited(log_text, retry_after_seconds=seconds, **common)
    return kind(log_text, **common)  # type: ignore[arg-type]
