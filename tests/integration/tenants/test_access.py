"""What stands behind a company's door, and who gets in."""

from collections.abc import Callable

import pytest
from django.test import Client

from tenants.models import Company, TenantStatus, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.people import Cast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.integration.tenants.doors"),
]

SignIn = Callable[[User], Client]


def name_of(company: Company) -> str:
    with tenant_scope(company.tenant_id):
        return Company.objects.for_tenant(company.tenant_id).get(pk=company.pk).name


def test_member_sees_the_page_rendered_inside_the_scope(cast: Cast, signed_in: SignIn) -> None:
    answer = signed_in(cast.viewer).get("/calder/bakery/named/")

    assert answer.status_code == 200
    assert "Calder Bakery" in answer.content.decode()


@pytest.mark.parametrize(
    "address", ["/calder/bakery/named/", "/calder/nothing/named/", "/nobody/bakery/named/"]
)
def test_stranger_cannot_tell_what_exists(cast: Cast, signed_in: SignIn, address: str) -> None:
    answer = signed_in(cast.stranger).get(address)

    assert answer.status_code == 404
    assert "Calder" not in answer.content.decode()


def test_company_of_another_tenant_is_not_reached_through_ones_own(
    cast: Cast, signed_in: SignIn
) -> None:
    assert signed_in(cast.owner).get("/calder/inks/named/").status_code == 404


def test_visitor_is_sent_to_sign_in_and_back(cast: Cast, client: Client) -> None:
    answer = client.get("/calder/bakery/named/?page=2")

    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/calder/bakery/named/%3Fpage%3D2"


def test_part_of_a_page_sends_the_whole_page_to_sign_in(cast: Cast, client: Client) -> None:
    answer = client.get("/calder/bakery/named/", headers={"HX-Request": "true"})

    assert answer["HX-Redirect"].startswith("/accounts/login/")


def test_role_that_may_not_act_is_told_who_can_and_nothing_happens(
    cast: Cast, signed_in: SignIn
) -> None:
    answer = signed_in(cast.accountant).post("/calder/bakery/rename/", {"name": "Changed"})

    text = answer.content.decode()
    assert answer.status_code == 403
    assert "This needs the role owner" in text
    assert "Dana Whitfield" in text
    assert name_of(cast.company) == "Calder Bakery"


def test_owner_may_act(cast: Cast, signed_in: SignIn) -> None:
    signed_in(cast.owner).post("/calder/bakery/rename/", {"name": "Calder Breads"})

    assert name_of(cast.company) == "Calder Breads"


def test_what_a_failing_view_wrote_is_taken_back(cast: Cast, signed_in: SignIn) -> None:
    browser = signed_in(cast.owner)
    browser.raise_request_exception = False

    answer = browser.post("/calder/bakery/rename/", {"name": "Half", "fail": "1"})

    assert answer.status_code == 500
    assert name_of(cast.company) == "Calder Bakery"


def test_unscoped_view_runs_outside_the_scope_and_opens_its_own(
    cast: Cast, signed_in: SignIn
) -> None:
    answer = signed_in(cast.viewer).get("/calder/bakery/calls-out/")

    assert answer.status_code == 202
    assert answer["X-Seen"] == "None Calder Bakery"


def test_members_of_a_suspended_tenant_read_why(cast: Cast, signed_in: SignIn) -> None:
    cast.tenant.status = TenantStatus.SUSPENDED
    cast.tenant.save()

    answer = signed_in(cast.owner).get("/calder/bakery/named/")

    assert answer.status_code == 403
    assert "Calder Foods is suspended" in answer.content.decode()


def test_person_who_left_the_tenant_is_a_stranger(cast: Cast, signed_in: SignIn) -> None:
    browser = signed_in(cast.viewer)
    cast.viewer.memberships.all().delete()

    assert browser.get("/calder/bakery/named/").status_code == 404


def machine(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_token_reads_its_own_tenants_company(cast: Cast) -> None:
    answer = machine(builders.an_api_token(cast.tenant)).get("/api/v1/bakery/name/")

    assert answer.json() == {"name": "Calder Bakery"}


def test_token_of_another_tenant_finds_nothing(cast: Cast) -> None:
    answer = machine(builders.an_api_token(cast.other_tenant)).get("/api/v1/bakery/name/")

    assert answer.status_code == 404


@pytest.mark.parametrize("token", ["mlc_unknown", "", "Ünïcode"])
def test_unknown_token_is_refused(cast: Cast, token: str) -> None:
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/bakery/name/")

    assert answer.status_code == 401


def test_revoked_token_is_refused_at_once(cast: Cast) -> None:
    text = builders.an_api_token(cast.tenant)
    cast.tenant.api_tokens.get().revoke(now=builders.NOW)

    assert machine(text).get("/api/v1/bakery/name/").status_code == 401


def test_viewers_token_may_not_write_and_is_told_why(cast: Cast) -> None:
    token = builders.an_api_token(cast.tenant, "viewer")

    answer = machine(token).post(
        "/api/v1/bakery/name/", {"name": "X"}, content_type="application/json"
    )

    assert answer.status_code == 403
    assert "viewer" in answer.json()["error"]["sentence"]
    assert name_of(cast.company) == "Calder Bakery"


def test_token_of_a_suspended_tenant_is_told_so(cast: Cast) -> None:
    token = builders.an_api_token(cast.tenant)
    cast.tenant.status = TenantStatus.SUSPENDED
    cast.tenant.save()

    answer = machine(token).get("/api/v1/bakery/name/")

    assert answer.status_code == 403
    assert "suspended" in answer.json()["error"]["sentence"]


def test_what_a_refusing_api_view_wrote_is_taken_back(cast: Cast) -> None:
    answer = machine(builders.an_api_token(cast.tenant)).post(
        "/api/v1/bakery/name/", {"name": "Half", "fail": 1}, content_type="application/json"
    )

    assert answer.status_code == 400
    assert name_of(cast.company) == "Calder Bakery"


def test_text_of_a_token_is_stored_nowhere(cast: Cast) -> None:
    text = builders.an_api_token(cast.tenant)
    row = cast.tenant.api_tokens.get()

    assert text not in str(vars(row))
    assert text.endswith(row.last_four)


def test_use_of_a_token_is_noted(cast: Cast) -> None:
    machine(builders.an_api_token(cast.tenant)).get("/api/v1/bakery/name/")

    assert cast.tenant.api_tokens.get().last_used_at is not None
