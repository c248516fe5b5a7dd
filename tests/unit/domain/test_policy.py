from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import jsonschema
import pytest

from sync.domain.policy import (
    NumberSource,
    Policy,
    PolicyRefused,
    PostingDateRule,
    Release,
    UnassignedBills,
    VendorCreation,
    VendorField,
    VendorNumberRule,
)
from sync.domain.policy_document import policy_from_dict, policy_json_schema, policy_to_dict
from sync.domain.policy_fields import POLICY_FIELDS, FieldKind

FULL: dict[str, Any] = {
    "unassigned_bills": "post",
    "cutover_date": "2026-11-01",
    "posting_date_rule": "approval_seen",
    "closed_period_rule": "next_open",
    "first_open_date": "2026-11-01",
    "release": "post",
    "review": "review_all",
    "batch_size": 10,
    "batch_description": "{tag} {company}",
    "vendor_creation": "create_new",
    "stored_number_rule": "short_name",
    "number_map": {"009Mill": "PRAMIL"},
    "vendor_number_rule": {"prefix": "B", "source": "counter", "width": 6},
    "vendor_group": "TRADE",
    "vendor_terms": "N30",
    "vendor_tax_group": "EXEMPT",
    "vendor_gl_account": "5060-100",
    "owned_vendor_fields": ["address", "gl_account"],
    "catch_all_account": "6900-200",
    "tax_rule": "hold_tax_group",
    "duplicate_rule": "suffix",
    "currency": "CAD",
    "cadence_seconds": 60,
}


def refusal(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(PolicyRefused) as refused:
        policy_from_dict(document)
    return refused.value.errors


def test_the_careful_choice_is_the_default() -> None:
    policy = Policy()
    assert policy.unassigned_bills is UnassignedBills.LEAVE
    assert policy.release is Release.OPEN
    assert policy.vendor_creation is VendorCreation.PERSON
    assert policy.catch_all_account == ""
    assert policy.owned_vendor_fields == frozenset()
    assert policy.batch_size == 25


def test_a_document_of_every_key_is_read_and_written_back_alike() -> None:
    policy = policy_from_dict(FULL)
    assert policy_to_dict(policy) == {key: FULL[key] for key in policy_to_dict(policy)}
    assert set(FULL) == {known.name for known in POLICY_FIELDS}
    assert policy.cutover_date == date(2026, 11, 1)
    assert policy.vendor_number_rule == VendorNumberRule(
        prefix="B", source=NumberSource.COUNTER, width=6
    )
    assert policy.owned_vendor_fields == {VendorField.ADDRESS, VendorField.GL_ACCOUNT}


def test_a_part_of_a_document_changes_only_its_keys() -> None:
    base = policy_from_dict(FULL)
    changed = policy_from_dict(
        {"posting_date_rule": "today", "vendor_number_rule": {"width": 8}, "cutover_date": None},
        base=base,
    )
    assert changed.posting_date_rule is PostingDateRule.TODAY
    assert changed.vendor_number_rule == VendorNumberRule(
        prefix="B", source=NumberSource.COUNTER, width=8
    )
    assert changed.cutover_date is None
    assert changed.batch_size == base.batch_size


@pytest.mark.parametrize(
    ("document", "key", "words"),
    [
        (
            {"batchsize": 5},
            "batchsize",
            "“batchsize” is not a key of the policy; did you mean “batch_size”?",
        ),
        ({"zzz": 5}, "zzz", "“zzz” is not a key of the policy."),
        (
            {"vendor_number_rule": {"widht": 5}},
            "vendor_number_rule",
            "“widht” is not a key of the vendor number rule; did you mean “width”?",
        ),
        ({"release": "now"}, "release", "open, ready or post, not “now”."),
        ({"release": 1}, "release", "open, ready or post, not 1."),
        ({"batch_size": 101}, "batch_size", "1 to 100 invoices, not 101."),
        ({"batch_size": "5"}, "batch_size", "a whole number, not “5”."),
        ({"batch_size": True}, "batch_size", "a whole number, not True."),
        ({"cadence_seconds": 1}, "cadence_seconds", "not every 1 seconds."),
        ({"cutover_date": "1.11.2026"}, "cutover_date", "a day such as 2026-11-01"),
        ({"currency": "usd"}, "currency", "three capital letters"),
        ({"currency": 5}, "currency", "Currency is a text."),
        ({"vendor_group": "TOOLONG"}, "vendor_group", "Sage has 6 characters here"),
        ({"vendor_creation": "create_new"}, "vendor_group", "Sage needs a vendor group"),
        ({"batch_description": "BILL {date}"}, "batch_description", "must hold {tag}"),
        ({"batch_description": "{tag} {day}"}, "batch_description", "not {day}."),
        ({"batch_description": "{tag"}, "batch_description", "a brace without its partner"),
        ({"batch_description": "{tag:>99}"}, "batch_description", "unformatted"),
        ({"batch_description": "{tag.x}"}, "batch_description", "not {tag.x}."),
        ({"number_map": {"009": "M" * 13}}, "number_map", "longer than"),
        ({"number_map": {"009": ""}}, "number_map", "needs a BILL vendor and a Sage number"),
        ({"number_map": {"009": 5}}, "number_map", "the Sage number of “009” is a text"),
        ({"number_map": []}, "number_map", "leads from BILL vendors"),
        ({"vendor_number_rule": {"width": 13}}, "vendor_number_rule", "1 to 12 characters"),
        ({"vendor_number_rule": {"prefix": "Ü"}}, "vendor_number_rule", "letters, digits"),
        (
            {"vendor_number_rule": {"prefix": "ABCD", "width": 6}},
            "vendor_number_rule",
            "leaves fewer than 3",
        ),
        ({"vendor_number_rule": {"prefix": 1}}, "vendor_number_rule", "prefix is a text"),
        ({"vendor_number_rule": "name"}, "vendor_number_rule", "prefix, source and width"),
        ({"owned_vendor_fields": "name"}, "owned_vendor_fields", "a list of names"),
        ({"owned_vendor_fields": ["bank"]}, "owned_vendor_fields", "not “bank”."),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name_with_a_sentence(
    document: dict[str, Any], key: str, words: str
) -> None:
    errors = refusal(document)
    assert list(errors) == [key]
    assert words in errors[key]


def test_all_faults_of_a_document_are_told_at_once() -> None:
    errors = refusal({"zzz": 1, "release": "now", "batch_size": 0, "currency": "x"})
    assert set(errors) == {"zzz", "release", "batch_size", "currency"}


def test_every_field_is_asked_once_in_words() -> None:
    assert {known.name for known in POLICY_FIELDS} == {
        known.name for known in dataclasses.fields(Policy)
    }
    assert len({known.name for known in POLICY_FIELDS}) == len(POLICY_FIELDS)
    for known in POLICY_FIELDS:
        assert known.question.endswith("?")
        assert known.consequence or known.choices
        if known.enum is not None:
            assert [choice.value for choice in known.choices] == [e.value for e in known.enum]
        if known.kind is FieldKind.CHOICE:
            assert all(choice.consequence.endswith(".") for choice in known.choices)


def test_the_schema_takes_what_is_written_and_refuses_other_keys() -> None:
    schema = policy_json_schema()
    jsonschema.validate(policy_to_dict(Policy()), schema)
    jsonschema.validate(FULL, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"zzz": 1}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"batch_size": 101}, schema)
