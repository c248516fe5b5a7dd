"""People come in, sign in, and what they and operators do is written down."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.test import Client

from tenants import audit
from tenants.enrolment import create_company, create_tenant, enrol
from tenants.models import AuditEvent, Company, Membership, Role, Tenant, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.builders import NOW
from tests.people import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
PASSWORD = "correct horse battery"


def test_enrolled_person_signs_in_by_mail_whatever_its_capitals(client: Client) -> None:
    tenant = builders.a_tenant(slug="novak")
    enrol(
        tenant=tenant,
        email="Ann@Novak.example",
        role=Role.OWNER,
        name="Ann",
        password=PASSWORD,
        now=NOW,
    )

    answer = client.post("/accounts/login/", {"login": "ANN@novak.example", "password": PASSWORD})

    assert answer.status_code == 302
    assert client.get("/")["Location"] == "/novak/"


def test_wrong_password_is_one_sentence_and_keeps_the_address(client: Client) -> None:
    builders.a_user(email="ann@novak.example")

    answer = client.post("/accounts/login/", {"login": "ann@novak.example", "password": "wrong"})

    assert answer.status_code == 200
    assert "ann@novak.example" in answer.content.decode()
    assert "do not belong together" in answer.content.decode()


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/signup/", "/"])
def test_visitors_page_carries_no_inline_style_or_script(client: Client, address: str) -> None:
    answer = client.get(address)
    text = answer.content.decode()

    assert answer.status_code == 200
    assert "<script" not in text
    assert "<style" not in text
    assert " style=" not in text
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_new_person_adds_a_firm_and_becomes_its_owner(client: Client) -> None:
    client.force_login(builders.a_user(email="tom@okafor.example"))

    answer = client.post("/start/", {"name": "Okafor & Sons"})

    assert answer["Location"] == "/okafor-sons/"
    assert client.get("/okafor-sons/").status_code == 200
    tenant = Tenant.objects.get(slug="okafor-sons")
    assert Membership.objects.get(tenant=tenant).role == Role.OWNER
    with tenant_scope(tenant.pk):
        assert AuditEvent.objects.get().action == "tenant.created"


def test_sign_up_is_closed_where_the_operator_closed_it(client: Client, settings: object) -> None:
    settings.SIGN_UP_IS_OPEN = False  # type: ignore[attr-defined]

    client.post(
        "/accounts/signup/",
        {"email": "tom@okafor.example", "password1": PASSWORD, "password2": PASSWORD}
        | {"name": "Tom", "firm": "Okafor & Sons", "time_zone": "America/Chicago"},
    )

    assert not User.objects.exists()


def test_signing_up_says_what_a_password_lacks_and_claims_no_mail_that_was_not_sent(
    client: Client,
) -> None:
    typed = {
        "email": "new@firm.example", "password1": "eleven char", "name": "N. Ew", "firm": "Firm",
        "time_zone": "America/Chicago",
    }  # fmt: skip

    short = client.post("/accounts/signup/", typed).content.decode()
    whole = client.post(
        "/accounts/signup/", typed | {"password1": "flour and water, 1926"}, follow=True
    ).content.decode()

    assert "Longer, please: this has 11 characters, we ask for 12." in short
    assert "placeholder" not in short
    assert "No company yet" in whole
    assert "Confirmation email" not in whole
    assert "Successfully" not in whole


def test_enrolling_twice_changes_the_role_and_nothing_else() -> None:
    tenant = builders.a_tenant()
    first = enrol(
        tenant=tenant, email="a@b.example", role=Role.VIEWER, name="Ann", password=PASSWORD, now=NOW
    )
    second = enrol(
        tenant=tenant, email="A@b.example", role=Role.OWNER, name="Other", password="x", now=NOW
    )

    assert first == second
    assert Membership.objects.get(user=first).role == Role.OWNER
    first.refresh_from_db()
    assert first.name == "Ann"
    assert first.check_password(PASSWORD)


def test_company_made_twice_is_one_company_brought_up_to_date() -> None:
    tenant = builders.a_tenant()
    for name in ("Bakery", "Calder Bakery"):
        company = create_company(
            tenant=tenant, slug="bakery", name=name, time_zone="UTC", currency="USD", now=NOW
        )

    with tenant_scope(tenant.pk):
        assert [each.name for each in Company.objects.for_tenant(tenant)] == ["Calder Bakery"]
    assert company.name == "Calder Bakery"


@pytest.mark.parametrize("slug", ["api", "admin", "Upper", "two--hyphens", "-", "a b", ""])
def test_short_name_that_would_break_an_address_is_refused(slug: str) -> None:
    with pytest.raises(ValidationError):
        create_tenant(name="Name", slug=slug, now=NOW)


def test_audit_event_can_be_read_and_never_changed_or_removed(cast: Cast) -> None:
    with tenant_scope(cast.tenant.pk):
        event = audit.record(
            tenant=cast.tenant, actor=audit.SYSTEM, action="test.done", subject="A", now=NOW
        )
        with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
            AuditEvent.objects.filter(pk=event.pk).update(subject="B")
        with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
            event.delete()

        assert AuditEvent.objects.get(pk=event.pk).subject == "A"


def test_operator_reads_companies_of_every_tenant_and_changes_none(
    cast: Cast, signed_in: SignIn
) -> None:
    browser = signed_in(cast.operator)

    text = browser.get("/admin/tenants/company/").content.decode()
    change = f"/admin/tenants/company/{cast.company.pk}/change/"

    assert "Calder Bakery" in text
    assert "Quillfeather Inks Works" in text
    assert browser.get(change).status_code == 200
    assert browser.post(change, {"name": "X"}).status_code == 403


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_nobody_but_operators_enters_the_admin(cast: Cast, signed_in: SignIn, who: str) -> None:
    answer = signed_in(getattr(cast, who)).get("/admin/", follow=True)

    assert answer.status_code == 403


def test_admin_shows_no_second_factors_and_no_queue(cast: Cast, signed_in: SignIn) -> None:
    text = signed_in(cast.operator).get("/admin/").content.decode().lower()

    assert "authenticator" not in text
    assert "django_q" not in text
