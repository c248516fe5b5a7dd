"""`manage.py provision`: all of a file or nothing, the same again, and every fault told in words."""

import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.management import CommandError, call_command

from integrations.models import BillConnection, Sage300Connection, WebhookKey, WebhookSubscription
from sync.models import CatalogueList, CompanyPolicy, DueWork, LogEntry, MappingRule, VendorLink
from sync.models.vendor import LinkState
from tenants.models import ApiToken, AuditEvent, Company, Membership, Tenant, User
from tenants.scoping import operator_scope, tenant_scope
from tests.builders import NOW
from tests.integration.integrations.bill_world import (
    ACCOUNT,
    ORGANIZATION,
    VENDOR,
    Served,
    a_bill_server,
)

pytestmark = pytest.mark.django_db


def a_document(**overrides: Any) -> dict[str, Any]:
    return {
        "tenant": {"slug": "calder", "name": "Calder Foods"},
        "people": [
            {
                "email": "Dana@calder.example",
                "name": "Dana Whitfield",
                "role": "owner",
                "password": "flour-and-water-7",
            }
        ],
        "operators": [{"email": "ops@connector.example", "password": "steady-hands-31"}],
        "companies": [a_company_part()],
        "api_tokens": [{"label": "Monitoring", "role": "viewer"}],
        **overrides,
    }


def a_company_part(**overrides: Any) -> dict[str, Any]:
    return {
        "slug": "bakery",
        "name": "Calder Bakery",
        "time_zone": "America/Chicago",
        "bill": {
            "environment": "practice",
            "user_name": "connector",
            "password": "token-value",
            "organization_id": ORGANIZATION,
            "developer_key": "key-1",
        },
        "sage300": {
            "base_url": "https://sage.calder.example/Sage300WebApi/",
            "company_database": "CALBAK",
            "user_name": "MLCONN",
            "password": "secret",
        },
        "policy": {"batch_size": 10, "cutover_date": "2026-11-01"},
        **overrides,
    }


def run(document: object, folder: Path) -> dict[str, Any]:
    file = folder / "calder.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    out = io.StringIO()
    call_command("provision", str(file), stdout=out)
    return json.loads(out.getvalue())


def refusal(document: object, folder: Path) -> tuple[int, list[tuple[str, str]], str]:
    """Exit code, (pointer, sentence) of each problem, and what was said to a person."""
    file = folder / "calder.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    out = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("provision", str(file), stdout=out)
    told = json.loads(out.getvalue())["problems"] if out.getvalue() else []
    problems = [(one["pointer"], one["sentence"]) for one in told]
    return refused.value.returncode, problems, str(refused.value)


def everything() -> dict[str, int]:
    models = (
        Tenant, Company, User, Membership, ApiToken, BillConnection, Sage300Connection,
        CompanyPolicy, MappingRule, VendorLink, AuditEvent, DueWork, WebhookSubscription,
        WebhookKey, LogEntry,
    )  # fmt: skip
    with operator_scope():
        return {model.__name__: model.objects.count() for model in models}


@pytest.fixture
def bill(settings: Any) -> Iterator[Served]:
    with a_bill_server() as served:
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL = served.url
        settings.PUBLIC_URL = ""
        yield served


@pytest.fixture(autouse=True)
def _polling_only(settings: Any) -> None:
    settings.PUBLIC_URL = ""


def test_file_becomes_a_tenant_with_people_connections_policy_and_tokens(tmp_path: Path) -> None:
    outcome = run(a_document(), tmp_path)

    tenant = Tenant.objects.get(slug="calder")
    assert outcome["tenant"] == {"id": str(tenant.pk), "slug": "calder", "made": True}
    assert outcome["people"] == [{"email": "dana@calder.example", "role": "owner", "made": True}]
    assert User.objects.get(email="dana@calder.example").check_password("flour-and-water-7")
    assert User.objects.get(email="ops@connector.example").is_staff
    with tenant_scope(tenant.pk):
        company = Company.objects.get(slug="bakery")
        bill = BillConnection.objects.get(company=company)
        sage = Sage300Connection.objects.get(company=company)
        policy = CompanyPolicy.objects.get(company=company).policy()
    assert outcome["companies"][0]["path"] == "/calder/bakery/"
    assert (bill.password.reveal(), bill.developer_key.reveal()) == ("token-value", "key-1")
    assert (sage.base_url, sage.password.reveal()) == (
        "https://sage.calder.example/Sage300WebApi",
        "secret",
    )
    assert (policy.batch_size, policy.cutover_date) == (10, date(2026, 11, 1))
    assert DueWork.objects.filter(company_id=company.pk).exists()
    [token] = outcome["api_tokens"]
    assert token["made"] is True
    assert ApiToken.objects.get(tenant=tenant).token_hash == ApiToken.hash_of(token["token"])


