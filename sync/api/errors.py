"""What an API caller is told when another system, or the company's set-up, is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import APIException

from integrations.errors import IntegrationError
from integrations.secrets import SecretUnreadable
from sync.services.clients import NotReady


class Conflict(APIException):
    """The company cannot do this now; somebody must act first."""

    status_code = 409
    default_code = "conflict"


class BadGateway(APIException):
    """BILL or Sage 300 refused or did not answer."""

    status_code = 502
    default_code = "bad_gateway"


@contextmanager
def told() -> Iterator[None]:
    """Turn what the services raise into answers with their sentence."""
    try:
        yield
    except (NotReady, SecretUnreadable) as error:
        raise Conflict(str(error)) from error
    except IntegrationError as error:
        raise BadGateway(error.sentence) from error
