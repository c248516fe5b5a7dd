"""Operators see no secret of anybody's, on no page, in no form: not the text, its seal or its hash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.test import Client, RequestFactory

from integrations.models import (
    BillConnection,
    BillSessionRow,
    Sage300Connection,
    WebhookAddress,
    WebhookKey,
    WebhookSubscription,
)
from integrations.secrets import seal
from sync.domain.reconciliation import Mover, Part
from sync.models import (
    Batch,
    Discrepancy,
    LogEntry,
    MappingRule,
    MappingRuleChange,
    Reconciliation,
    Run,
    VendorLink,
    WebhookEvent,
)
from sync.services.operating import OperatorDeed
from tenants import audit
from tenants.inviting import invite
from tenants.models import ApiToken, Company, User
from tenants.scoping import operator_scope, tenant_scope
from tests import builders
from tests.integration.sync.firms import a_firm, went_wrong
from tests.integration.sync.workbench import now

SignIn = Callable[[User], Client]
TENANTS = "/admin/tenants/tenant/"


@pytest.mark.django_db(transaction=True)
def test_no_admin_page_shows_a_secret_or_carries_anything_inline(signed_in: SignIn) -> None:
    operator = builders.an_operator()
    browser = signed_in(operator)
    company, secrets = a_firm_with_secrets()
    pages = list(dict.fromkeys(pages_of_the_admin(company, operator)))
    browser.post("/admin/sync/posting/reason/", {"query": "", "reason": "To look at each page"})

    shown, inline = [], []
    for address in pages:
        answer = browser.get(address, follow=True)
        assert answer.status_code == 200, address
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        text = answer.content.decode()
        shown += [(address, name) for name, secret in secrets.items() if secret in text]
        inline += [(address, found) for found in INLINE.findall(text)]

    assert not shown
    assert not inline
    assert len(pages) > 70


INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)[^>]*>|\sstyle=|\son[a-z]+=|javascript:")


def a_firm_with_secrets() -> tuple[Company, dict[str, str]]:
    """A firm with a row of every kind, and what must be nowhere: texts, seals and hashes."""
    company = a_firm("Calder", posting={"state": "ATTENTION"})
    went_wrong(company, "unknown")
    tenant, owner = company.tenant, {"tenant_id": company.tenant_id, "company": company}
    secrets = {"password": "plain-bill-password", "key": "plain-developer-key",
               "sage": "PLAIN-SAGE-PASSWORD", "hook": "plain-webhook-signing-key"}  # fmt: skip
    with tenant_scope(tenant.pk):
        bill = BillConnection.objects.get(company=company)
        bill.password, bill.developer_key = secrets["password"], secrets["key"]
        sage = Sage300Connection.objects.get(company=company)
        sage.password = secrets["sage"]
        address = WebhookAddress.objects.create(
            tenant_id=tenant.pk, company_id=company.pk, created_at=now()
        )
        hook = WebhookSubscription.objects.create(**owner, address_id=address.pk)
        hook_key = WebhookKey(
            tenant_id=tenant.pk, subscription=hook, key=secrets["hook"], created_at=now()
        )
        for row in (bill, sage, hook_key):
            row.save()
        secrets |= {
            "sealed password": bill.password.sealed, "sealed key": bill.developer_key.sealed,
            "sealed sage": sage.password.sealed, "sealed hook": hook_key.key.sealed,
        }  # fmt: skip
        WebhookEvent.objects.create(
            **owner, event_id="e", event_type="bill.updated", body=b"{}", received_at=now()
        )
        Batch.objects.create(
            **owner, database_key="sage/CALBAK", tag="MLC-1", description="", invoices={}, facts={},
            stage="done", lease_epoch=1, entry_count=1, total_amount=1, made_at=now(),
        )  # fmt: skip
        rule = MappingRule.objects.create(**owner, gl_account="6", made_at=now(), account_id="a")
        MappingRuleChange.objects.create(
            **owner, rule_id=rule.pk, at=now(), action="made", source="page", actor_name="Ann"
        )
        VendorLink.objects.create(**owner, bill_vendor_id="v", name="Novak", read_at=now())
        LogEntry.objects.create(**owner, at=now(), event="posting.ready", sentence="Ready.")
        compared = Reconciliation.objects.create(
            **owner, trigger="person", started_at=now(), heard_at=now()
        )
        Discrepancy.objects.create(
            **owner, reconciliation=compared, key="k", part=Part.ACCOUNTS, kind="gone",
            mover=next(iter(Mover)), title="6420-100 is gone", first_seen_at=now(), last_seen_at=now(),
        )  # fmt: skip
        Run.objects.create(**owner, trigger="person", started_at=now(), heard_at=now())
        audit.record(tenant=tenant, actor=audit.SYSTEM, action="test.done", now=now())
    session = seal("plain-session", "bill session")
    BillSessionRow.objects.create(key="s" * 64, session=session)
    person = builders.a_member(tenant, email="ann@calder.example")
    person.set_password("plain password of a person")
    person.save()
    EmailAddress.objects.create(user=person, email=person.email)
    token = builders.an_api_token(tenant)
    with tenant_scope(tenant.pk):
        invitation, link = invite(
            tenant=tenant, email="b@calder.example", role="owner", by=person, actor=audit.SYSTEM,
            now=now(),
        )  # fmt: skip
    return company, secrets | {
        "session": session, "person": person.password, "token": token,
        "token's hash": ApiToken.hash_of(token), "link": link, "link's hash": invitation.secret_hash,
        "session's key": "s" * 64,
    }  # fmt: skip


def pages_of_the_admin(company: Company, operator: User) -> Iterator[str]:
    """Every page of every table with one of its rows, and the pages between."""
    asker = RequestFactory().get("/admin/")
    asker.user = operator
    yield "/admin/"
    yield "/admin/password_change/"
    for deed in OperatorDeed:
        yield f"{TENANTS}operate/?deed={deed}&of=tenants&id={company.tenant_id}"
    yield f"{TENANTS}{company.tenant_id}/invite/"
    yield f"/admin/tenants/user/{operator.pk}/password/"
    for model, model_admin in admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield f"/admin/{model._meta.app_label}/"
        yield base
        if model_admin.search_fields:
            yield f"{base}?q=a"
        if model_admin.has_add_permission(asker):
            yield f"{base}add/"
        with operator_scope():
            row = model._default_manager.first()
        assert row is not None, model
        for page in ("change", "history"):
            yield f"{base}{row.pk}/{page}/"
        if model_admin.has_delete_permission(asker):
            yield f"{base}{row.pk}/delete/"