def test_second_run_changes_nothing_and_prints_the_same_keys(tmp_path: Path, bill: Served) -> None:
    part = a_company_part(
        mapping_rules=[{"account": {"number": "6210-100"}, "gl_account": "5010-100"}],
        skip_rules=[{"name": "Cards", "invoice_number_prefix": "CC-"}],
        vendor_links=[{"vendor": {"name": "novák mills"}, "sage_number": "NOVAK"}],
        group_accounts={"TRADE": "5010-100"},
    )
    document = a_document(companies=[part])
    first = run(document, tmp_path)
    before = everything()
    with operator_scope():
        versions = [
            *BillConnection.objects.values_list("credential_version", flat=True),
            *CompanyPolicy.objects.values_list("version", flat=True),
        ]

    second = run(document, tmp_path)

    assert everything() == before
    assert set(second) == set(first)
    assert [set(one) for one in second["companies"]] == [set(one) for one in first["companies"]]
    assert second["companies"][0]["changed"] == []
    assert second["companies"][0]["made"] is False
    assert second["api_tokens"] == [
        {"label": "Monitoring", "role": "viewer", "made": False, "token": None}
    ]
    with operator_scope():
        assert versions == [
            *BillConnection.objects.values_list("credential_version", flat=True),
            *CompanyPolicy.objects.values_list("version", flat=True),
        ]


def test_changed_password_renews_the_connection(tmp_path: Path) -> None:
    run(a_document(), tmp_path)
    part = a_company_part()
    part["sage300"]["password"] = "newer"

    outcome = run(a_document(companies=[part]), tmp_path)

    assert outcome["companies"][0]["changed"] == ["sage300"]
    with operator_scope():
        assert Sage300Connection.objects.get().credential_version == 2


def test_policy_keys_left_out_keep_what_they_are(tmp_path: Path) -> None:
    run(a_document(), tmp_path)

    run(a_document(companies=[a_company_part(policy={"release": "post"})]), tmp_path)

    with operator_scope():
        row = CompanyPolicy.objects.get()
        assert (row.policy().batch_size, row.policy().release, row.version) == (10, "post", 2)


def test_secrets_come_from_environment_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = a_company_part()
    part["bill"] |= {"password": {"env": "CALDER_TOKEN"}, "developer_key": {"file": "key.txt"}}
    monkeypatch.setenv("CALDER_TOKEN", "from the environment")
    (tmp_path / "key.txt").write_text("from a file\n")

    run(a_document(companies=[part]), tmp_path)

    with operator_scope():
        row = BillConnection.objects.get()
        assert row.password.reveal() == "from the environment"
        assert row.developer_key.reveal() == "from a file"


def test_rules_name_bill_records_by_number_name_or_id(tmp_path: Path, bill: Served) -> None:
    rules = [
        {"account": {"number": "6210100"}, "gl_account": "5010-100"},
        {"account": {"name": "flour"}, "vendor": {"name": "Novák Mills"}, "gl_account": "5020-100"},
        {"department": {"id": "0de00000000000000001"}, "gl_account": "5030-100"},
    ]

    run(a_document(companies=[a_company_part(mapping_rules=rules)]), tmp_path)

    with operator_scope():
        found = {
            row.gl_account: (row.account_id, row.vendor_id, row.department_id)
            for row in MappingRule.objects.all()
        }
    assert found == {
        "5010-100": (ACCOUNT, "", ""),
        "5020-100": (ACCOUNT, VENDOR, ""),
        "5030-100": ("", "", "0de00000000000000001"),
    }


def test_names_are_found_in_lists_read_before_without_asking_bill(tmp_path: Path) -> None:
    run(a_document(), tmp_path)
    tenant = Tenant.objects.get()
    item = {"kind": "departments", "id": "0de1", "name": "Sales"}
    with tenant_scope(tenant.pk):
        CatalogueList.objects.create(
            tenant=tenant,
            company=Company.objects.get(),
            kind="bill.departments",
            rows=[item],
            read_at=NOW,
        )
    rules = [{"department": {"name": "sales"}, "gl_account": "5010-100"}]

    run(a_document(companies=[a_company_part(mapping_rules=rules)]), tmp_path)

    with operator_scope():
        assert MappingRule.objects.get().department_id == "0de1"


def test_link_moves_a_vendor_already_read_and_is_logged(tmp_path: Path) -> None:
    run(a_document(), tmp_path)
    tenant = Tenant.objects.get()
    with tenant_scope(tenant.pk):
        VendorLink.objects.create(
            tenant=tenant,
            company=Company.objects.get(),
            bill_vendor_id=VENDOR,
            name="Novák Mills",
            read_at=NOW,
            state=LinkState.ASK,
        )
    links = [{"vendor": {"name": "Novák Mills"}, "sage_number": "novak"}]

    outcome = run(a_document(companies=[a_company_part(vendor_links=links)]), tmp_path)

    assert outcome["companies"][0]["changed"] == ["policy", "vendor_links"]
    with operator_scope():
        link = VendorLink.objects.get()
        assert (link.state, link.sage_number) == (LinkState.LINKED, "NOVAK")
        assert CompanyPolicy.objects.get().policy().number_map == {VENDOR: "NOVAK"}
        assert LogEntry.objects.get().event == "vendor.linked"


