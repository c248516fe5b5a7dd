"""Structured log lines, with secrets taken out before they are written.

One line of JSON per event: the constant message, then the fields given as ``extra``. A filter
walks every field, the arguments and the traceback, so that a password or a session that slips
into a message does not reach the disk. Log with a constant dotted name and values as fields:
``log.info("posting.settled", extra={"posting_id": ...})``.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

REDACTED = "[redacted]"

_SECRET_NAMES = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "sessionid",
    "devkey",
    "password",
    "passwd",
    "securitykey",
    "secret",
    "secret_key",
    "token",
    "api_token",
    "credential_keys",
)
# A name, its quotes and separator, then the value: JSON, a header line, a form or a repr.
_IN_TEXT = re.compile(
    r"(?P<name>authorization|set-cookie|cookie|session_?id|dev_?key|pass(?:word|wd)"
    r"|security_?key|secret(?:_key)?|api_token)"
    r"(?P<gap>\\?[\"']?\s*[:=]\s*)"
    r"(?P<value>\\?\"[^\"]*\"|\\?'[^']*'|(?:Basic|Bearer|Token)\s+\S+|[^\s,;&})\]]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^/\s:@]+:)[^/\s@]+@", re.IGNORECASE)

_PLAIN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact_text(text: str) -> str:
    """Return the text with the values of secret fields replaced."""
    text = _IN_TEXT.sub(lambda found: f"{found['name']}{found['gap']}{REDACTED}", text)
    text = _SCHEME.sub(rf"\1 {REDACTED}", text)
    return _URL_PASSWORD.sub(rf"\g<head>{REDACTED}@", text)


def redact(value: Any, *, name: str = "") -> Any:
    """Return a value that is safe to write: secrets by name or by look are replaced."""
    if name.lower().replace("_", "") in {word.replace("_", "") for word in _SECRET_NAMES}:
        return REDACTED
    if isinstance(value, dict):
        return {str(key): redact(inner, name=str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [redact(inner) for inner in value]
    if isinstance(value, bool | int | float | None):
        return value
    return redact_text(str(value))


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact_text(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _PLAIN_FIELDS and name != "request":
                line[name] = redact(value, name=name)
        if record.exc_info:
            line["traceback"] = redact_text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def logging_settings(*, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything to standard error, one JSON line each."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "connector_site.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # Chatty with bodies and headers; our transport writes its own lines.
            "urllib3": {"level": "WARNING"},
        },
    }
