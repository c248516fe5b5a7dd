"""What the workbenches share: waking the company after a deed, and telling what became of it."""

from __future__ import annotations

from django.contrib import messages

from sync import jobs
from sync.services import turns
from sync.services.acts import Done, NotOpen, Overtaken
from sync.services.mapping_acts import Refused, Saved
from tenants.access import CompanyRequest


def wake(request: CompanyRequest) -> None:
    """Have what was just mended looked at now."""
    turns.ring(company_id=request.company.pk)
    jobs.ring_doorbell(tenant_id=request.tenant.pk, company_id=request.company.pk, trigger="mended")


def tell(request: CompanyRequest, outcome: Done | Saved | NotOpen | Overtaken | Refused) -> bool:
    """Say it on the next page; wake the company where something was done, and tell whether."""
    if isinstance(outcome, Done | Saved):
        wake(request)
        messages.success(request, outcome.sentence)
        return True
    messages.warning(request, outcome.sentence)
    return False