def test_polling_only_is_said_where_bill_cannot_reach_us(tmp_path: Path, bill: Served) -> None:
    webhook = run(a_document(), tmp_path)["companies"][0]["webhook"]

    assert webhook["status"] == "polling_only"
    assert "PUBLIC_URL" in webhook["sentence"]


def test_subscription_is_registered_where_bill_can_reach_us(
    tmp_path: Path, bill: Served, settings: Any
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"

    webhook = run(a_document(), tmp_path)["companies"][0]["webhook"]

    assert webhook["status"] == "registered"
    with operator_scope():
        assert WebhookKey.objects.get().key.reveal()


def test_refused_credentials_do_not_fail_the_command(
    tmp_path: Path, bill: Served, settings: Any
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    part = a_company_part()
    part["bill"]["password"] = "wrong"

    webhook = run(a_document(companies=[part]), tmp_path)["companies"][0]["webhook"]

    assert webhook["status"] == "polling_only"
    assert "user name and password" in webhook["sentence"]


def test_weak_password_and_unusable_address_are_warned_of(tmp_path: Path) -> None:
    part = a_company_part()
    part["sage300"]["base_url"] = "http://10.0.0.7/Sage300WebApi"
    people = [{"email": "dana@calder.example", "role": "owner", "password": "short"}]

    warnings = run(a_document(people=people, companies=[part]), tmp_path)["warnings"]

    assert [one["pointer"] for one in warnings] == [
        "/people/0/password",
        "/companies/0/sage300/base_url",
    ]


def _part_with(**changes: Any) -> dict[str, Any]:
    """A document whose company part differs at dotted places."""
    part = a_company_part()
    for place, value in changes.items():
        inner, _, key = place.partition("__")
        if key:
            part[inner][key] = value
        else:
            part[inner] = value
    return a_document(companies=[part])


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ([], "", "This is an object"),
        (a_document(tenent={}), "/tenent", "Did you mean “tenant”?"),
        (_part_with(time_zon="UTC"), "/companies/0/time_zon", "Did you mean “time_zone”?"),
        (
            _part_with(bill__environment="prod"),
            "/companies/0/bill/environment",
            "production, sandbox or practice",
        ),
        (
            _part_with(bill__password={"env": "NOT_SET_ANYWHERE"}),
            "/companies/0/bill/password/env",
            "NOT_SET_ANYWHERE is not there",
        ),
        (
            _part_with(bill__developer_key={"file": "nowhere.txt"}),
            "/companies/0/bill/developer_key/file",
            "nowhere.txt is not there",
        ),
        (_part_with(sage300__company_database="TOOLONGID"), "/companies/0/sage300/company_database",
         "6 is the most"),
        (_part_with(sage300__password=7), "/companies/0/sage300/password", "This is a text"),
        (_part_with(policy={"batch_sise": 3}), "/companies/0/policy/batch_sise", "“batch_size”"),
        (_part_with(policy={"release": "now"}), "/companies/0/policy/release", "open, ready or"),
        (_part_with(policy={"currency": "CAD"}), "/companies/0/policy/currency", "the same"),
        (_part_with(time_zone="Chicago"), "/companies/0/time_zone", "America/Chicago"),
        (_part_with(mapping_rules=[{"gl_account": "1"}]), "/companies/0/mapping_rules/0",
         "needs a condition"),
        (
            _part_with(mapping_rules=[{"gl_account": "1", "account": {"id": "a", "name": "b"}}]),
            "/companies/0/mapping_rules/0/account",
            "one of id, number or name",
        ),
        (_part_with(skip_rules=[{"name": "All"}]), "/companies/0/skip_rules/0", "every bill"),
        (a_document(tenant={"slug": "admin", "name": "A"}), "/tenant/slug", "our own pages"),
        (a_document(tenant={"slug": "calder"}), "/tenant", "“name” is missing"),
        (
            a_document(people=[{"email": "nobody", "role": "owner"}]),
            "/people/0/email",
            "not an e-mail address",
        ),
        (a_document(companies=[a_company_part(), a_company_part()]), "/companies/1", "twice"),
    ],
)  # fmt: skip
def test_refused_content_is_told_with_its_place_and_changes_nothing(
    tmp_path: Path, document: object, pointer: str, words: str
) -> None:
    code, problems, said = refusal(document, tmp_path)

    assert code == 1
    assert [one for one, _ in problems] == [pointer]
    assert words in problems[0][1]
    assert "Nothing was changed" in said
    assert not Tenant.objects.exists()
    assert not User.objects.exists()


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    document = _part_with(bill__environment="prod", time_zone="Nowhere")
    document["people"][0]["role"] = "boss"

    _, problems, _ = refusal(document, tmp_path)

    assert [pointer for pointer, _ in problems] == [
        "/people/0/role",
        "/companies/0/time_zone",
        "/companies/0/bill/environment",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ('{"tenant": ', "is not JSON"),
        ('{"tenant": {}, "tenant": {}}', "“tenant” stands twice"),
        ('{"tenant": NaN}', "NaN is no JSON number"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_file_that_is_not_json_is_unreadable(tmp_path: Path, text: str, words: str) -> None:
    code, _, said = refusal(text, tmp_path)

    assert (code, words in said) == (2, True)


def test_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read") as refused:
        call_command("provision", str(tmp_path / "nothing.json"))

    assert refused.value.returncode == 2


def test_unknown_record_name_is_refused_and_nothing_is_made(tmp_path: Path, bill: Served) -> None:
    rules = [{"account": {"name": "Flower"}, "gl_account": "5010-100"}]

    code, problems, _ = refusal(
        a_document(companies=[a_company_part(mapping_rules=rules)]), tmp_path
    )

    assert code == 1
    assert problems == [
        (
            "/companies/0/mapping_rules/0/account",
            "BILL has no account with the name “Flower”. Correct it, or name the record by its id.",
        )
    ]
    assert not Tenant.objects.exists()


def test_fault_found_while_writing_takes_everything_back(tmp_path: Path) -> None:
    run(a_document(), tmp_path)
    before = everything()
    tenant = Tenant.objects.get()
    with tenant_scope(tenant.pk):
        BillConnection.objects.update(fixed_organization_id=ORGANIZATION)
    part = a_company_part(name="Another name")
    part["bill"]["organization_id"] = "00899999999999999999"

    code, problems, _ = refusal(a_document(companies=[part]), tmp_path)

    assert (code, problems[0][0]) == (1, "/companies/0/bill/organization_id")
    assert "Add a second company" in problems[0][1]
    assert everything() == before
    with operator_scope():
        assert Company.objects.get().name == "Calder Bakery"


def test_another_sage_database_is_refused_after_the_first_send(tmp_path: Path) -> None:
    run(a_document(), tmp_path)
    with tenant_scope(Tenant.objects.get().pk):
        Sage300Connection.objects.update(fixed_database="CALBAK", fixed_host="sage.calder.example")
    part = a_company_part()
    part["sage300"]["company_database"] = "SAMLTD"

    _, problems, _ = refusal(a_document(companies=[part]), tmp_path)

    assert problems[0][0] == "/companies/0/sage300/base_url"
    assert "stays with that database" in problems[0][1]


def test_example_has_every_key_and_fits_the_schema() -> None:
    example, schema = io.StringIO(), io.StringIO()
    call_command("provision", "--example", stdout=example)
    call_command("provision", "--schema", stdout=schema)

    rules = json.loads(schema.getvalue())
    document = json.loads(example.getvalue())

    jsonschema.Draft202012Validator.check_schema(rules)
    jsonschema.validate(document, rules)
    assert _missing_keys(document, rules) == []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "tenent": {}}, rules)


