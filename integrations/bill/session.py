"""The one session with BILL that all processes share.

BILL allows few sign-ins and locks users that fail too often. So the session is stored (sealed), one
process signs in when it has ended while the others wait for the result, and a refused sign-in is
remembered for a while, so that eight workers do not try a wrong password eight times.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from integrations.bill.queries import BillAddress
from integrations.bill.sharing import BillLimits, HeldSession, Login
from integrations.bill.types import BillSession
from integrations.errors import AuthRefused, RateLimited
from integrations.models import BillSessionRow
from integrations.secrets import SecretUnreadable, seal, unseal

log = logging.getLogger(__name__)

PURPOSE = "bill.session"
POLL_SECONDS = 0.1
NO_VERSION = -1


class SharedSessions:
    """The stored session of one user and organization under one developer key.

    The row's key covers the version of the credentials: changed ones never meet an old session, nor
    the memory of an old refusal.
    """

    def __init__(
        self,
        address: BillAddress,
        limits: BillLimits | None = None,
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits or BillLimits()
        self._organization_id = address.organization_id
        self._wait = wait
        parts = (
            address.api_url,
            address.developer_key,
            address.organization_id,
            address.user_name,
            str(address.credential_version),
        )
        self._key = hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def current(self, login: Login) -> HeldSession:
        """Return the stored session, or sign in where there is none."""
        return self._obtain(login, newer_than=NO_VERSION)

    def renewed(self, lost: HeldSession, login: Login) -> HeldSession:
        """Return a session newer than the lost one, signing in unless another process did."""
        return self._obtain(login, newer_than=lost.version)

    def fresh(self, login: Login) -> HeldSession:
        """Sign in whatever is stored or remembered; for a person who asks whether it works."""
        return self._obtain(login, newer_than=None)

    def _obtain(self, login: Login, *, newer_than: int | None) -> HeldSession:
        """Return a session newer than that version (None: always a new one).

        Raises what the sign-in raises, AuthRefused where it was refused just now, and RateLimited
        where another process takes too long over its own.
        """
        deadline = time.monotonic() + self._limits.wait_seconds
        holder = uuid.uuid4().hex
        while True:
            row = self._row()
            if newer_than is not None:
                held = self._held(row)
                if held is not None and held.version > newer_than:
                    return held
                self._raise_remembered(row)
            if self._claim(row, holder):
                return self._sign_in(login, holder)
            if time.monotonic() + POLL_SECONDS > deadline:
                raise RateLimited(
                    "another process is signing in to BILL",
                    sentence="Another worker is signing in to BILL. This goes on by itself in a "
                    "moment; nobody needs to act.",
                    retry_after_seconds=self._limits.busy_pause_seconds,
                )
            self._wait(POLL_SECONDS)

    def _row(self) -> BillSessionRow:
        fresh_refusal = Q(refused_at__gt=Now() - timedelta(seconds=self._limits.refusal_seconds))
        rows = BillSessionRow.objects.annotate(
            is_refused=ExpressionWrapper(fresh_refusal, output_field=BooleanField())
        )
        row = rows.filter(key=self._key).first()
        if row is None:
            BillSessionRow.objects.bulk_create(
                [BillSessionRow(key=self._key)], ignore_conflicts=True
            )
            row = rows.get(key=self._key)
        return row

    def _held(self, row: BillSessionRow) -> HeldSession | None:
        if not row.session:
            return None
        try:
            session_id = unseal(row.session, PURPOSE)
        except SecretUnreadable:
            # Sealed under a key that is gone. A session can be made again, so it counts as none.
            log.warning("bill.session_unreadable")
            return None
        session = BillSession(
            session_id=session_id, organization_id=self._organization_id, user_id=row.user_id
        )
        return HeldSession(session=session, version=row.version)

    def _raise_remembered(self, row: BillSessionRow) -> None:
        if getattr(row, "is_refused", False):
            raise AuthRefused(
                "BILL refused a sign-in with these credentials a moment ago",
                sentence=row.refused_sentence,
                vendor_code=row.refused_code,
            )

    def _claim(self, row: BillSessionRow, holder: str) -> bool:
        """Take the right to sign in, if the row is still as read and nobody else has it."""
        lease = timedelta(seconds=self._limits.login_lease_seconds)
        claimed = (
            BillSessionRow.objects.filter(key=self._key, version=row.version)
            .filter(Q(logging_in_until=None) | Q(logging_in_until__lte=Now()))
            .filter(self._refused_as(row))
            .update(logging_in_until=Now() + lease, holder=holder)
        )
        return claimed == 1

    def _refused_as(self, row: BillSessionRow) -> Q:
        """Only if nobody was refused since the row was read; their refusal is then read first."""
        return Q(refused_at=row.refused_at)

    def _sign_in(self, login: Login, holder: str) -> HeldSession:
        mine = BillSessionRow.objects.filter(key=self._key, holder=holder)
        done = {"logging_in_until": None, "holder": ""}
        try:
            session = login()
        except AuthRefused as refusal:
            mine.update(
                **done,
                session="",
                refused_at=Now(),
                refused_code=refusal.vendor_code,
                refused_sentence=refusal.sentence,
            )
            raise
        except BaseException:
            mine.update(**done)
            raise
        stored = mine.update(
            **done,
            session=seal(session.session_id, PURPOSE),
            user_id=session.user_id,
            made_at=Now(),
            version=F("version") + 1,
            refused_at=None,
            refused_code="",
            refused_sentence="",
        )
        row = self._row()
        if not stored:
            # Our lease ran out and another process signed in meanwhile; both sessions are good.
            log.warning("bill.session_lease_lost")
        return HeldSession(session=session, version=row.version)
