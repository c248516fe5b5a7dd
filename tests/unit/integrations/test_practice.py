"""The address policy as the settings have it."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from integrations.errors import AddressRefused
from integrations.guard import PolicyMode
from integrations.practice import address_policy

PRACTICE_URL = "http://127.0.0.1:8101"


@pytest.fixture(autouse=True)
def _plain_settings(settings: Any) -> None:
    settings.PRACTICE = True
    settings.PRACTICE_BILL_URL = ""
    settings.PRACTICE_SAGE_URL = PRACTICE_URL
    settings.SAGE_EGRESS_POLICY = "public"
    settings.SAGE_EGRESS_ALLOW = []
    settings.SAGE_EGRESS_PORTS = [443]
    settings.PUBLIC_URL = "https://connector.example.com"


def test_the_practice_address_is_the_only_way_to_this_machine() -> None:
    policy = address_policy()

    policy.check_url(f"{PRACTICE_URL}/Sage300WebApi")
    with pytest.raises(AddressRefused):
        policy.check_url("http://127.0.0.1:8102/Sage300WebApi")


def test_without_practice_this_machine_is_out_of_reach(settings: Any) -> None:
    settings.PRACTICE = False

    with pytest.raises(AddressRefused):
        address_policy().check_url(PRACTICE_URL)


def test_our_own_public_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        address_policy().check_url("https://connector.example.com/anything")


def test_an_operators_networks_are_read(settings: Any) -> None:
    settings.SAGE_EGRESS_POLICY = "allowlist"
    settings.SAGE_EGRESS_ALLOW = ["10.1.0.0/16"]

    policy = address_policy()

    assert policy.mode is PolicyMode.ALLOWLIST
    policy.check_url("https://10.1.2.3")
    with pytest.raises(AddressRefused):
        policy.check_url("https://10.2.2.3")


def test_bills_own_gateways_need_no_place_on_the_allow_list(settings: Any) -> None:
    settings.SAGE_EGRESS_POLICY = "allowlist"
    policy = address_policy()
    target = policy.check_url("https://gateway.prod.bill.com/connect/v3/health")

    assert policy.check_answers(target, ["93.184.216.34"])


def test_plain_http_needs_private_networks_and_its_port(settings: Any) -> None:
    settings.SAGE_EGRESS_POLICY = "private-ok"
    with pytest.raises(AddressRefused):
        address_policy().check_url("http://10.1.2.3")

    settings.SAGE_EGRESS_PORTS = [80, 443]

    address_policy().check_url("http://10.1.2.3")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SAGE_EGRESS_ALLOW", ["10.1.0.0/99"], "SAGE_EGRESS_ALLOW holds '10.1.0.0/99'"),
        ("PRACTICE_SAGE_URL", "http://bad host", "CONNECTOR_PRACTICE_SAGE_URL is"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    settings: Any, name: str, value: Any, words: str
) -> None:
    setattr(settings, name, value)

    with pytest.raises(ImproperlyConfigured, match=words.replace("(", "\\(")):
        address_policy()
