"""The policy as a document: what `provision`, the API and a JSON column write and read.

Unknown keys are refused by name, since a misspelt key that is silently ignored is a policy nobody
chose. All faults of a document are told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from difflib import get_close_matches
from enum import StrEnum

from sync.domain.policy import NumberSource, Policy, PolicyRefused, VendorNumberRule
from sync.domain.policy_fields import POLICY_FIELDS, FieldKind, PolicyField
from sync.domain.words import listed

BY_NAME = {known.name: known for known in POLICY_FIELDS}


class _Refused(ValueError):
    """One value that cannot be read; its text is the sentence."""


def policy_from_dict(document: Mapping[str, object], *, base: Policy | None = None) -> Policy:
    """Read a whole or partial document over `base` (the defaults where None).

    Raises `PolicyRefused` with a sentence for each key at fault.
    """
    start = base or Policy()
    values = {known.name: getattr(start, known.name) for known in fields(Policy)}
    errors: dict[str, str] = {}
    for key, value in document.items():
        known = BY_NAME.get(key)
        if known is None:
            errors[key] = _unknown(key, BY_NAME, "the policy")
            continue
        try:
            values[key] = _read(known, value, start)
        except _Refused as refused:
            errors[key] = str(refused)
    try:
        policy = Policy(**values)
    except PolicyRefused as refused:
        raise PolicyRefused({**refused.errors, **errors}) from None
    if errors:
        raise PolicyRefused(errors)
    return policy


def policy_to_dict(policy: Policy) -> dict[str, object]:
    """Every key, in the order of the questions, as JSON can hold it."""
    return {known.name: _written(known, getattr(policy, known.name)) for known in POLICY_FIELDS}


def policy_json_schema() -> dict[str, object]:
    """JSON Schema of the document, with the questions and consequences as descriptions."""
    return {
        "type": "object",
        "title": "Policy",
        "additionalProperties": False,
        "properties": {known.name: _schema(known) for known in POLICY_FIELDS},
    }


def _unknown(key: str, names: Mapping[str, object], where: str) -> str:
    near = get_close_matches(key, names, n=1)
    hint = f"; did you mean “{near[0]}”?" if near else "."
    return f"“{key}” is not a key of {where}{hint}"


def _read(known: PolicyField, value: object, start: Policy) -> object:
    match known.kind:
        case FieldKind.CHOICE:
            return _choice(known, value)
        case FieldKind.CHOICES:
            if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
                raise _Refused(f"{known.label} is a list of names.")
            return frozenset(_choice(known, one) for one in value)
        case FieldKind.DATE:
            return _date(known, value)
        case FieldKind.NUMBER:
            return _number(known.label, value)
        case FieldKind.TEXT:
            if not isinstance(value, str):
                raise _Refused(f"{known.label} is a text.")
            return value.strip()
        case FieldKind.NUMBER_MAP:
            return _number_map(known, value)
        case FieldKind.NUMBER_RULE:
            return _number_rule(known, value, start.vendor_number_rule)


def _choice(known: PolicyField, value: object) -> StrEnum:
    assert known.enum is not None  # noqa: S101 (a property of the table, not of the document)
    words = [choice.value for choice in known.choices]
    if not isinstance(value, str) or value not in words:
        raise _Refused(f"{known.label} is {listed(words, 'or')}, not {_quoted(value)}.")
    return known.enum(value)


def _date(known: PolicyField, value: object) -> date | None:
    if value is None or value == "":
        return None
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise _Refused(
            f"{known.label} is a day such as 2026-11-01, not {_quoted(value)}."
        ) from None


def _number(label: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Refused(f"{label} is a whole number, not {_quoted(value)}.")
    return value


def _number_map(known: PolicyField, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _Refused(f"{known.label} leads from BILL vendors to Sage vendor numbers.")
    for key, number in value.items():
        if not isinstance(key, str) or not isinstance(number, str):
            raise _Refused(f"{known.label}: the Sage number of {_quoted(key)} is a text.")
    return {key.strip(): number.strip().upper() for key, number in value.items()}


def _number_rule(known: PolicyField, value: object, start: VendorNumberRule) -> VendorNumberRule:
    parts = {"prefix": start.prefix, "source": start.source, "width": start.width}
    if not isinstance(value, Mapping):
        raise _Refused(f"{known.label} has the keys prefix, source and width.")
    for key in value:
        if key not in parts:
            raise _Refused(_unknown(str(key), parts, "the vendor number rule"))
    prefix = value.get("prefix", start.prefix)
    if not isinstance(prefix, str):
        raise _Refused(f"{known.label}: prefix is a text, not {_quoted(prefix)}.")
    source = _choice(known, value.get("source", start.source))
    return VendorNumberRule(
        prefix=prefix.strip().upper(),
        source=NumberSource(source),
        width=_number(f"{known.label}: width", value.get("width", start.width)),
    )


def _quoted(value: object) -> str:
    return f"“{value}”" if isinstance(value, str) else repr(value)


def _written(known: PolicyField, value: object) -> object:
    match value:
        case VendorNumberRule():
            return {"prefix": value.prefix, "source": value.source.value, "width": value.width}
        case StrEnum():
            return value.value
        case date():
            return value.isoformat()
        case frozenset():
            return [choice.value for choice in known.choices if choice.value in value]
        case Mapping():
            return dict(sorted(value.items()))
        case _:
            return value


def _schema(known: PolicyField) -> dict[str, object]:
    schema: dict[str, object] = {"title": known.label, "description": _described(known)}
    words = [choice.value for choice in known.choices]
    match known.kind:
        case FieldKind.CHOICE:
            return {**schema, "type": "string", "enum": words}
        case FieldKind.CHOICES:
            items = {"type": "string", "enum": words}
            return {**schema, "type": "array", "uniqueItems": True, "items": items}
        case FieldKind.DATE:
            return {**schema, "type": ["string", "null"], "format": "date"}
        case FieldKind.NUMBER:
            return {
                **schema,
                "type": "integer",
                "minimum": known.minimum,
                "maximum": known.maximum,
            }
        case FieldKind.TEXT:
            least = {} if known.minimum is None else {"minLength": known.minimum}
            return {**schema, "type": "string", **least, "maxLength": known.maximum}
        case FieldKind.NUMBER_MAP:
            return {**schema, "type": "object", "additionalProperties": {"type": "string"}}
        case FieldKind.NUMBER_RULE:
            properties = {
                "prefix": {"type": "string"},
                "source": {"type": "string", "enum": words},
                "width": {"type": "integer", "minimum": 1, "maximum": 12},
            }
            return {
                **schema,
                "type": "object",
                "additionalProperties": False,
                "properties": properties,
            }


def _described(known: PolicyField) -> str:
    answers = [f"{choice.value}: {choice.label}. {choice.consequence}" for choice in known.choices]
    return " ".join(part for part in (known.question, known.consequence, *answers) if part)
