"""Sealed secrets: what a wrong key, another place or a form may never do."""

from __future__ import annotations

import base64
import copy
import os
import pickle
from io import StringIO
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection

from integrations import canary
from integrations.models import BillConnection, KeyCanary, Sage300Connection
from integrations.secrets import Condition, Secret, SecretUnreadable, condition, seal, unseal
from tenants.scoping import tenant_scope
from tests.builders import NOW, a_company, a_tenant

PASSWORD = "correct horse Battery 9"


def a_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def a_connection(company: Any = None, **changes: Any) -> BillConnection:
    company = company or a_company()
    values = {
        "user_name": "dana@calder.example",
        "password": PASSWORD,
        "organization_id": "00801ORG",
        "developer_key": "dev-key",
    }
    with tenant_scope(company.tenant_id):
        return BillConnection.objects.create(
            tenant_id=company.tenant_id, company=company, **(values | changes)
        )


def again(row: BillConnection) -> BillConnection:
    with tenant_scope(row.tenant_id):
        return BillConnection.objects.for_tenant(row.tenant_id).get(pk=row.pk)


def stored(row: BillConnection, column: str = "password") -> str:
    with tenant_scope(row.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM integrations_billconnection WHERE id = %s",
            [row.pk],
        )
        return str(cursor.fetchone()[0])


def store(row: BillConnection, column: str, text: str | None) -> None:
    with tenant_scope(row.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE integrations_billconnection SET {column} = %s WHERE id = %s",
            [text, row.pk],
        )


@pytest.mark.django_db
def test_a_secret_is_sealed_at_rest_and_opens_only_by_revealing() -> None:
    row = again(a_connection())

    assert row.password.reveal() == PASSWORD
    assert stored(row).startswith("k2:")
    assert PASSWORD not in stored(row)
    assert {str(row.password), repr(row.password), f"{row.password:>5}"} == {"***"}


@pytest.mark.django_db
def test_a_secret_is_in_no_dump_of_the_row() -> None:
    row = again(a_connection())

    with tenant_scope(row.tenant_id):
        listed = list(BillConnection.objects.for_tenant(row.tenant_id).values_list("password"))

    assert PASSWORD not in repr(row.__dict__) + repr(listed)
    assert PASSWORD.encode() not in pickle.dumps(row)
    with pytest.raises(Exception, match="secret"):
        serializers.serialize("json", [row])
    assert copy.deepcopy(row.password).reveal() == PASSWORD
    with pytest.raises(TypeError):
        pickle.dumps(Secret.of(PASSWORD))


@pytest.mark.django_db
def test_under_another_key_the_secret_is_unreadable_and_survives_a_save(settings: Any) -> None:
    row = a_connection()
    right_keys = settings.CREDENTIAL_KEYS
    before = stored(row)

    settings.CREDENTIAL_KEYS = [a_key()]
    found = again(row)
    with pytest.raises(SecretUnreadable):
        found.password.reveal()
    found.user_name = "new@calder.example"
    with tenant_scope(row.tenant_id):
        found.save()

    assert stored(row) == before
    settings.CREDENTIAL_KEYS = right_keys
    assert again(row).password.reveal() == PASSWORD


@pytest.mark.django_db
def test_an_earlier_key_in_second_place_still_opens(settings: Any) -> None:
    row = a_connection()

    settings.CREDENTIAL_KEYS = [a_key(), *settings.CREDENTIAL_KEYS]

    assert again(row).password.reveal() == PASSWORD


@pytest.mark.django_db
def test_a_secret_copied_to_another_row_or_column_does_not_open() -> None:
    mine, theirs = a_connection(), a_connection()

    store(theirs, "password", stored(mine))
    store(mine, "developer_key", stored(mine))

    with pytest.raises(SecretUnreadable):
        again(theirs).password.reveal()
    with pytest.raises(SecretUnreadable):
        again(mine).developer_key.reveal()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["plain password", "k2:abc", "k2::", "gAAAAABplain"])
def test_a_cell_that_was_never_sealed_is_refused(text: str) -> None:
    row = a_connection()

    store(row, "password", text)

    with pytest.raises(SecretUnreadable):
        again(row).password.reveal()


@pytest.mark.django_db
def test_a_failed_validation_does_not_poison_later_reads() -> None:
    row = again(a_connection(user_name=""))

    with tenant_scope(row.tenant_id), pytest.raises(ValidationError):
        row.full_clean()

    assert again(row).password.reveal() == PASSWORD


@pytest.mark.django_db
def test_a_query_can_neither_match_nor_write_plain_text() -> None:
    row = a_connection()

    with tenant_scope(row.tenant_id):
        rows = BillConnection.objects.for_tenant(row.tenant_id)
        with pytest.raises(TypeError):
            list(rows.filter(password=PASSWORD))
        with pytest.raises(TypeError):
            rows.update(password="other")


@pytest.mark.django_db
def test_nothing_stored_is_false_and_empty() -> None:
    row = again(a_connection(developer_key=""))

    assert not row.developer_key
    assert row.developer_key.reveal() == ""
    assert row.password


@pytest.mark.django_db
def test_a_deferred_secret_is_loaded_when_asked_for() -> None:
    row = a_connection()

    with tenant_scope(row.tenant_id):
        found = BillConnection.objects.for_tenant(row.tenant_id).defer("password").get()

        assert found.password.reveal() == PASSWORD