def _missing_keys(value: Any, schema: dict[str, Any], where: str = "") -> list[str]:
    """Keys of the schema that the example does not show; a record shows one way to name it."""
    if isinstance(value, list):
        return _missing_keys(value[0], schema["items"], where) if value else []
    if not isinstance(value, dict) or "properties" not in schema or "maxProperties" in schema:
        return []
    missing = [f"{where}/{key}" for key in schema["properties"] if key not in value]
    for key, inner in schema["properties"].items():
        if key in value:
            missing += _missing_keys(value[key], inner, f"{where}/{key}")
    return missing


def test_example_is_followed_once_its_secrets_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    call_command("provision", "--example", stdout=out)
    document = json.loads(out.getvalue())
    for name in ("DANA_PASSWORD", "OPERATOR_PASSWORD", "BILL_TOKEN", "SAGE_PASSWORD"):
        monkeypatch.setenv(name, f"a value for {name}")
    (tmp_path / "bill-developer-key.txt").write_text("key")
    # Names are looked up in BILL, which a test cannot ask.
    for key in ("mapping_rules", "skip_rules", "vendor_links"):
        document["companies"][0].pop(key)
    document["companies"][0].pop("bill")

    outcome = run(document, tmp_path)

    assert outcome["companies"][0]["made"] is True
    assert outcome["companies"][0]["webhook"]["status"] == "not_connected"
