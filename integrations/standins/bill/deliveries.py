"""The post: notifications are signed and sent in the background, tried again, and given up.

Only 200 within ten seconds counts. After the first sending come four more, 2, 4, 8 and 16 seconds
apart; then the notification is dead and its subscription switched off (developer.bill.com, webhook
notification rules, 2026-06-09). The signature is base64(HMAC-SHA256(security key, body)).
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import http.client
import json
import threading
import time
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from integrations.standins.bill.answers import Json, minified
from integrations.standins.bill.organization import Notice, Subscription
from integrations.standins.bill.switches import Switches

SIGNATURE_HEADER = "x-bill-sha-signature"
RETRY_WAITS = (2.0, 4.0, 8.0, 16.0)
_SENDERS = 4
_OVERTAKEN_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A body and its signature, as they go over the wire."""

    body: bytes
    signature: str | None


class PostOffice:
    """Sends notifications on its own threads, which end with the process."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._wake = threading.Condition()
        self._due: list[tuple[float, int, int, Notice, Subscription]] = []
        self._order = count()
        self._under_way = 0
        self._accepted = 0
        self._threads: list[threading.Thread] = []
        self.sent = 0

    def __getstate__(self) -> dict[str, object]:
        """Everything that can be kept on disk: not the threads, nor what wakes them."""
        kept = dict(self.__dict__)
        kept.update(_wake=None, _threads=[], _under_way=0)
        return kept

    def __setstate__(self, kept: dict[str, object]) -> None:
        """Go on where it was kept; senders start with the next notification."""
        self.__dict__.update(kept)
        self._wake = threading.Condition()

    def send(self, notice: Notice, subscription: Subscription) -> None:
        """Send soon, as the switches say: late, twice, out of order, or never."""
        switches = self._switches
        if switches.webhooks_lost:
            return
        self._accepted += 1
        wait = switches.webhook_delay_seconds
        if switches.webhook_reorder and self._accepted % 2:
            wait += _OVERTAKEN_SECONDS
        for _ in range(switches.webhook_copies):
            self._put(wait, 0, notice, subscription)

    def send_now(self, notice: Notice, subscription: Subscription) -> int:
        """Send once while the caller waits; answers the receiver's status, 0 where it gave none."""
        letter = write_letter(notice.content, subscription, self._switches)
        notice.status_code = carry(letter, subscription.url, self._switches.answer_seconds)
        notice.sends += 1
        self.sent += 1
        return notice.status_code

    def wait_idle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is left to send; says whether that came to pass."""
        deadline = time.monotonic() + timeout
        with self._wake:
            while self._due or self._under_way:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(min(left, 0.05))
        return True

    def _put(self, wait: float, tries: int, notice: Notice, subscription: Subscription) -> None:
        with self._wake:
            while len(self._threads) < _SENDERS:
                thread = threading.Thread(target=self._work, name="BILL's post", daemon=True)
                self._threads.append(thread)
                thread.start()
            when = time.monotonic() + wait
            heapq.heappush(self._due, (when, next(self._order), tries, notice, subscription))
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._due or self._due[0][0] > time.monotonic():
                    left = self._due[0][0] - time.monotonic() if self._due else None
                    self._wake.wait(None if left is None else max(left, 0.0))
                _, _, tries, notice, subscription = heapq.heappop(self._due)
                self._under_way += 1
            try:
                self._try(tries, notice, subscription)
            finally:
                with self._wake:
                    self._under_way -= 1
                    self._wake.notify_all()

    def _try(self, tries: int, notice: Notice, subscription: Subscription) -> None:
        if not subscription.enabled or self._switches.webhooks_lost:
            return
        if self.send_now(notice, subscription) == http.client.OK:
            return
        if tries < len(RETRY_WAITS):
            wait = RETRY_WAITS[tries] * self._switches.retry_scale
            self._put(wait, tries + 1, notice, subscription)
        else:
            notice.is_dead = True
            subscription.enabled = False


def sign(key: str, message: bytes) -> str:
    """The signature of a body."""
    return base64.b64encode(hmac.digest(key.encode(), message, hashlib.sha256)).decode()


def write_letter(content: Json, subscription: Subscription, switches: Switches) -> Letter:
    """The body in the form the switches ask for, and its signature."""
    plain = minified(content, money_as_text=switches.money_as_text)
    body = signed = plain
    if switches.webhook_body == "pretty":
        body = json.dumps(json.loads(plain), indent=2, ensure_ascii=False).encode()
    elif switches.webhook_body == "text":
        body = signed = json.dumps(plain.decode()).encode()
    keys = {
        "right": subscription.security_key,
        "wrong": subscription.security_key[::-1] + "x",
        "old_key": (subscription.old_keys or [subscription.security_key])[-1],
    }
    key = keys.get(switches.webhook_signature)
    return Letter(body=body, signature=None if key is None else sign(key, signed))


def carry(letter: Letter, url: str, seconds: float) -> int:
    """POST a letter; the receiver's status, or 0 where none came in time. Follows no redirect."""
    address = urlsplit(url)
    headers = {"Content-Type": "application/json"}
    if letter.signature is not None:
        headers[SIGNATURE_HEADER] = letter.signature
    secure = address.scheme == "https"
    make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    started = time.monotonic()
    connection = make(address.hostname or "", address.port, timeout=seconds)
    try:
        path = address.path or "/"
        target = f"{path}?{address.query}" if address.query else path
        connection.request("POST", target, letter.body, headers)
        answer = connection.getresponse()
        answer.read(65536)
        status = answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return status if time.monotonic() - started <= seconds else 0
