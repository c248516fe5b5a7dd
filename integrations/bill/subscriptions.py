"""BILL's events API: subscriptions, their keys, and the history of what was sent.

It has a base address of its own and the same two headers. Two of its calls want an idempotency key
(a UUID4), which the caller makes and stores before the call: the answer holds the only copy of a
security key, and the same idempotency key brings the same answer back for 24 hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from integrations.bill.caller import BillCaller
from integrations.bill.errors import API_NOT_SUPPORTED
from integrations.bill.parse import parse_past_event, parse_subscription
from integrations.bill.queries import SUBSCRIPTIONS, ListQuery, one
from integrations.bill.types import PastEvent, Subscription
from integrations.bill.values import as_mapping, text_of
from integrations.bill.walk import walk
from integrations.errors import NotFound, OutcomeUnknown, UnexpectedAnswer

EVENT_VERSION = "1"
# The guide of 2026 spells it with a hyphen, the changelog and collection of 2024-25 without.
KEY_SPELLINGS = ("security-key", "security_key")


class BillSubscriptions(BillCaller):
    """The calls below `/connect-events`."""

    def list_subscriptions(self) -> tuple[Subscription, ...]:
        """Return all subscriptions of the organization (BILL allows ten)."""
        pages = walk(self._get, self._address.events_url, ListQuery(path=SUBSCRIPTIONS))
        return tuple(parse_subscription(row) for page in pages for row in page)

    def get_subscription(self, subscription_id: str) -> Subscription:
        """Return one subscription; raises NotFound."""
        return parse_subscription(self._get(self._subscription_url(subscription_id)))

    def create_subscription(
        self, *, name: str, url: str, event_types: Sequence[str], idempotency_key: UUID
    ) -> Subscription:
        """Subscribe; the answer alone carries `security_key`.

        Raises OutcomeUnknown where the answer is lost: repeat with the same idempotency key.
        """
        answer = self._ask(
            "POST",
            f"{self._address.events_url}{SUBSCRIPTIONS}",
            content={
                "name": name,
                "status": {"enabled": True},
                "events": [{"type": each, "version": EVENT_VERSION} for each in event_types],
                "notificationUrl": url,
            },
            is_write=True,
            headers={"X-Idempotent-Key": str(idempotency_key)},
        )
        return parse_subscription(answer)

    def set_subscription_enabled(self, subscription_id: str, *, is_enabled: bool) -> Subscription:
        """Switch a subscription on or off; BILL itself switches it off after failed deliveries."""
        answer = self._ask(
            "PATCH",
            self._subscription_url(subscription_id),
            content={"status": {"enabled": is_enabled}},
            is_write=True,
        )
        return parse_subscription(answer)

    def delete_subscription(self, subscription_id: str) -> None:
        """Remove a subscription; one that is gone already counts as removed."""
        try:
            self._ask("DELETE", self._subscription_url(subscription_id), is_write=True)
        except NotFound:
            return

    def rotate_key(self, subscription_id: str, *, idempotency_key: UUID) -> str:
        """Return a new security key; store it at once, BILL shows it only here.

        Raises OutcomeUnknown where the answer is lost: repeat with the same idempotency key.
        """
        hyphen, underscore = (
            f"{self._subscription_url(subscription_id)}/{spelling}" for spelling in KEY_SPELLINGS
        )
        try:
            return self._rotate(hyphen, idempotency_key)
        except (NotFound, UnexpectedAnswer) as error:
            if error.http_status != 404 and error.vendor_code != API_NOT_SUPPORTED:
                raise
            return self._rotate(underscore, idempotency_key)

    def test_subscription(self, subscription_id: str, *, event_type: str = "") -> PastEvent:
        """Have BILL send a test notification; the answer says how our door responded."""
        content = {"eventType": event_type, "version": EVENT_VERSION} if event_type else {}
        url = f"{self._subscription_url(subscription_id)}/test"
        return parse_past_event(self._ask("POST", url, content=content, is_write=True))

    def iter_past_events(
        self, subscription_id: str, *, entity_id: str = ""
    ) -> Iterator[tuple[PastEvent, ...]]:
        """Yield pages of what BILL has sent, up to 180 days back, in BILL's order."""
        query = ListQuery(
            path=one("/v3/events/subscription", subscription_id),
            others=(("entityId", entity_id),) if entity_id else (),
        )
        for page in walk(self._get, self._address.events_url, query):
            yield tuple(parse_past_event(row) for row in page)

    def _rotate(self, url: str, idempotency_key: UUID) -> str:
        headers = {"X-Idempotent-Key": str(idempotency_key)}
        answer = self._ask("POST", url, content={}, is_write=True, headers=headers)
        key = text_of(as_mapping(answer).get("securityKey"))
        if not key:
            raise OutcomeUnknown(
                "key rotation answered without a key",
                sentence="BILL may have changed the key of the notifications without telling us "
                "the new one. The connector asks again; until then it relies on polling.",
            )
        return key

    def _subscription_url(self, subscription_id: str) -> str:
        return f"{self._address.events_url}{one(SUBSCRIPTIONS, subscription_id)}"

    def _get(self, url: str) -> object:
        return self._ask("GET", url)
