"""Owners ask people in, change what they may do, and make and revoke tokens."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tenants.models import ApiToken, AuditEvent, Company, Invitation, Membership, Role, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.people import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
PASSWORD = "correct horse battery"


@pytest.fixture
def mailed(settings: object) -> list[object]:
    cache.clear()  # nobody has asked too often yet
    settings.MAIL_IS_SET_UP = True  # type: ignore[attr-defined]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    return mail.outbox


def _people(cast: Cast) -> str:
    return f"/{cast.tenant.slug}/people/"


def _link(text: str) -> str:
    found = re.search(r"/invitation/[\w-]+/", text)
    assert found
    return found[0]


def _invite(client: Client, cast: Cast, email: str, role: str = "viewer") -> str:
    """Invite where mail is not set up, and return the link shown."""
    answer = client.post(f"{_people(cast)}invite/", {"email": email, "role": role})
    assert answer.status_code == 200
    return _link(answer.content.decode())


def _actions(cast: Cast) -> list[str]:
    with tenant_scope(cast.tenant.pk):
        rows = AuditEvent.objects.for_tenant(cast.tenant).order_by("at", "id")
        return [row.action for row in rows]


def test_an_invited_person_comes_in_by_the_mailed_link(
    cast: Cast, signed_in: SignIn, mailed: list[mail.EmailMessage]
) -> None:
    signed_in(cast.owner).post(
        f"{_people(cast)}invite/", {"email": "Lena@Audit.example", "role": "viewer"}
    )
    assert [message.to for message in mailed] == [["lena@audit.example"]]

    visitor = Client()
    link = _link(str(mailed[0].body))
    page = visitor.get(link)
    answer = visitor.post(link, {"name": "Lena Brandt", "password": PASSWORD})

    assert cast.tenant.name in page.content.decode()
    assert answer["Location"] == f"/{cast.tenant.slug}/"
    member = Membership.objects.get(tenant=cast.tenant, user__email="lena@audit.example")
    assert (member.role, member.user.name) == (Role.VIEWER, "Lena Brandt")
    assert visitor.get(_people(cast)).status_code == 200
    assert "invitation.accepted" in _actions(cast)


def test_without_mail_the_link_is_shown_once_and_the_page_says_so(
    cast: Cast, signed_in: SignIn
) -> None:
    owner = signed_in(cast.owner)

    shown = owner.get(_people(cast)).content.decode()
    answer = owner.post(f"{_people(cast)}invite/", {"email": "a@b.example", "role": "viewer"})
    again = owner.get(_people(cast)).content.decode()

    assert "Mail is not set up here" in shown
    assert answer["Cache-Control"] == "no-store"
    assert _link(answer.content.decode()) not in again


def test_a_link_works_once(cast: Cast, signed_in: SignIn) -> None:
    link = _invite(signed_in(cast.owner), cast, "a@b.example")

    Client().post(link, {"name": "Ann", "password": PASSWORD})
    second = Client().post(link, {"name": "Eve", "password": PASSWORD})

    assert second.status_code == 404
    assert User.objects.get(email="a@b.example").name == "Ann"


def test_a_link_runs_out_after_seven_days(cast: Cast, signed_in: SignIn) -> None:
    link = _invite(signed_in(cast.owner), cast, "a@b.example")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert Client().get(link).status_code == 404


def test_a_link_taken_back_or_replaced_is_worthless(cast: Cast, signed_in: SignIn) -> None:
    owner = signed_in(cast.owner)
    first = _invite(owner, cast, "a@b.example")
    second = _invite(owner, cast, "a@b.example")
    invitation = Invitation.objects.get(email="a@b.example")

    owner.post(f"{_people(cast)}invitations/{invitation.pk}/take-back/")

    assert [Client().get(link).status_code for link in (first, second)] == [404, 404]


def test_a_person_with_an_account_signs_in_to_come_in(cast: Cast, signed_in: SignIn) -> None:
    known = builders.a_user(email="ann@elsewhere.example")
    link = _invite(signed_in(cast.owner), cast, known.email, "accountant")

    asked = Client().get(link).content.decode()
    taken_over = Client().post(link, {"name": "Eve", "password": PASSWORD})
    other = signed_in(cast.stranger).post(link)
    came = signed_in(known).post(link)

    assert "Sign in with it" in asked
    assert (taken_over.status_code, other.status_code) == (200, 200)
    assert came.status_code == 302
    assert Membership.objects.get(tenant=cast.tenant, user=known).role == Role.ACCOUNTANT


def test_a_weak_password_is_refused_in_words(cast: Cast, signed_in: SignIn) -> None:
    link = _invite(signed_in(cast.owner), cast, "a@b.example")

    answer = Client().post(link, {"name": "Ann", "password": "short"})

    assert answer.status_code == 422
    assert not User.objects.filter(email="a@b.example").exists()


def test_a_member_is_not_invited_again(cast: Cast, signed_in: SignIn) -> None:
    answer = signed_in(cast.owner).post(
        f"{_people(cast)}invite/", {"email": cast.viewer.email, "role": "owner"}
    )

    assert answer.status_code == 422
    assert "belongs to" in answer.content.decode()


def test_an_owner_changes_a_role_and_the_page_tells_who_did(cast: Cast, signed_in: SignIn) -> None:
    owner = signed_in(cast.owner)

    owner.post(f"{_people(cast)}{cast.viewer.pk}/", {"role": "accountant"})

    assert Membership.objects.get(tenant=cast.tenant, user=cast.viewer).role == Role.ACCOUNTANT
    assert "member.role_changed" in _actions(cast)


@pytest.mark.parametrize("data", [{"act": "remove"}, {"role": "viewer"}])
def test_the_last_owner_stays(cast: Cast, signed_in: SignIn, data: dict[str, str]) -> None:
    owner = signed_in(cast.owner)

    answer = owner.post(f"{_people(cast)}{cast.owner.pk}/", data, follow=True)

    assert "would be without an owner" in answer.content.decode()
    assert Membership.objects.get(tenant=cast.tenant, user=cast.owner).role == Role.OWNER


def test_who_is_removed_sees_nothing_any_more_and_their_tokens_stop(
    cast: Cast, signed_in: SignIn
) -> None:
    second = builders.a_member(cast.tenant, Role.OWNER)
    ApiToken.issue(
        tenant=cast.tenant, role=Role.OWNER, label="x", created_by=second, now=timezone.now()
    )
    theirs = signed_in(second)

    signed_in(cast.owner).post(f"{_people(cast)}{second.pk}/", {"act": "remove"})

    assert theirs.get(_people(cast)).status_code == 404
    assert not ApiToken.objects.filter(created_by=second, revoked_at=None).exists()


def test_a_token_may_do_no_more_than_its_maker(cast: Cast, signed_in: SignIn) -> None:
    second = builders.a_member(cast.tenant, Role.OWNER)
    for role in Role:
        ApiToken.issue(
            tenant=cast.tenant, role=role, label=role, created_by=second, now=timezone.now()
        )

    signed_in(cast.owner).post(f"{_people(cast)}{second.pk}/", {"role": "accountant"})

    left = ApiToken.objects.filter(created_by=second, revoked_at=None)
    assert {token.role for token in left} == {Role.ACCOUNTANT, Role.VIEWER}


def test_a_token_is_shown_once_works_and_is_revoked(cast: Cast, signed_in: SignIn) -> None:
    owner = signed_in(cast.owner)

    shown = owner.post(f"/{cast.tenant.slug}/tokens/", {"label": "Workbook", "role": "viewer"})
    found = re.search(r"mlc_[\w-]+", shown.content.decode())
    assert found
    machine = {"HTTP_AUTHORIZATION": f"Bearer {found[0]}"}
    before = Client().get("/api/v1/companies/", **machine)  # type: ignore[arg-type]
    token = ApiToken.objects.get(label="Workbook")
    owner.post(f"/{cast.tenant.slug}/tokens/{token.pk}/revoke/")
    after = Client().get("/api/v1/companies/", **machine)  # type: ignore[arg-type]

    assert "no-store" in shown["Cache-Control"]
    assert (before.status_code, after.status_code) == (200, 401)
    assert found[0] not in owner.get(_people(cast)).content.decode()
    assert {"api_token.issued", "api_token.revoked"} <= set(_actions(cast))


@pytest.mark.parametrize("who", ["accountant", "viewer"])
def test_others_see_the_people_and_cannot_change_them(
    cast: Cast, signed_in: SignIn, who: str
) -> None:
    client = signed_in(getattr(cast, who))

    page = client.get(_people(cast)).content.decode()
    answer = client.post(f"{_people(cast)}invite/", {"email": "a@b.example", "role": "owner"})

    assert cast.owner.email in page
    assert "Make a token" not in page
    assert answer.status_code == 403


def test_an_owner_adds_a_company(cast: Cast, signed_in: SignIn) -> None:
    answer = signed_in(cast.owner).post(
        f"/{cast.tenant.slug}/new-company/",
        {"name": "People", "time_zone": "America/Chicago", "currency": "usd"},
    )

    with tenant_scope(cast.tenant.pk):
        company = Company.objects.for_tenant(cast.tenant).get(name="People")
    assert (company.slug, company.currency) == ("people-2", "USD")
    assert answer["Location"] == f"/{cast.tenant.slug}/people-2/setup/"


def test_signing_up_makes_a_firm_with_its_owner(client: Client) -> None:
    said = {
        "email": "tom@foods.example",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "name": "Tom Okafor",
        "firm": "Calder Foods Group",
        "time_zone": "America/Chicago",
    }

    answer = client.post("/accounts/signup/", said, follow=True)

    member = Membership.objects.get(user__email="tom@foods.example")
    assert (member.role, member.tenant.name) == (Role.OWNER, "Calder Foods Group")
    assert (member.user.name, member.user.time_zone) == ("Tom Okafor", "America/Chicago")
    assert "Add your first company" in answer.content.decode()


def test_a_forgotten_password_is_replaced_by_mail(mailed: list[mail.EmailMessage]) -> None:
    builders.a_user(email="ann@novak.example")
    client = Client()

    client.post("/accounts/password/reset/", {"email": "ann@novak.example"})
    link = re.search(r"/accounts/password/reset/key/\S+", str(mailed[0].body))
    assert link
    form = client.get(link[0], follow=True)
    client.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})

    assert User.objects.get(email="ann@novak.example").check_password(PASSWORD)
    assert mailed[0].subject == "Set a new password for ml-connector"
