"""The site of the letter-box bench: the product's own settings, with two bare views beside the box.

The bare views insert a row of the same columns through the ORM, into a table without row-level
security; they check no signature and know no tenant.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sync.webhooks import BillLetterBox


class BareEvent(models.Model):
    """The columns of a webhook event, and nothing around them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    tenant_id = models.UUIDField(default=uuid.uuid4)
    company_id = models.UUIDField(default=uuid.uuid4)
    event_id = models.CharField(max_length=100, unique=True)
    event_type = models.CharField(max_length=60)
    entity = models.CharField(max_length=40)
    entity_id = models.CharField(max_length=60)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    taken_in_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300)

    class Meta:
        app_label = "sync"
        db_table = "bench_bare_event"
        managed = False

    def __str__(self) -> str:
        return self.event_id


def keep(body: bytes) -> None:
    """One insert."""
    BareEvent.objects.create(
        event_id=uuid.uuid4().hex,
        event_type="bill.updated",
        entity="bill",
        entity_id="00n",
        body=body,
        received_at=timezone.now(),
    )


class BareDrf(APIView):
    """DRF and one insert."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()

    def post(self, request: Request) -> Response:
        keep(request.body)
        return Response({})


@csrf_exempt
def bare_django(request: HttpRequest) -> HttpResponse:
    """Django and one insert."""
    keep(request.body)
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [
    path("webhooks/bill/<uuid:address_id>/", BillLetterBox.as_view()),
    path("bare-drf/", BareDrf.as_view()),
    path("bare-django/", bare_django),
]
