"""The mapping page: the table, the rules, one panel to change either, and the spreadsheet's door."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from integrations.bill.types import ListItem
from integrations.errors import IntegrationError
from sync.domain.mapping_csv import LARGEST_BYTES
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.domain.words import count_of
from sync.models import MappingRule
from sync.queries.bill_desks import rule_of
from sync.queries.mapping import (
    MappingPage,
    RuleShown,
    choices_of,
    history,
    mapping_page,
    options_for,
    target_of,
    trouble_of,
)
from sync.services import looking_up, mapping_acts, mapping_files
from sync.services.clients import NotReady
from sync.services.mapping_acts import WORDS, Draft, Refused
from sync.views.bench import tell, wake
from sync.views.frame import go, show
from tenants import audit
from tenants.access import CompanyRequest, company_view

VIEWS = {"table": "Table", "rules": "Rules", "look": "Needs a look"}
CONDITION_ORDER = tuple(reversed(MOST_TELLING_FIRST))
PAGE = 60


@require_safe
@company_view()
def mapping(request: CompanyRequest) -> TemplateResponse:
    """Show the table or the rules; `open`, `rule` or `new` opens the panel."""
    return _page(request, request.GET)


def _page(
    request: CompanyRequest,
    asked: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> TemplateResponse:
    now = timezone.now()
    page = mapping_page(tenant_id=request.tenant.pk, company_id=request.company.pk, now=now)
    view = asked.get("view", "") if asked.get("view", "") in VIEWS else "table"
    rows = page.looks if view == "look" else page.accounts
    after = asked.get("after", "").casefold()
    left = [row for row in rows if row.item.name.casefold() > after] if after else list(rows)
    context = {
        "page": page,
        "view": view,
        "views": [
            {"key": key, "label": label, "count": count}
            for (key, label), count in zip(
                VIEWS.items(),
                (len(page.accounts), len(page.rules), len(page.looks) + len(page.bad_rules)),
                strict=True,
            )
        ],
        "rows": left[:PAGE],
        "older": left[PAGE - 1].item.name if len(left) > PAGE else "",
        "table_rules": sum(1 for rule in page.grounds.rules if rule.is_table_row),
        "panel": _panel(request, page, asked, errors or {}),
        "dimensions": [(name, WORDS[name]) for name in CONDITION_ORDER],
    }
    return show(request, "sync/mapping.html", context, now=now, status=status)


def _panel(
    request: CompanyRequest, page: MappingPage, asked: Mapping[str, str], errors: Mapping[str, str]
) -> dict[str, Any] | None:
    """What the panel shows: the rule as stored or as asked for, its targets, and what it touches."""
    account = page.grounds.items.get(asked.get("open", ""))
    shown = _rule_asked_for(page, asked, account)
    if shown is None and account is None and "new" not in asked:
        return None
    stored = shown.row if shown else None
    conditions = _conditions(asked, stored, account)
    options = options_for(page.grounds, page.grounds.items.get(conditions["account_id"]))
    chosen = asked.get("to", "") or (stored.gl_account if stored else "")
    is_suggested = not chosen and bool(options.suggested)
    if is_suggested:
        chosen = options.suggested[0].account.formatted
    draft = Draft(gl_account=chosen, name=asked.get("name", ""), conditions=conditions)
    rule = draft.rule("new")
    trouble = trouble_of(chosen, page.grounds) if chosen else ""
    effect = None
    if chosen and not trouble and rule.named:
        _, effect = mapping_acts.preview(
            request.company, draft, rule_id=str(stored.pk) if stored else "", now=timezone.now()
        )
    waiting = len(effect.waiting) if effect else 0
    return {
        "is_account": account is not None,
        "title": page.grounds.words_of(rule) or "A new rule",
        "account": account,
        "stored": shown,
        "stamp": mapping_acts.stamp_of(stored) if stored else "",
        "is_changed": shown is None or target_of(chosen, page.grounds.accounts) != shown.target,
        "chosen": chosen,
        "target": target_of(chosen, page.grounds.accounts) if chosen else None,
        "is_suggested": is_suggested,
        "evidence": options.suggested[0].evidence if is_suggested else "",
        "trouble": errors.get("gl_account") or trouble,
        "name": asked.get("name", "") or (stored.name if stored else ""),
        "options": options,
        "conditions": _condition_fields(page, conditions, errors),
        "errors": errors,
        "effect": effect,
        "widest": max((p.lines for p in effect.sent.values()), default=1) if effect else 1,
        "button": f"Save, change {count_of(waiting, 'waiting bill')}" if waiting else "Save",
        "view": asked.get("view", ""),
    }


def _rule_asked_for(
    page: MappingPage, asked: Mapping[str, str], account: ListItem | None
) -> RuleShown | None:
    """The rule itself, or else the table's own rule for the account that is opened."""
    by_id = next((r for r in page.rules if str(r.row.pk) == asked.get("rule")), None)
    if by_id is not None or account is None:
        return by_id
    of_account = (r for r in page.rules if r.row.account_id == account.id)
    return next((r for r in of_account if rule_of(r.row).is_table_row), None)