@pytest.mark.django_db
def test_a_changed_secret_replaces_the_old_one() -> None:
    row = again(a_connection())

    row.password = "another one"
    with tenant_scope(row.tenant_id):
        row.save()
        row.refresh_from_db()

    assert row.password.reveal() == "another one"
    assert again(row).password.reveal() == "another one"


def test_two_secrets_are_equal_by_their_text() -> None:
    assert Secret.of("a") == Secret.of("a")
    assert Secret.of("a") != Secret.of("b")
    assert Secret.of("a") != "a"


def test_a_sealed_text_opens_for_its_purpose_only() -> None:
    sealed = seal("session", "bill session x")

    assert unseal(sealed, "bill session x") == "session"
    with pytest.raises(SecretUnreadable):
        unseal(sealed, "bill session y")
    assert sealed != seal("session", "bill session x")


@pytest.mark.parametrize("keys", [[], ["too short"], [base64.b64encode(b"x" * 31).decode()], ["ä"]])
def test_a_key_that_is_none_is_said_at_once(settings: Any, keys: list[str]) -> None:
    settings.CREDENTIAL_KEYS = keys

    with pytest.raises(ImproperlyConfigured):
        seal("x", "y")


def test_a_cell_is_classified_without_being_shown(settings: Any) -> None:
    first = settings.CREDENTIAL_KEYS = [a_key()]
    old = seal("x", "p")
    settings.CREDENTIAL_KEYS = [a_key(), *first]

    assert condition(seal("x", "p"), "p") is Condition.CLEAN
    assert condition(old, "p") is Condition.LEGACY
    assert condition(old, "q") is Condition.UNREADABLE
    assert condition("plain", "p") is Condition.PLAINTEXT
    assert condition(None, "p") is Condition.EMPTY


@pytest.mark.django_db
def test_the_canary_stops_a_start_with_another_key(settings: Any) -> None:
    canary.verify()
    canary.verify()

    settings.CREDENTIAL_KEYS = [a_key()]

    with pytest.raises(canary.WrongKey, match="CREDENTIAL_KEYS is not the key"):
        canary.verify()


def rotate(*options: str) -> str:
    out = StringIO()
    call_command("rotate_credentials", *options, stdout=out)
    return out.getvalue()


def audit() -> str:
    out = StringIO()
    call_command("audit_credentials", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_rotation_seals_everything_under_the_first_key_and_can_be_repeated(settings: Any) -> None:
    rows = [a_connection(), a_connection()]
    canary.verify()
    old_keys = settings.CREDENTIAL_KEYS
    new_key = a_key()
    settings.CREDENTIAL_KEYS = [new_key, *old_keys]

    rehearsal = rotate("--dry-run")
    with pytest.raises(CommandError, match="legacy"):
        audit()
    done = rotate()
    settings.CREDENTIAL_KEYS = [new_key]

    assert "4 secrets would be sealed again" in rehearsal
    assert "4 secrets were sealed again" in done
    assert "0 secrets were sealed again" in rotate()
    assert [again(row).password.reveal() for row in rows] == [PASSWORD, PASSWORD]
    assert "clean" in audit()
    canary.verify()


@pytest.mark.django_db
def test_an_audit_counts_what_it_finds_and_fails_unless_all_is_clean() -> None:
    row = a_connection()
    store(row, "password", "plain")

    with pytest.raises(CommandError) as failed:
        audit()

    assert "1 plaintext" in str(failed.value)


@pytest.mark.django_db
def test_rotation_leaves_a_secret_it_cannot_open_and_says_so() -> None:
    row = a_connection()
    store(row, "password", "plain")

    with pytest.raises(CommandError, match="1 secret cannot be opened"):
        rotate()

    assert stored(row) == "plain"


@pytest.mark.django_db
def test_a_late_refusal_of_old_credentials_does_not_pause_the_new_ones() -> None:
    row = a_connection()
    stale = again(row)

    with tenant_scope(row.tenant_id):
        row.password = "new"
        row.renew(now=NOW)
        has_won = stale.pause(reason="refused", now=NOW)

    assert not has_won
    assert not again(row).is_paused


@pytest.mark.django_db
def test_a_refused_connection_is_paused_once_and_resumed() -> None:
    row = a_connection()
    other = again(row)

    with tenant_scope(row.tenant_id):
        answers = [row.pause(reason="why", now=NOW), other.pause(reason="again", now=NOW)]

    assert answers == [True, False]
    assert (again(row).is_paused, again(row).paused_reason) == (True, "why")
    with tenant_scope(row.tenant_id):
        assert row.resume()
    assert not again(row).is_paused


@pytest.mark.django_db
def test_a_sage_password_is_sealed_beside_the_one_canary() -> None:
    tenant = a_tenant()
    company = a_company(tenant)
    with tenant_scope(tenant.pk):
        sage = Sage300Connection.objects.create(
            tenant=tenant,
            company=company,
            base_url="https://sage.example.com",
            company_database="CALBAK",
            user_name="MLCONN",
            password="PRACTICE",
        )
    canary.verify()

    assert sage.password.reveal() == "PRACTICE"
    assert KeyCanary.objects.count() == 1
