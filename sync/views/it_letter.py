"""The message an owner hands to their IT, and which of its points can be seen to be done."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from integrations.models import Sage300Connection
from integrations.ping.ladder import Verdict
from integrations.ping.reach import CALL, NAME
from integrations.sage300.door import full_base_url
from sync.queries.set_up import SetUp, Window
from tenants.access import CompanyRequest

REACHED = ("Address", NAME, CALL, "Web API answers")
RIGHTS = (
    "Sign-in and vendors", "Vendor groups", "Invoice batches", "Posted documents", "G/L accounts",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One thing IT does: `state` is ok, bad or unseen."""

    words: str
    detail: str
    state: str


def letter_for(request: CompanyRequest, found: SetUp) -> str:
    """Plain text without any secret."""
    row = found.sage.row
    sage = row if isinstance(row, Sage300Connection) else None
    return render_to_string(
        "integrations/it_letter.txt",
        {
            "url": full_base_url(sage.base_url) if sage else "",
            "user": sage.user_name if sage else "",
            "database": sage.company_database if sage else "",
            "addresses": settings.OUTBOUND_ADDRESSES,
            "person": request.user.get_full_name(),
            "tenant": request.tenant.name,
        },
    ).strip()


def points(window: Window) -> list[Point]:
    """What IT does, and whether it is seen from here."""
    reached = _worst(window, REACHED)
    is_windows = bool(window.failed and "Windows" in window.failed.what_to_do)
    signed_in = window.verdict_of("Sign-in and vendors")
    past_iis = "bad" if is_windows else _state(signed_in, unseen_if_failed=True)
    rights = _worst(window, RIGHTS)
    if is_windows or signed_in is Verdict.FAILED:
        rights = "unseen"
    user = window.row.user_name if window.row else ""
    return [
        Point(
            words="HTTPS address reachable from here",
            detail="the server answers" if is_windows else _why(window, reached),
            state="ok" if is_windows else reached,
        ),
        Point(
            words="Anonymous authentication on, Windows authentication off",
            detail="IIS still asks for a sign-in" if is_windows else _seen(past_iis),
            state=past_iis,
        ),
        Point(
            words=f"Sage user{f' {user}' if user else ''}, not ADMIN, with Web API rights",
            detail=_why(window, "bad") if signed_in is Verdict.FAILED and not is_windows
            else _seen(_state(signed_in)),
            state="unseen" if is_windows else _state(signed_in),
        ),
        Point(
            words="Rights in AP, GL and Common Services",
            detail=_why(window, rights) if rights == "bad" else _seen(rights),
            state=rights,
        ),
    ]  # fmt: skip


def _worst(window: Window, names: tuple[str, ...]) -> str:
    states = [_state(window.verdict_of(name)) for name in names]
    return next((state for state in ("bad", "unseen") if state in states), "ok")


def _state(verdict: Verdict, *, unseen_if_failed: bool = False) -> str:
    if verdict is Verdict.FAILED:
        return "unseen" if unseen_if_failed else "bad"
    return "unseen" if verdict is Verdict.NOT_TRIED else "ok"


def _why(window: Window, state: str) -> str:
    if state != "bad" or window.failed is None:
        return _seen(state)
    return window.failed.what_to_do.split(". ")[0].rstrip(".")


def _seen(state: str) -> str:
    return {"ok": "seen from here", "unseen": "cannot be seen yet", "bad": "not yet"}[state]
