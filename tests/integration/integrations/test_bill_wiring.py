"""From a connection row to a client."""

import pytest
from django.conf import LazySettings

from integrations.bill.sharing import BillLimits
from integrations.bill.wiring import bill_address, bill_limits
from integrations.errors import AddressRefused
from integrations.models import BillConnection
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests.builders import a_company

pytestmark = pytest.mark.django_db


def a_connection(company: Company, environment: str) -> BillConnection:
    return BillConnection.objects.create(
        tenant_id=company.tenant_id,
        company=company,
        environment=environment,
        user_name="connector",
        password="token-value",
        organization_id="00801",
        developer_key="key-1",
    )


@pytest.mark.parametrize(
    ("environment", "api_url"),
    [
        ("production", "https://gateway.prod.bill.com/connect"),
        ("sandbox", "https://gateway.stage.bill.com/connect"),
        ("practice", "http://127.0.0.1:8101/connect"),
    ],
)
def test_a_row_becomes_an_address(settings: LazySettings, environment: str, api_url: str) -> None:
    settings.PRACTICE_BILL_URL = "http://127.0.0.1:8101"
    company = a_company()

    with tenant_scope(company.tenant_id):
        stored = BillConnection.objects.get(pk=a_connection(company, environment).pk)
        address = bill_address(stored)

    assert address.api_url == api_url
    assert (address.password, address.developer_key) == ("token-value", "key-1")
    assert "token-value" not in repr(address)
    assert "key-1" not in repr(address)


def test_practice_without_an_address_says_what_is_missing(settings: LazySettings) -> None:
    settings.PRACTICE_BILL_URL = ""
    company = a_company()

    with tenant_scope(company.tenant_id):
        connection = a_connection(company, "practice")
        with pytest.raises(AddressRefused) as caught:
            bill_address(connection)

    assert "CONNECTOR_PRACTICE_BILL_URL" in caught.value.sentence


def test_the_settings_begin_with_bills_own_limits() -> None:
    assert bill_limits() == BillLimits()
