"""Setting a company up, step by step, and making a new company from this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sync.domain.words import count_of
from sync.queries.set_up import SetUp, Window, set_up_of
from sync.services import setup as setting_up
from sync.services.trying import NAMES
from sync.views import it_letter, practice
from sync.views.frame import show
from tenants import audit
from tenants.access import CompanyRequest, company_view
from tenants.forms import NewCompanyForm
from tenants.models import Role

OWNERS = frozenset({Role.OWNER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the way: what is so, how long it takes, and where it is done."""

    key: str
    title: str
    words: str
    is_done: bool
    aside: str = ""
    link: str = ""
    link_words: str = ""
    side: str = ""


@require_safe
@company_view()
def setup(request: CompanyRequest) -> HttpResponseBase:
    """Show how far the company has come and the one thing to do next."""
    found = set_up_of(tenant_id=request.tenant.pk, company_id=request.company.pk)
    steps = _steps(request, found)
    now_at = next((step.key for step in steps if not step.is_done), "")
    context: dict[str, Any] = {
        "set_up": found,
        "steps": steps,
        "now_at": now_at,
        "done": sum(step.is_done for step in steps),
        "letter": it_letter.letter_for(request, found),
        "points": it_letter.points(found.sage),
        "practice": practice.offered() and not found.bill.row and not found.sage.row,
        "is_owner": request.membership.role == Role.OWNER,
    }
    return show(request, "sync/setup.html", context, now=timezone.now())


@require_http_methods(["GET", "HEAD", "POST"])
@company_view(roles=OWNERS, write_roles=OWNERS)
def copy_company(request: CompanyRequest) -> HttpResponseBase:
    """Make a company with this one's policy and mappings, to be connected on its own."""
    source = request.company
    initial = {"time_zone": source.time_zone, "currency": source.currency}
    form = NewCompanyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        now: datetime = timezone.now()
        company = setting_up.copy_company(
            source, **form.cleaned_data, actor=audit.actor_of(request), now=now
        )
        return redirect(f"{company.get_absolute_url()}setup/")
    found = set_up_of(tenant_id=request.tenant.pk, company_id=source.pk)
    answer: TemplateResponse = show(
        request,
        "sync/setup_copy.html",
        {"form": form, "set_up": found},
        now=timezone.now(),
        status=422 if form.errors else 200,
    )
    return answer


def _steps(request: CompanyRequest, found: SetUp) -> list[Step]:
    company = request.company
    return [
        Step(
            key="company",
            title="Company",
            words=f"{company.name}, {company.currency}, {company.zone_words}.",
            is_done=True,
        ),
        _window_step(found.bill, "about 5 minutes"),
        _window_step(found.sage, "about 15 minutes"),
        _policy_step(found),
        _lists_step(found),
        _first_batch_step(found),
    ]


def _window_step(window: Window, aside: str) -> Step:
    name = NAMES[window.side]
    count = len(window.steps)
    if window.is_proved:
        words = f"All {count} checks pass."
        if window.warnings:
            words = f"The needed checks of {count} pass; {window.warnings} to know."
    elif window.works and not (window.failed and window.is_of_stored):
        words = "In use. It was not tested from here yet."
    elif window.failed is not None:
        words = (
            f"Stops at check {window.failed_at} of {count}, {window.failed.name}: "
            f"{window.failed.what_to_do}"
        )
    elif window.row is not None:
        words = window.row.paused_reason
    else:
        words = (
            "With a sync token, which cannot pay anyone. The test says what it may do."
            if window.side == "bill"
            else "Address, user and company. A ladder of checks names what is in the way."
        )
    return Step(
        key=window.side.value,
        title=f"Connect {name}",
        words=words,
        is_done=window.works,
        aside="" if window.works else aside,
        side=window.side.value,
    )


def _policy_step(found: SetUp) -> Step:
    if found.policy is None:
        return Step(
            key="policy",
            title="Policy",
            words="Careful is filled in: a person says yes to every bill, batches stay Open.",
            is_done=False,
            aside="5 minutes",
            link="policy",
            link_words="Read it and save it",
        )
    return Step(
        key="policy",
        title="Policy",
        words=f"Version {found.policy.version} is saved.",
        is_done=True,
        link="policy",
        link_words="look",
    )


def _lists_step(found: SetUp) -> Step:
    waits = [
        count_of(found.undecided, "vendor") + " to decide" if found.undecided else "",
        count_of(found.unmapped, "bill") + " waiting for an account" if found.unmapped else "",
    ]
    open_points = ", ".join(filter(None, waits))
    is_read = found.has_started and bool(found.bills or found.linked or found.undecided)
    if not is_read:
        words = (
            "Accept what is certain, decide the rest. Both lists are read once all is connected."
        )
    elif open_points:
        words = f"{open_points}; {count_of(found.linked, 'vendor')} linked."
    else:
        words = f"{count_of(found.linked, 'vendor')} linked, every account found."
    return Step(
        key="lists",
        title="Vendors and accounts",
        words=words,
        is_done=is_read and not open_points,
        aside="about 20 minutes",
        link=("vendors" if found.undecided else "mapping") if is_read and open_points else "",
        link_words="Decide the vendors" if found.undecided else "Map the accounts",
    )


def _first_batch_step(found: SetUp) -> Step:
    if found.in_sage:
        words = f"{count_of(found.in_sage, 'bill')} in Sage, read back."
    elif found.to_review:
        words = f"{count_of(found.to_review, 'bill')} in Review wait for a yes. Begin with one."
    else:
        words = (
            "One to five bills. You see the debits and credits, they go in, they are read back,"
            " you look in Sage."
        )
    return Step(
        key="first",
        title="First batch",
        words=words,
        is_done=bool(found.in_sage),
        aside="10 minutes",
        link="review" if found.to_review else "postings" if found.in_sage else "",
        link_words="Open Review" if not found.in_sage else "look",
    )
