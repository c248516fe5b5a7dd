"""How a person is asked into a tenant by mail, and how they come in.

The link holds a secret of which only a hash is kept, works once and for a few days. Whoever has it
has shown that the mailbox is theirs, so an account made through it has its e-mail confirmed. A
person who has an account must be signed in as that person.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from tenants import audit
from tenants.audit import Actor
from tenants.enrolment import create_tenant, enrol, free_slug
from tenants.models import Invitation, Membership, Role, Tenant, User
from tenants.scoping import tenant_scope

GOOD_FOR = timedelta(days=7)
MOST_OPEN = 50


class NotInvited(Exception):
    """Nobody was asked; the text says why."""


def open_invitations(tenant: Tenant) -> list[Invitation]:
    """Those nobody has accepted yet, newest first; run-out ones too."""
    rows = Invitation.objects.filter(tenant=tenant, accepted_at=None)
    return list(rows.select_related("invited_by").order_by("-created_at"))


def invite(
    *,
    tenant: Tenant,
    email: str,
    role: str,
    by: User,
    actor: Actor,
    now: datetime,
    time_zone: str = "",
) -> tuple[Invitation, str]:
    """Make an invitation; the secret in the second place can never be read again.

    An open one to the same e-mail is replaced. `time_zone` is for a new account made through it.
    Needs the open scope; raises NotInvited.
    """
    if Membership.objects.filter(tenant=tenant, user__email=email).exists():
        raise NotInvited(f"{email} belongs to {tenant} already. Change the role in the list.")
    others = Invitation.objects.filter(tenant=tenant, accepted_at=None)
    others.filter(email=email).delete()
    if others.count() >= MOST_OPEN:
        raise NotInvited(
            f"{MOST_OPEN} invitations are open, which is the most. Take one back first."
        )
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        tenant=tenant,
        email=email,
        role=role,
        time_zone=time_zone,
        secret_hash=_hash_of(secret),
        invited_by=by,
        created_at=now,
        expires_at=now + GOOD_FOR,
    )
    audit.record(
        tenant=tenant, actor=actor, action="invitation.sent", subject=email,
        subject_id=invitation.pk, details={"role": role}, now=now,
    )  # fmt: skip
    return invitation, secret


@transaction.atomic
def found_and_invite(
    *, name: str, slug: str, email: str, time_zone: str, by: User, actor: Actor, now: datetime
) -> tuple[Invitation, str]:
    """Make a tenant and ask its first owner in, who is in `time_zone`.

    "" as `slug` makes one of the name. The secret in the second place can never be read again.
    Raises ValidationError, and NotInvited where a tenant has this short name already.
    """
    slug = slug or free_slug(name)
    if Tenant.objects.filter(slug=slug).exists():
        raise NotInvited(f"There is a tenant with the short name {slug} already.")
    tenant = create_tenant(name=name, slug=slug, now=now)
    with tenant_scope(tenant.pk):
        audit.record(tenant=tenant, actor=actor, action="tenant.created", subject=name, now=now)
        return invite(
            tenant=tenant, email=email, role=Role.OWNER, by=by, actor=actor, now=now,
            time_zone=time_zone,
        )  # fmt: skip


def mail_invitation(invitation: Invitation, link: str) -> str:
    """Send the link; return "", or the sentence that says why no mail went out."""
    if not settings.MAIL_IS_SET_UP:
        return "This installation cannot send mail, so no invitation was mailed."
    context = {"invitation": invitation, "link": link}
    message = EmailMessage(
        subject=f"{invitation.invited_by} asks you into {invitation.tenant} on ml-connector",
        body=render_to_string("tenants/mail/invitation.txt", context),
        to=[invitation.email],
    )
    try:
        message.send()
    except (OSError, SMTPException):
        return "The mail could not be handed to the mail server, so no invitation was mailed."
    return ""


def find_invitation(secret: str, *, now: datetime) -> Invitation | None:
    """The invitation this secret opens, None when it is not good any more."""
    return (
        Invitation.objects.select_related("tenant", "invited_by")
        .filter(secret_hash=_hash_of(secret), accepted_at=None, expires_at__gt=now)
        .first()
    )


@transaction.atomic
def join(
    invitation: Invitation, *, name: str, password: str | None, address: str | None, now: datetime
) -> User | None:
    """Make the invited person a member, with an account where they have none.

    None when the link was used meanwhile. A member's role stays as it is.
    """
    rows = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, expires_at__gt=now)
    if not rows.update(accepted_at=now):
        return None
    tenant, email = invitation.tenant, invitation.email
    member = Membership.objects.filter(tenant=tenant, user__email=email).first()
    role = Role(member.role if member else invitation.role)
    is_new = not User.objects.filter(email=email).exists()
    user = enrol(tenant=tenant, email=email, role=role, name=name, password=password, now=now)
    if is_new and invitation.time_zone:
        user.time_zone = invitation.time_zone
        user.save(update_fields=["time_zone"])
    with tenant_scope(tenant.pk):
        audit.record(
            tenant=tenant,
            actor=Actor(name=user.get_full_name(), id=user.pk, address=address),
            action="invitation.accepted", subject=email, subject_id=invitation.pk,
            details={"role": role.value}, now=now,
        )  # fmt: skip
    return user


def take_back(invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    """Make the link worthless; needs the open scope."""
    audit.record(
        tenant=invitation.tenant_id, actor=actor, action="invitation.taken_back",
        subject=invitation.email, subject_id=invitation.pk, now=now,
    )  # fmt: skip
    invitation.delete()


def _hash_of(secret: str) -> str:
    """What is stored; 32 random bytes need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
