"""How the pretended Sage 300 says no.

The envelope and the codes are Sage's (developer reference, section "Errors"); statuses beyond the
captured 404 and 409 are the likely ones.
"""

from __future__ import annotations

from integrations.standins.messages import Reply

STATUS_OF_CODE = {
    "InvalidParameters": 400,
    "InvalidEntityKey": 400,
    "InvalidPayload": 400,
    "InvalidAction": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "RecordNotFound": 404,
    "ResourceNotFound": 404,
    "MethodNotAllowed": 405,
    "General": 409,
    "FieldInvalid": 409,
    "RecordDuplicate": 409,
    "RecordInvalid": 409,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "DBLinkError": 500,
    "SessionError": 500,
}


class SageError(Exception):
    """A refusal; `code` is what clients branch on, the text is for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def field_invalid(*lines: str) -> SageError:
    """A business rule broken by one field (captured as 409 `FieldInvalid`)."""
    return SageError("FieldInvalid", "\n".join(lines))


def as_reply(error: SageError, *, language: str) -> Reply:
    """The refusal in Sage's envelope."""
    message = {"lang": language, "value": error.text}
    body = {"error": {"code": error.code, "message": message}}
    return Reply.json(
        STATUS_OF_CODE[error.code], body, content_type="application/json; odata.metadata=minimal"
    )
