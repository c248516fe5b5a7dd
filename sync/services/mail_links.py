"""The addresses in a mail: whole ones, and the one that stops a kind of mail without signing in.

That link is signed with the site's key and holds ids only. It does not run out: a mail read years
later must still be stoppable.
"""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

_SALT = "sync.mail.stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLink:
    """Whose mails of which kind about which company shall stop."""

    tenant_id: uuid.UUID
    company_id: uuid.UUID
    user_id: uuid.UUID
    kind: str


def why_no_mail() -> str:
    """Why no mail can go out, with the variables to set and who sets them; "" where it can."""
    given = {
        "EMAIL_URL": settings.MAIL_IS_SET_UP or settings.MAIL_DIRECTORY,
        "PUBLIC_URL": settings.PUBLIC_URL,
    }
    missing = [name for name, value in given.items() if not value]
    if not missing:
        return ""
    return f"The operator of this installation sets {' and '.join(missing)}."


def whole(path: str) -> str:
    """The address of a page of ours, for people who are elsewhere."""
    return f"{settings.PUBLIC_URL}{path}"


def stop_path(link: StopLink) -> str:
    """The path that stops this kind of mail."""
    ids = b"".join(each.bytes for each in (link.tenant_id, link.company_id, link.user_id))
    text = f"{urlsafe_b64encode(ids).decode()}.{link.kind}"
    return reverse("stop_mail", kwargs={"signed": _signer().sign(text)})


def read_stop_link(signed: str) -> StopLink | None:
    """What a link was signed for, None for anything we did not sign."""
    try:
        text = _signer().unsign(signed)
    except signing.BadSignature:
        return None
    packed, _, kind = text.partition(".")
    ids = urlsafe_b64decode(packed)
    tenant_id, company_id, user_id = (uuid.UUID(bytes=ids[at : at + 16]) for at in (0, 16, 32))
    return StopLink(tenant_id=tenant_id, company_id=company_id, user_id=user_id, kind=kind)


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT)
