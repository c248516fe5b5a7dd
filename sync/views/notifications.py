"""A person's own page of what they are told by mail, and the link that stops a kind of it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from sync import jobs
from sync.domain.moments import Moments
from sync.domain.telling import DAY_WORDS, KIND_WORDS, Kind, next_digest_at
from sync.forms import MailChoiceForm
from sync.models.mail import DIGEST, MailState
from sync.queries.mails import Reader, latest_mails, reader_of
from sync.queries.stops import page_of
from sync.services import mail_choices, notify
from sync.services.mail_links import StopLink, read_stop_link, why_no_mail
from sync.views.frame import go, show
from tenants.access import ANY_ROLE, CompanyRequest, company_view
from tenants.scoping import tenant_scope

#: state → (word, glyph, dress). A mail server's yes is no proof that it was read: nothing is green.
OUTCOMES = {
    MailState.DUE: ("On its way", "s-flight", "is-do"),
    MailState.SENT: ("Sent", "i-mail", "soft"),
    MailState.FAILED: ("Not sent", "i-bad", "differs"),
    MailState.DROPPED: ("Not needed", "s-skipped", "muted"),
    MailState.NOTHING: ("Nothing to say", "i-off", "muted"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@company_view(write_roles=ANY_ROLE)
def notifications(request: CompanyRequest) -> HttpResponseBase:
    """Show what this person is told about the company; keep what they choose."""
    now, reader = timezone.now(), _reader(request)
    if request.method != "POST":
        return _page(request, reader, None, now)
    form = MailChoiceForm(request.POST)
    if not form.is_valid():
        return _page(request, reader, form, now, status=422)
    mail_choices.set_zone(request.user, form.cleaned_data["zone"], shown=reader.zone.key)
    mail_choices.choose(request.company, request.user, form.choice(), now=now)
    jobs.ring_mail(company_id=request.company.pk)
    messages.success(request, "Kept. It counts from now on.")
    return go(request, "notifications")


@require_POST
@company_view(write_roles=ANY_ROLE)
def send_digest(request: CompanyRequest) -> HttpResponseBase:
    """Send this person today's digest now, if it has anything to say."""
    why = why_no_mail()
    if why:
        messages.warning(request, f"Nothing was sent: mail is not set up here. {why}")
        return go(request, "notifications")
    mail = notify.ask_for_digest(request.company, _reader(request), now=timezone.now())
    if mail is None:
        messages.info(request, "There is nothing to say just now, so nothing was sent.")
        return go(request, "notifications")
    jobs.ring_mail(company_id=request.company.pk)
    messages.success(
        request,
        f"“{mail.subject}” goes to {mail.address} within seconds; its outcome stands below.",
    )
    return go(request, "notifications")


def _reader(request: CompanyRequest) -> Reader:
    found = reader_of(request.company, request.user.pk)
    if found is None:
        raise Http404
    return found


def _page(
    request: CompanyRequest,
    reader: Reader,
    form: MailChoiceForm | None,
    now: datetime,
    *,
    status: int = 200,
) -> TemplateResponse:
    choice = reader.choice
    initial = {"kinds": [kind.value for kind in choice.kinds], "days": choice.days.value,
               "hour": choice.hour, "zone": reader.zone.key}  # fmt: skip
    moments = Moments(zone=reader.zone, now=now)
    next_at = next_digest_at(choice, zone=reader.zone, now=now)
    context = {
        "form": form or MailChoiceForm(initial=initial),
        "kinds": [
            {"value": kind.value, "words": words, "means": means, "is_on": kind in choice.kinds}
            for kind, (words, means) in KIND_WORDS.items()
        ],
        "days": [
            {"value": day.value, "words": words, "is_on": day is choice.days}
            for day, words in DAY_WORDS.items()
        ],
        "is_default": not reader.is_chosen,
        "next_digest": moments.full(next_at) if next_at else "",
        "zone_name": moments.zone_name,
        "why_no_mail": why_no_mail(),
        "directory": settings.MAIL_DIRECTORY,
        "shows_directory": settings.PRACTICE,  # where real customers look, a path is nobody's business
        "again_hours": f"{settings.CONNECTOR.tell_again_hours:g}"
        if settings.CONNECTOR.tell_again_hours
        else "",
        "mails": [(mail, *OUTCOMES[MailState(mail.state)])
                  for mail in latest_mails(request.company, request.user.pk)],
    }  # fmt: skip
    return show(request, "sync/notifications.html", context, now=now, status=status)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop_mail(request: HttpRequest, signed: str) -> HttpResponseBase:
    """Stop one kind of mail by its signed link, signed in or not.

    A GET only shows the button, because mail programs follow links by themselves; a POST stops, from
    the button or from a mail program's own (RFC 8058), which has no cookie of ours. What may be done
    is in the signature, so that no other guard is needed.
    """
    link = read_stop_link(signed)
    if link is None:
        raise Http404
    with tenant_scope(link.tenant_id):
        found = mail_choices.find_reader(link)
        if found is None:
            return TemplateResponse(request, "sync/mail_stop.html", {"is_gone": True}).render()
        company, reader = found
        if request.method == "POST":
            mail_choices.stop(company, reader, link.kind, now=timezone.now())
            reader = reader_of(company, reader.user.pk) or reader
        context = {
            "address": reader.user.email,
            "named": company.name,
            "kind": _kind_words(link),
            "is_wanted": mail_choices.is_wanted(reader.choice, link.kind),
            "choices": page_of(company, "notifications"),
        }
        return TemplateResponse(request, "sync/mail_stop.html", context).render()


def _kind_words(link: StopLink) -> str:
    return "the daily mail" if link.kind == DIGEST else f"“{KIND_WORDS[Kind(link.kind)][0]}”"
