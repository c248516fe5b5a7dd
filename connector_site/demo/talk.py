"""JSON over HTTP to a server on this machine: the product's API, a stand-in's control door."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

_SECONDS = 60.0


class NoAnswer(Exception):
    """The other side refused or did not answer; the sentence says what was asked and heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connection for words in JSON; ``token`` is the API's, none for a stand-in."""

    url: str
    token: str = ""

    def get(self, path: str, **query: str) -> Any:
        """Return what the other side says."""
        tail = f"?{urlencode(query)}" if query else ""
        return self._say("GET", path + tail, None)

    def post(self, path: str, **words: Any) -> Any:
        """Tell the other side something, and return its answer."""
        return self._say("POST", path, json.dumps(words).encode())

    def _say(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        where = path if path.startswith("http://") else self.url + path
        request = Request(where, data=body, headers=headers, method=method)  # noqa: S310 (ours)
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (ours)
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            said = error.read(500).decode(errors="replace")
            raise NoAnswer(f"{method} {path} was answered with {error.code}: {said}") from error
        except (URLError, OSError, ValueError) as error:
            raise NoAnswer(f"{method} {path} was not answered: {error}") from error
