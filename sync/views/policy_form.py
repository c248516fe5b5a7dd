"""The policy as a form: each question with its answers, what it touches now and what was changed.

The form has no rules of its own: it turns what was typed into the document of
`domain/policy_document.py`, which says what is wrong in the same words everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from sync.domain import policy_fields as fields
from sync.domain.policy import Policy
from sync.domain.policy_document import policy_to_dict
from sync.domain.policy_fields import FieldKind, PolicyField
from sync.queries.policy_touch import Touch

Document = dict[str, object]

#: The company's currency decides; it is not asked here.
NOT_ASKED = frozenset({"currency"})
SECTIONS = (
    ("bills", "Which bills", fields.BILL_FIELDS),
    ("sage", "Into Sage", fields.SAGE_FIELDS),
    ("vendors", "Vendors", fields.VENDOR_FIELDS),
    ("accounts", "Accounts and tax", fields.ACCOUNT_FIELDS),
    ("when", "When", fields.WHEN_FIELDS),
)
CADENCES = (
    (60, "Every minute"),
    (300, "Every 5 minutes"),
    (900, "Every 15 minutes"),
    (1800, "Every 30 minutes"),
    (3600, "Every hour"),
    (14_400, "Every 4 hours"),
    (86_400, "Once a day"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A set of answers to begin with; it fills the form in and saves nothing."""

    key: str
    name: str
    words: str
    values: Mapping[str, str]


