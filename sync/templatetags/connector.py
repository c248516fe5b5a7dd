"""How figures, times and states look on a page; the words themselves come from the domain."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sync.domain import words
from sync.domain.moments import Moments, seconds_in_words
from sync.models import Posting
from sync.queries.causes import Cause
from sync.queries.companies import CompanyShown, companies_shown
from sync.queries.postings import WORDS, Standing, standing_of
from sync.queries.vendors import Waiting

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str = "USD") -> str:
    """`1,205.90`; an unknown amount is a word."""
    return "not known" if amount is None else words.money(amount, currency or "USD")


@register.simple_tag(takes_context=True)
def amount(context: template.Context, value: Decimal | None, currency: str = "") -> str:
    """An amount of a column in the company's currency; in any other one its code stands beside it."""
    own = currency or context["currency"]
    text = money(value, own)
    return text if value is None or own == context["currency"] else f"{text} {own}"


@register.simple_tag(takes_context=True)
def at_stake(context: template.Context, cause: Cause | Waiting) -> str:
    """What is behind a cause or waits for a vendor: `5,940.00`, `1,862.35 CAD`, or both, never added up."""
    home = context["currency"]
    parts = [
        f"{words.money(value, code)} {code}".strip()
        for code, value in sorted(cause.elsewhere.items())
    ]
    return " + ".join(
        [words.money(cause.amount, home), *parts] if cause.amount or not parts else parts
    )


@register.filter
def negated(amount: Decimal) -> Decimal:
    """What a line takes from a sum."""
    return -amount


@register.filter
def took(seconds: float | None) -> str:
    """`4.4 s`; "" while it lasts."""
    return "" if seconds is None else seconds_in_words(seconds)


@register.filter
def hours(value: float) -> str:
    """`4 minutes`, `2.7 hours`, `3 days`."""
    if value < 1:
        return words.count_of(max(1, round(value * 60)), "minute")
    if value < 48:
        return f"{value:.1f} hours"
    return words.count_of(round(value / 24), "day")


@register.filter
def brief(seconds: float) -> str:
    """`94 ms`, `1.2 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else seconds_in_words(seconds)


@register.filter
def initial(text: str) -> str:
    """The sentence with a capital at its beginning."""
    return text[:1].upper() + text[1:]


@register.filter
def within(text: str) -> str:
    """The words as they stand within a sentence."""
    return text[:1].lower() + text[1:]


@register.simple_tag(takes_context=True)
def moment(context: template.Context, value: datetime | None, style: str = "short") -> str:
    """A time in the page's zone, with the whole instant for machines."""
    if value is None:
        return "never"
    moments: Moments = context["moments"]
    match style:
        case "clock":
            text = moments.clock(value)
        case "seconds":
            text = moments.clock(value, has_seconds=True)
        case "long":
            text = moments.short(value, has_seconds=True)
        case "full":
            text = moments.full(value)
        case _:
            text = moments.short(value)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.simple_tag(takes_context=True)
def civil(context: template.Context, value: date | None, style: str = "short") -> str:
    """A date without a zone: `Nov 24`, or with its year."""
    if value is None:
        return ""
    moments: Moments = context["moments"]
    return moments.civil_full(value) if style == "full" else moments.civil(value)


@register.simple_tag
def chip(standing: Standing) -> SafeString:
    """A state as glyph and word."""
    return format_html(
        '<span class="state state--{0}"><svg class="glyph" aria-hidden="true">'
        '<use href="#s-{0}"/></svg>{1}</span>',
        standing.value,
        WORDS[standing],
    )


@register.simple_tag
def standing_chip(posting: Posting) -> SafeString:
    """A posting's state as glyph and word."""
    return chip(standing_of(posting.state, posting.sage_status))


@register.simple_tag
def glyph(name: str, extra: str = "") -> SafeString:
    """One glyph of the sprite; readers never hear it."""
    return format_html(
        '<svg class="glyph{}" aria-hidden="true"><use href="#{}"/></svg>',
        f" {extra}" if extra else "",
        name,
    )


@register.simple_tag(takes_context=True)
def link(context: template.Context, name: str, **parts: Any) -> str:
    """The address of a page of this company."""
    request = context["request"]
    slugs = {"tenant_slug": request.tenant.slug, "company_slug": request.company.slug}
    return reverse(f"sync:{name}", kwargs={**slugs, **parts})


@register.simple_tag(takes_context=True)
def follows(context: template.Context) -> SafeString:
    """What a part of a page carries so that it is read again when its company's pulse changes.

    Nothing for the answer to a form, whose address cannot be asked again.
    """
    request = context["request"]
    if request.method != "GET":
        return SafeString("")
    return format_html(
        ' data-follow hx-get="{}" hx-trigger="company-changed from:body" hx-select="#follow"'
        ' hx-swap="outerHTML"',
        request.get_full_path(),
    )


@register.simple_tag(takes_context=True)
def company_rows(context: template.Context) -> list[CompanyShown]:
    """The firm's companies at a glance, for its own page."""
    request = context["request"]
    return companies_shown(request.tenant.pk, request.companies)


@register.filter
def standing(value: str) -> Standing:
    """The standing of this name, for a template that has only the word."""
    return Standing(value)
