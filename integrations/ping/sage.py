"""The ladder of checks for a Sage 300 connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from integrations.dialing import Dialer
from integrations.errors import AddressRefused, AuthRefused, IntegrationError, ServerFault
from integrations.guard import AddressPolicy
from integrations.ping.ladder import Doubt, Rung, Step, climb, rungs_from
from integrations.ping.reach import Reach
from integrations.sage300.client import Sage300Client
from integrations.sage300.door import SYSTEM, full_base_url

CONNECT_SECONDS = 10.0
WINDOWS_SIGN_IN = (
    "IIS asks for a Windows sign-in before Sage sees us. Sage's Web API checks the user itself, so "
    "IIS must let the request through; your IT can change it in two minutes."
)
WINDOWS_STEPS = (
    "On the Sage server open IIS Manager, then Sites, Default Web Site, Sage300WebApi, "
    "Authentication.",
    "Set Anonymous Authentication to Enabled.",
    "Set Windows Authentication to Disabled.",
    "Recycle the application pool of Sage300WebApi.",
)
LATEST_PERIOD_MISSING = "Ask who looks after Sage 300 to add the fiscal year in Common Services."


def ping_sage(
    client: Sage300Client, policy: AddressPolicy, *, from_step: str = ""
) -> Iterator[Step]:
    """Try a Sage 300 connection, from a step on where one is named; reads only, about ten calls.

    Give it a client of its own, fresh: a kept session could hide a changed password.
    """
    return climb(rungs_from(rungs(client, policy), from_step))


def rungs(client: Sage300Client, policy: AddressPolicy) -> list[Rung]:
    """The steps, lowest first."""
    return [
        Rung(name="Address", ask=lambda: _address(client, policy)),
        *_way_there(client, policy),
        Rung(name="Web API answers", ask=lambda: _landing(client)),
        Rung(name="Sign-in and vendors", ask=_list(client, "AP/APVendors", "VendorNumber")),
        Rung(name="Vendor groups", ask=_list(client, "AP/APVendorGroups", "GroupCode")),
        Rung(name="Invoice batches", ask=_list(client, "AP/APInvoiceBatches", "BatchNumber")),
        Rung(name="Posted documents", ask=_list(client, "AP/APPostedDocuments", "VendorNumber")),
        Rung(name="G/L accounts", ask=_list(client, "GL/GLAccounts", "UnformattedAccount")),
        Rung(name="Fiscal calendar", ask=lambda: _calendar(client), is_needed=False),
        Rung(name="Company profile", ask=lambda: _profile(client), is_needed=False),
        Rung(name="Right to enter invoices", ask=lambda: _template(client), is_needed=False),
        Rung(name="Posting by the connector", ask=lambda: _posting(client), is_needed=False),
    ]


def _address(client: Sage300Client, policy: AddressPolicy) -> str:
    url = full_base_url(client.address.base_url)
    target = policy.check_url(url, is_base=True)
    if target.scheme == "http" and target.origin not in policy.practice_origins:
        raise Doubt(
            target.origin,
            "The address begins with http://, so the password travels unprotected. Ask for https.",
        )
    return target.origin


def _way_there(client: Sage300Client, policy: AddressPolicy) -> list[Rung]:
    """The steps below HTTP; none for an address that the first step refuses."""
    try:
        target = policy.check_url(full_base_url(client.address.base_url), is_base=True)
    except AddressRefused:
        return []
    dialer = Dialer(policy, connect_seconds=CONNECT_SECONDS)
    return Reach(dialer, target, system=SYSTEM, ca_pem=client.address.ca_pem).rungs()


def _landing(client: Sage300Client) -> str:
    answer = client.landing()
    if answer.status == 404:
        raise AddressRefused(
            "no landing page",
            sentence="There is no Sage 300 Web API at this address. It usually ends in "
            "/Sage300WebApi; check it under Connections, and that the Web API is installed there.",
            http_status=404,
        )
    asked = answer.headers.get("www-authenticate", "").lower()
    if answer.status == 401 and ("negotiate" in asked or "ntlm" in asked):
        raise AuthRefused(
            "the landing page asks for a Windows sign-in",
            sentence=WINDOWS_SIGN_IN,
            http_status=401,
        )
    if answer.status >= 500:
        raise ServerFault(
            "landing page fails",
            sentence=f"The web server answers, but Sage 300 behind it does not (HTTP "
            f"{answer.status}). Its application pool may be stopped; ask who looks after it.",
            http_status=answer.status,
        )
    return f"HTTP {answer.status}"


def _list(client: Sage300Client, path: str, key: str) -> Callable[[], str]:
    name = path.partition("/")[2]

    def ask() -> str:
        count = client.first_rows(path, what=f"read {name}", select=key)
        return "readable" if count else "readable, none yet"

    return ask


def _calendar(client: Sage300Client) -> str:
    periods = list(client.iter_fiscal_periods())
    if not periods:
        raise Doubt("no fiscal periods", LATEST_PERIOD_MISSING)
    last = periods[-1].last_date
    return f"periods to {last:%B} {last.day}, {last.year}"


def _profile(client: Sage300Client) -> str:
    profile = client.company_profile()
    if not profile.name:
        raise Doubt(
            "not readable",
            "The Sage 300 user has no right to read the company profile (Common Services). The "
            "connector works without it, but cannot check the company's name and currency.",
        )
    return f"{profile.name}, {profile.functional_currency}"


def _template(client: Sage300Client) -> str:
    client.new_batch_template()
    return "an empty batch was prepared, none was made"


def _posting(client: Sage300Client) -> str:
    try:
        process = client.post_process()
    except IntegrationError as error:
        raise Doubt(
            "not offered",
            "The connector cannot post batches in this Sage 300; it leaves them for a person. "
            + error.sentence,
        ) from error
    if process is None:
        raise Doubt(
            "not offered",
            "This Sage 300 does not say how one single batch is posted, so the connector leaves "
            "batches for a person to post.",
        )
    return f"{process.from_field} to {process.to_field}"