PRESETS = (
    Preset(
        key="careful",
        name="Careful",
        words="A person says yes to every bill. Batches stay Open. New vendors wait for a decision.",
        values={
            "review": "review_all", "release": "open", "vendor_creation": "person",
            "closed_period_rule": "hold", "duplicate_rule": "review",
        },
    ),
    Preset(
        key="usual",
        name="Usual",
        words="Approved bills without a problem go by themselves. Batches are set Ready To Post."
        " Vendors with nothing similar in Sage are created.",
        values={
            "review": "auto", "release": "ready", "vendor_creation": "create_new",
            "closed_period_rule": "hold", "duplicate_rule": "review",
        },
    ),
    Preset(
        key="hands-off",
        name="Hands-off",
        words="Whatever passes every check goes and is posted. You see what stopped.",
        values={
            "review": "auto", "release": "post", "vendor_creation": "create_new",
            "closed_period_rule": "next_open", "duplicate_rule": "review",
        },
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer that can be ticked."""

    value: str
    label: str
    consequence: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question as the page shows it; `was` is the stored answer where this one differs."""

    name: str
    text: str
    kind: str
    consequence: str
    answers: Sequence[Answer]
    value: object
    touch: Touch | None
    error: str
    is_changed: bool
    is_own: bool
    was: str
    maximum: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its questions."""

    key: str
    title: str
    questions: Sequence[Question]


def read_document(post: QueryDict) -> tuple[Document, dict[str, str]]:
    """What was typed, as a document, and what cannot even be read."""
    document: Document = {}
    errors: dict[str, str] = {}
    for known in fields.POLICY_FIELDS:
        if known.name in NOT_ASKED:
            continue
        name = known.name
        match known.kind:
            case FieldKind.CHOICES:
                document[name] = post.getlist(name)
            case FieldKind.NUMBER:
                document[name] = _number(post.get(name, ""))
            case FieldKind.NUMBER_MAP:
                document[name], errors_here = _number_map(post.get(name, ""))
                errors |= {name: errors_here} if errors_here else {}
            case FieldKind.NUMBER_RULE:
                document[name] = {
                    "prefix": post.get(f"{name}.prefix", ""),
                    "source": post.get(f"{name}.source", ""),
                    "width": _number(post.get(f"{name}.width", "")),
                }
            case _:
                document[name] = post.get(name, "").strip() or (
                    None if known.kind is FieldKind.DATE else ""
                )
    return document, errors


def _number(text: str) -> int | str:
    text = text.strip().replace(",", "")
    return int(text) if text.isascii() and text.isdigit() else text


def _number_map(text: str) -> tuple[dict[str, str], str]:
    """Lines of `BILL vendor = SAGE NUMBER`."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        vendor, equals, number = line.rpartition("=")
        if not equals or not vendor.strip() or not number.strip():
            return found, f"“{line[:60]}” is not a line such as: Prairie Mill & Grain = PRAMIL."
        found[vendor.strip()] = number.strip()
    return found, ""


def sections(
    document: Document,
    *,
    before: Policy | None,
    changed: Mapping[str, object],
    errors: Mapping[str, str],
    touches: Mapping[str, Touch],
) -> list[Section]:
    """The page's questions, answered as the document says."""
    stored = policy_to_dict(before) if before else {}
    own = own_choices(document) if before else frozenset[str]()
    return [
        Section(
            key=key,
            title=title,
            questions=[
                _question(known, document, stored, changed, errors, touches, own)
                for known in asked
                if known.name not in NOT_ASKED
            ],
        )
        for key, title, asked in SECTIONS
    ]


def nearest_preset(document: Document) -> Preset:
    """The preset from which the fewest answers differ."""
    return min(PRESETS, key=lambda preset: len(_differing(document, preset)))


def own_choices(document: Document) -> frozenset[str]:
    """The fields in which the nearest preset would have it otherwise."""
    return frozenset(_differing(document, nearest_preset(document)))


def _differing(document: Document, preset: Preset) -> list[str]:
    return [name for name, value in preset.values.items() if document.get(name) != value]


def _question(
    known: PolicyField,
    document: Document,
    stored: Document,
    changed: Mapping[str, object],
    errors: Mapping[str, str],
    touches: Mapping[str, Touch],
    own: frozenset[str],
) -> Question:
    value = document.get(known.name)
    is_changed = bool(stored) and known.name in changed
    return Question(
        name=known.name,
        text=known.question.removesuffix(", in seconds?") + "?"
        if known.question.endswith(", in seconds?")
        else known.question,
        kind="cadence" if known.name == "cadence_seconds" else known.kind.value,
        consequence=known.consequence,
        answers=_answers(known, value),
        value=_typed(known, value),
        touch=touches.get(known.name),
        error=errors.get(known.name, ""),
        is_changed=is_changed,
        is_own=known.name in own,
        was=_was(known, stored.get(known.name)) if is_changed else "",
        maximum=known.maximum,
    )


def _answers(known: PolicyField, value: object) -> list[Answer]:
    if known.name == "cadence_seconds":
        offered = dict(CADENCES)
        if isinstance(value, int) and value not in offered:
            offered = {value: f"Every {value} seconds", **offered}
        return [
            Answer(value=str(seconds), label=words, consequence="", is_chosen=seconds == value)
            for seconds, words in offered.items()
        ]
    chosen: object = value
    if known.kind is FieldKind.NUMBER_RULE and isinstance(value, Mapping):
        chosen = value.get("source")
    many = chosen if isinstance(chosen, list | tuple | set | frozenset) else [chosen]
    return [
        Answer(
            value=choice.value,
            label=choice.label,
            consequence=choice.consequence,
            is_chosen=choice.value in many,
        )
        for choice in known.choices
    ]


def _typed(known: PolicyField, value: object) -> object:
    """The value as a field shows it."""
    if known.kind is FieldKind.NUMBER_MAP and isinstance(value, Mapping):
        return "\n".join(f"{vendor} = {number}" for vendor, number in value.items())
    return "" if value is None else value


def _was(known: PolicyField, value: object) -> str:
    """The stored answer in the words of the page."""
    labels = {choice.value: choice.label for choice in known.choices}
    if isinstance(value, Mapping):
        return (
            f"{value['prefix']}… {labels[value['source']]}, {value['width']} long"
            if known.kind is FieldKind.NUMBER_RULE
            else f"{len(value)} lines"
        )
    if isinstance(value, list):
        return ", ".join(labels[each] for each in value) or "none"
    if known.name == "cadence_seconds":
        return dict(CADENCES).get(int(str(value)), f"every {value} seconds")
    return labels.get(str(value), str(value or "empty"))