def _conditions(
    asked: Mapping[str, str], stored: MappingRule | None, account: ListItem | None
) -> dict[str, str]:
    """As asked for; where nothing is, as stored; where nothing is, the account that is opened."""
    conditions = {name: asked.get(name, "") for name in MOST_TELLING_FIRST}
    if stored is not None and not any(conditions.values()):
        conditions = {name: getattr(stored, name) for name in MOST_TELLING_FIRST}
    if account is not None and not any(conditions.values()):
        conditions["account_id"] = account.id
    return conditions


def _condition_fields(
    page: MappingPage, conditions: Mapping[str, str], errors: Mapping[str, str]
) -> list[dict[str, Any]]:
    choices = choices_of(page.grounds)
    return [
        {
            "name": name,
            "label": WORDS[name],
            "value": conditions[name],
            "choices": choices[name],
            "error": errors.get(name, ""),
        }
        for name in CONDITION_ORDER
    ]


@require_POST
@company_view()
def mapping_save(request: CompanyRequest) -> HttpResponseBase:
    """Make or change one rule; what is wrong with it is said in the panel, and nothing is lost."""
    if request.POST.get("deed") == "look":
        return _page(request, request.POST)
    conditions = {name: request.POST.get(name, "")[:60] for name in MOST_TELLING_FIRST}
    outcome = mapping_acts.save(
        request.company,
        Draft(
            gl_account=request.POST.get("to", "").strip()[:45],
            name=request.POST.get("name", "").strip(),
            conditions=conditions,
        ),
        rule_id=_uuid(request.POST.get("rule", "")),
        seen=request.POST.get("seen", ""),
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    if isinstance(outcome, Refused):
        asked = {key: request.POST.get(key, "") for key in request.POST}
        return _page(request, {**asked, "new": "1"}, errors=outcome.errors, status=422)
    tell(request, outcome)
    if request.POST.get("next") == "attention":
        return go(request, "attention")
    return go(request, "mapping")


@require_POST
@company_view()
def mapping_remove(request: CompanyRequest) -> HttpResponseBase:
    """Remove one rule; its history stays."""
    rule_id = _uuid(request.POST.get("rule", ""))
    if rule_id is None:
        raise Http404
    outcome = mapping_acts.remove(
        request.company,
        rule_id,
        seen=request.POST.get("seen", ""),
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    tell(request, outcome)
    return go(request, "mapping")


@require_safe
@company_view()
def mapping_csv(request: CompanyRequest) -> HttpResponse:
    """The rules as a spreadsheet, in the columns the page reads again."""
    answer = HttpResponse(
        mapping_files.write_out(request.company).encode("utf-8-sig"), content_type="text/csv"
    )
    answer["Content-Disposition"] = f'attachment; filename="mapping-{request.company.slug}.csv"'
    return answer


@require_POST
@company_view()
def mapping_file(request: CompanyRequest) -> HttpResponseBase:
    """Take a spreadsheet in, whole or not at all, and say what becomes of each line."""
    now = timezone.now()
    sent = request.FILES.get("file")
    report = mapping_files.take_in(
        request.company,
        sent.read(LARGEST_BYTES + 1) if sent else b"",
        is_trial=request.POST.get("deed") != "apply",
        actor=audit.actor_of(request),
        now=now,
    )
    if report.is_applied:
        wake(request)
    name = sent.name if sent else "no file"
    context = {"report": report, "file_name": name}
    return show(request, "sync/mapping_file.html", context, now=now)


@require_safe
@company_view()
def mapping_history(request: CompanyRequest) -> TemplateResponse:
    """Who made, changed and removed which rule, newest first."""
    changes, older = history(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        before=request.GET.get("before", ""),
    )
    context = {"changes": changes, "older": older}
    return show(request, "sync/mapping_history.html", context, now=timezone.now())


#: Sage's list that is read again → the page the button stands on.
LISTS = {"accounts": "mapping", "vendors": "vendors", "periods": "attention"}


@require_POST
@company_view(unscoped=True)
def read_again(request: CompanyRequest) -> HttpResponseBase:
    """Read one of Sage's lists now, for somebody who has just mended something there.

    Opens its own scopes. A failure is said and nothing is lost.
    """
    asked = request.POST.get("list", "")
    name = asked if asked in LISTS else "accounts"
    page = "attention" if request.POST.get("next") == "attention" else LISTS[name]
    try:
        looking_up.read_list(request.company, name, clock=timezone.now)
    except NotReady as refusal:
        messages.warning(request, str(refusal))
    except IntegrationError as error:
        messages.warning(request, f"Nothing was read. {error.sentence}")
    else:
        wake(request)
        messages.success(request, "Read again just now; bills not yet in Sage are decided anew.")
    return go(request, page)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
