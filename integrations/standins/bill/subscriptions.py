"""Subscriptions to notifications, under their own base path.

developer.bill.com, working with BILL webhooks and webhook API general rules (2026). The security key
is shown when it is made and never again; two POSTs need an X-Idempotent-Key.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from integrations.standins.bill.answers import Json, bad_field, bad_fields, minified, ok, refuse
from integrations.standins.bill.calls import Call, Handler, event_route, last_page_mark
from integrations.standins.bill.clock import time_text
from integrations.standins.bill.notices import EVENT_TYPES, VERSION, history_row, notice_for
from integrations.standins.bill.organization import Notice, Subscription
from integrations.standins.messages import Reply

MOST_SUBSCRIPTIONS = 10
_DAY_MS = 86_400_000
_HISTORY_DAYS = 180
_UUID4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def list_catalog(call: Call) -> Reply:
    """`GET /v3/events/catalog`."""
    del call
    return ok(minified([{"type": name, "versions": [VERSION]} for name in EVENT_TYPES]))


def list_subscriptions(call: Call) -> Reply:
    """`GET /v3/subscriptions`, pages that only go forward."""
    made = sorted(call.organization.subscriptions.values(), key=lambda each: each.created_ms)
    items = [((place,), shown(call, each)) for place, each in enumerate(made)]
    return _forward(call, "subscriptions", items)


def get_subscription(call: Call) -> Reply:
    """`GET /v3/subscriptions/{subscriptionId}`, without the key."""
    return ok(minified(shown(call, _find(call))))


def create_subscription(call: Call) -> Reply:
    """`POST /v3/subscriptions`: the one answer that shows the security key."""
    return _once(call, _create)


def replace_subscription(call: Call) -> Reply:
    """`PUT /v3/subscriptions/{subscriptionId}`: replaces all of it, the events too."""
    subscription = _find(call)
    return _save(call, subscription, _read(call, call.body()))


def patch_subscription(call: Call) -> Reply:
    """`PATCH /v3/subscriptions/{subscriptionId}`: name, status, notificationUrl."""
    subscription = _find(call)
    present = shown(call, subscription)
    sent = {
        name: value
        for name, value in call.body().items()
        if name in {"name", "status", "notificationUrl"}
    }
    return _save(call, subscription, _read(call, {**present, **sent}))


def delete_subscription(call: Call) -> Reply:
    """`DELETE /v3/subscriptions/{subscriptionId}`."""
    subscription = _find(call)
    subscription.enabled = False  # letters under way are not sent any more
    del call.organization.subscriptions[subscription.id]
    return Reply.empty(200)


def rotate_key(call: Call) -> Reply:
    """`POST …/security-key` and `…/security_key`: a new key, shown once."""
    return _once(call, _rotate)


def send_test(call: Call) -> Reply:
    """`POST …/test`: really sends, and answers what the receiver said."""
    subscription = _find(call)
    sent = call.body() if call.content.strip() else {}
    event = str(sent.get("eventType") or subscription.events[0][0])
    resource = event.partition(".")[0]
    given = sent.get(resource)
    body = given if isinstance(given, dict) else {"id": "0" * 20, "archived": False}
    now_ms = call.office.clock.now_ms()
    notice = notice_for(call.office, call.organization, subscription, event, body, now_ms)
    call.office.post.send_now(notice, subscription)
    call.organization.notices.append(notice)
    return ok(minified(_history_row(notice)))


def list_history(call: Call) -> Reply:
    """`GET /v3/events/subscription/{subscriptionId}`: newest first, 180 days, by `entityId`."""
    subscription = _find(call)
    oldest = call.office.clock.now_ms() - _HISTORY_DAYS * _DAY_MS
    entity_id = call.query.get("entityId")
    notices = call.organization.notices
    items = [
        ((-place,), _history_row(notices[place]))
        for place in range(len(notices) - 1, -1, -1)
        if notices[place].subscription_id == subscription.id
        and notices[place].created_ms >= oldest
        and entity_id in {None, notices[place].entity_id}
    ]
    return _forward(call, f"history/{subscription.id}", items)


def resend(call: Call) -> Reply:
    """`POST …/event/{eventId}`: sends it again under the same id."""
    subscription = _find(call)
    event_id = call.path_values["eventId"]
    for notice in call.organization.notices:
        if notice.id == event_id and notice.subscription_id == subscription.id:
            call.office.post.send_now(notice, subscription)
            return ok(minified(_history_row(notice)))
    raise refuse(404, "BDC_1205", f"No record found for id {event_id}.")


def shown(call: Call, subscription: Subscription) -> Json:
    """A subscription as reads show it."""
    return {
        "id": subscription.id,
        "name": subscription.name,
        "organizationId": call.organization.id,
        "status": {"enabled": subscription.enabled},
        "events": [{"type": name, "version": version} for name, version in subscription.events],
        "notificationUrl": subscription.url,
        "createdTime": time_text(subscription.created_ms),
        "updatedTime": time_text(subscription.updated_ms),
    }


def _once(call: Call, do: Handler) -> Reply:
    key = call.headers.get("x-idempotent-key", "")
    if not _UUID4.fullmatch(key):
        raise bad_field("X-Idempotent-Key: must be a version 4 UUID")
    now_ms = call.office.clock.now_ms()
    name = (call.organization.id, key.lower())
    kept = call.office.done_before.get(name)
    if kept is not None and now_ms - kept[0] < _DAY_MS:
        return ok(kept[1])
    reply = do(call)
    call.office.done_before[name] = (now_ms, reply.body)
    return reply


def _create(call: Call) -> Reply:
    name, enabled, events, url = _read(call, call.body())
    if len(call.organization.subscriptions) >= MOST_SUBSCRIPTIONS:
        raise bad_field(f"subscription: at most {MOST_SUBSCRIPTIONS} for one organization")
    _refuse_twin(call, events, url, None)
    now_ms = call.office.clock.now_ms()
    subscription = Subscription(
        id=call.office.ids.uuid4("subscription"),
        name=name,
        enabled=enabled,
        events=events,
        url=url,
        security_key=call.office.ids.token("security key", 44),
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    call.organization.subscriptions[subscription.id] = subscription
    return ok(minified({**shown(call, subscription), "securityKey": subscription.security_key}))


def _rotate(call: Call) -> Reply:
    subscription = _find(call)
    subscription.old_keys.append(subscription.security_key)
    subscription.security_key = call.office.ids.token("security key", 44)
    return ok(minified({"securityKey": subscription.security_key}))


Wanted = tuple[str, bool, list[tuple[str, str]], str]


def _read(call: Call, body: Json) -> Wanted:
    status = body.get("status")
    enabled = status.get("enabled") if isinstance(status, dict) else None
    url = body.get("notificationUrl")
    problems = []
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        problems.append("name: must not be blank")
    if not isinstance(enabled, bool):
        problems.append("status.enabled: must not be null")
    if not isinstance(url, str) or not _may_notify(call, url):
        problems.append("notificationUrl: must be an https address")
    events = _read_events(body.get("events"), problems)
    if problems:
        raise bad_fields(problems)
    return str(body["name"]), bool(enabled), events, str(url)


def _read_events(sent: object, problems: list[str]) -> list[tuple[str, str]]:
    if not isinstance(sent, list) or not sent:
        problems.append("events: must not be empty")
        return []
    events = []
    for place, each in enumerate(sent):
        event = each if isinstance(each, dict) else {}
        name, version = str(event.get("type")), str(event.get("version"))
        if name not in EVENT_TYPES or version != VERSION:
            problems.append(f"events[{place}]: {name} {version} is not in the catalog")
        events.append((name, version))
    return events


def _may_notify(call: Call, url: str) -> bool:
    address = urlsplit(url)
    if address.scheme == "https":
        return bool(address.hostname)
    allowed = call.office.switches.allow_http_loopback
    return allowed and address.scheme == "http" and address.hostname in _LOOPBACK


def _save(call: Call, subscription: Subscription, wanted: Wanted) -> Reply:
    name, enabled, events, url = wanted
    _refuse_twin(call, events, url, subscription)
    subscription.name, subscription.enabled = name, enabled
    subscription.events, subscription.url = events, url
    subscription.updated_ms = call.office.clock.now_ms()
    return ok(minified(shown(call, subscription)))


def _refuse_twin(
    call: Call, events: list[tuple[str, str]], url: str, own: Subscription | None
) -> None:
    for other in call.organization.subscriptions.values():
        if other is not own and other.url == url and set(other.events) == set(events):
            raise bad_field("subscription: the same events and notificationUrl exist already")


def _find(call: Call) -> Subscription:
    subscription_id = call.path_values["subscriptionId"]
    subscription = call.organization.subscriptions.get(subscription_id)
    if subscription is None:
        raise refuse(404, "BDC_1205", f"No record found for id {subscription_id}.")
    return subscription


def _history_row(notice: Notice) -> Json:
    return history_row(notice, minified(notice.content).decode())


def _forward(call: Call, name: str, items: list[tuple[tuple[int], Json]]) -> Reply:
    owner = f"{call.organization.id}/{name}"
    rows, next_page = call.office.pager.forward(items, owner=owner, parameters=call.query)
    envelope: Json = {"results": rows}
    mark = call.office.switches.last_page
    if next_page is not None or mark != "omitted":
        envelope["nextPage"] = next_page or last_page_mark(mark)
    return ok(minified(envelope))


_ONE = "/v3/subscriptions/{subscriptionId}"
_HISTORY = "/v3/events/subscription/{subscriptionId}"
ROUTES = (
    event_route("GET", "/v3/events/catalog", list_catalog),
    event_route("GET", "/v3/subscriptions", list_subscriptions),
    event_route("POST", "/v3/subscriptions", create_subscription),
    event_route("GET", _ONE, get_subscription),
    event_route("PUT", _ONE, replace_subscription),
    event_route("PATCH", _ONE, patch_subscription),
    event_route("DELETE", _ONE, delete_subscription),
    event_route("POST", _ONE + "/security-key", rotate_key),
    event_route("POST", _ONE + "/security_key", rotate_key),
    event_route("POST", _ONE + "/test", send_test, goes_out=True),
    event_route("GET", _HISTORY, list_history),
    event_route("POST", _HISTORY + "/event/{eventId}", resend, goes_out=True),
)
