"""The ladder of checks for a BILL connection."""

from __future__ import annotations

from collections.abc import Iterator

from integrations.bill.client import BillClient
from integrations.bill.errors import NotPermitted
from integrations.bill.types import BillSession, ListKind
from integrations.errors import AuthRefused, UnexpectedAnswer
from integrations.guard import AddressPolicy
from integrations.ping.ladder import Doubt, Rung, Step, climb, rungs_from

OPTIONAL_LISTS = {
    ListKind.DEPARTMENT: "departments",
    ListKind.LOCATION: "locations",
    ListKind.CLASS: "classes",
    ListKind.ITEM: "items",
    ListKind.JOB: "jobs",
    ListKind.EMPLOYEE: "employees",
}


SIGN_IN = "Sign-in"


def ping_bill(
    client: BillClient,
    policy: AddressPolicy,
    *,
    api_url: str,
    organization_id: str,
    from_step: str = "",
) -> Iterator[Step]:
    """Try a BILL connection; reads only, about fourteen calls with one sign-in.

    `from_step` begins with that step, or with the sign-in where it comes after it.
    """
    rungs = _Checks(client, policy, api_url, organization_id).rungs()
    return climb(rungs_from(rungs, from_step, at_latest=SIGN_IN))


class _Checks:
    """The steps, which hand on what the earlier ones found."""

    def __init__(
        self, client: BillClient, policy: AddressPolicy, api_url: str, organization_id: str
    ) -> None:
        self._client = client
        self._policy = policy
        self._api_url = api_url
        self._organization_id = organization_id
        self._session: BillSession | None = None
        self._a_bill_id = ""

    def rungs(self) -> list[Rung]:
        """The steps, lowest first."""
        return [
            Rung(name="Address", ask=self._address),
            Rung(name="BILL answers", ask=self._health),
            Rung(name=SIGN_IN, ask=self._sign_in),
            Rung(name="Organization", ask=self._organization),
            Rung(name="Bills", ask=self._bills),
            Rung(name="One bill by its id", ask=self._bill, is_needed=False),
            Rung(name="Vendors", ask=self._vendors),
            Rung(name="Chart of accounts", ask=self._accounts),
            Rung(name="Other lists", ask=self._other_lists, is_needed=False),
            Rung(name="Notifications", ask=self._subscriptions, is_needed=False),
            Rung(name="Cannot pay", ask=self._cannot_pay, is_needed=False),
        ]

    def _address(self) -> str:
        return self._policy.check_url(self._api_url, is_base=True).origin

    def _health(self) -> str:
        health = self._client.health()
        if not health.application:
            raise UnexpectedAnswer(
                "no health in the answer",
                sentence="Something answers at BILL's address, but it is not BILL. A proxy or "
                "firewall may stand between; ask who looks after the network.",
                http_status=200,
            )
        return " ".join(part for part in (health.application, health.environment) if part)

    def _sign_in(self) -> str:
        self._session = self._client.sign_in()
        return "signed in"

    def _organization(self) -> str:
        found = self._client.whoami().organization_id
        if found and found != self._organization_id:
            raise AuthRefused(
                "another organization",
                sentence=f"BILL signed us in to the organization {found}, not to "
                f"{self._organization_id}. Correct the organization id under Connections.",
                http_status=200,
            )
        return found or self._organization_id

    def _bills(self) -> str:
        page = next(self._client.iter_bills(), [])
        if page:
            self._a_bill_id = page[0].id
        return "readable" if page else "readable, none yet"

    def _bill(self) -> str:
        if not self._a_bill_id:
            return "no bill to try with"
        self._client.get_bill(self._a_bill_id)
        return "readable"

    def _vendors(self) -> str:
        page = next(self._client.iter_vendors(), [])
        return "readable" if page else "readable, none yet"

    def _accounts(self) -> str:
        page = next(self._client.iter_list(ListKind.ACCOUNT), [])
        if not page:
            raise Doubt(
                "empty",
                "This BILL organization has no chart of accounts, so lines can only be mapped by "
                "vendor or item. Add accounts in BILL, or rules here.",
            )
        return "readable"

    def _other_lists(self) -> str:
        forbidden = []
        for kind, name in OPTIONAL_LISTS.items():
            try:
                next(self._client.iter_list(kind), [])
            except NotPermitted:
                forbidden.append(name)
        if forbidden:
            raise Doubt(
                f"not permitted: {', '.join(forbidden)}",
                "The BILL user may not read these lists, so rules cannot use them. An "
                "administrator of BILL can give its role the right to view them.",
            )
        return "readable"

    def _subscriptions(self) -> str:
        return f"{len(self._client.list_subscriptions())} registered"

    def _cannot_pay(self) -> str:
        if self._session is not None and self._session.is_token:
            return "signed in with a sync token, which BILL lets pay nothing"
        raise Doubt(
            "signed in as a person",
            "This sign-in may also be able to pay bills, which the connector never does. Make a "
            "sync token in BILL (Settings, Sync) and enter it instead of a person's password.",
        )
