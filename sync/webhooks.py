"""BILL's letter box: takes a signed notification in with one insert, and answers.

What a notification says is never believed; it only makes us read BILL again, soon. So the box does
little: size, signature over the raw bytes, one row, one doorbell. Unsigned, wrongly signed and
sent to a box that does not exist are answered alike, in the same time, so that a stranger learns
nothing. BILL wants 200 within ten seconds and switches a subscription off after five failures.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from integrations.bill.parse import parse_event
from integrations.bill.signatures import verify
from integrations.errors import UnexpectedAnswer
from integrations.secrets import SecretUnreadable
from sync import jobs
from sync.services import crash_points, letter_box, refusals
from sync.services.event_history import columns_of, told_columns

log = logging.getLogger(__name__)

SIGNATURE = "HTTP_X_BILL_SHA_SIGNATURE"
POISON = "Signed by BILL, but it cannot be read as an event."
_tally = refusals.Tally()


@extend_schema(exclude=True)
class BillLetterBox(APIView):
    """`POST /webhooks/bill/<uuid>/`."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()
    http_method_names = ("post",)

    def post(self, request: Request, address_id: uuid.UUID) -> HttpResponse:
        """Take one notification in."""
        raw = request._request  # DRF's own passes each attribute on at a cost
        try:
            if _declared_length(raw) > settings.CONNECTOR.webhook_body_bytes:
                return _refuse(413, b'{"detail":"Too long."}', refusals.TOO_LONG)
            try:
                body = raw.body
            except RequestDataTooBig:
                return _refuse(413, b'{"detail":"Too long."}', refusals.TOO_LONG)
            except UnreadablePostError:
                return _refuse(400, b'{"detail":"Cut off."}', refusals.CUT_OFF)
            if len(body) > settings.CONNECTOR.webhook_body_bytes:
                return _refuse(413, b'{"detail":"Too long."}', refusals.TOO_LONG)
            return _take(address_id, body, raw.META.get(SIGNATURE, ""))
        except (Error, SecretUnreadable):
            log.exception("webhook.not_stored")
            return _answer(503, b'{"detail":"Not now. Send it again."}')

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Nobody signs in here and every answer is JSON, whatever the caller says it accepts."""

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[BaseRenderer, str]:
        """JSON, also for the refusals DRF makes by itself."""
        return JSONRenderer(), JSONRenderer.media_type


def _declared_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def _take(address_id: uuid.UUID, body: bytes, signature: str) -> HttpResponse:
    box = letter_box.find_box(address_id)
    is_signed = verify(body, signature, box.keys)
    if box.owner is None or not is_signed:
        return _refuse(401, b'{"detail":"The signature does not fit."}', refusals.SIGNATURE)
    try:
        columns, poison = told_columns(parse_event(body)), ""
    except UnexpectedAnswer:
        columns, poison = columns_of(f"poison:{hashlib.sha256(body).hexdigest()}", "poison"), POISON
    crash_points.reach("letter_read")
    stored = letter_box.store(box.owner, columns, body, poison=poison)
    crash_points.reach("letter_kept")
    if stored.is_rung:
        jobs.ring_doorbell(
            tenant_id=box.owner.tenant_id, company_id=box.owner.company_id, trigger="webhook"
        )
    return _answer(200, b"{}")


def _refuse(status: int, body: bytes, reason: str) -> HttpResponse:
    _tally.note(reason, at=time.monotonic())
    return _answer(status, body)


def _answer(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")
