"""Mapping rules in and out as a spreadsheet: a whole file or nothing, with a word for every line.

A file adds rules and changes those with the same conditions; it removes none, so a rule somebody
made on the page is not lost by an old file.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from defusedcsv import csv

from sync.domain.gl_accounts import fold_number
from sync.domain.mapping_csv import COLUMNS, HEADER, CsvRule, FileRefused, read_rules
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.domain.words import count_of
from sync.models import MappingRule
from sync.queries.bill_desks import KINDS, Grounds, grounds_of, rule_of
from sync.queries.rule_effects import effect_of
from sync.services.mapping_acts import WORDS, Draft, check, decide_anew, record, rows_of, write
from tenants.audit import Actor
from tenants.models import Company

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """What becomes of one line: `verdict` is new, changed, same or refused."""

    line: int
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What a file asks for, line by line; `is_applied` only when nothing was refused."""

    lines: Sequence[FileLine]
    sentence: str
    is_applied: bool = False

    @property
    def refused(self) -> int:
        """How many lines are at fault."""
        return sum(1 for line in self.lines if line.verdict == "refused")

    @property
    def changes(self) -> int:
        """How many lines ask for something that does not stand yet."""
        return sum(1 for line in self.lines if line.verdict in {"new", "changed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    draft: Draft
    row: MappingRule | None
    line: FileLine


def take_in(
    company: Company, content: bytes, *, is_trial: bool, actor: Actor, now: datetime
) -> FileReport:
    """Check every line, and store them all unless one is at fault or `is_trial` is set.

    Needs the open scope of the tenant.
    """
    try:
        asked = read_rules(content)
    except FileRefused as refusal:
        return FileReport(lines=(), sentence=f"Nothing was saved. {refusal}")
    grounds = grounds_of(tenant_id=company.tenant_id, company_id=company.pk)
    stored = {_key(row): row for row in rows_of(company).select_for_update()}
    wanted = _judge(asked, grounds, stored)
    lines = [one.line for one in wanted]
    report = FileReport(lines=lines, sentence="")
    if report.refused:
        told = f"Nothing was saved: {count_of(report.refused, 'line')} of {len(lines)} at fault."
        return FileReport(lines=lines, sentence=told)
    if is_trial or not report.changes:
        told = f"{count_of(report.changes, 'rule')} would be made or changed; nothing was saved."
        return FileReport(lines=lines, sentence=told)
    touched = _store(company, wanted, grounds, actor, now)
    told = (
        f"{count_of(report.changes, 'rule')} made or changed; "
        f"{count_of(touched, 'waiting bill')} decided anew now."
    )
    return FileReport(lines=lines, sentence=told, is_applied=True)


def _judge(
    asked: Sequence[CsvRule], grounds: Grounds, stored: Mapping[Key, MappingRule]
) -> list[_Wanted]:
    books = _Books(grounds)
    seen: dict[Key, int] = {}
    found = []
    for one in asked:
        conditions, errors = books.resolve(one)
        draft = Draft(gl_account=one.gl_account, name=one.name, conditions=conditions)
        key = tuple(conditions.get(name, "") for name in MOST_TELLING_FIRST)
        row = stored.get(key)
        if not errors:
            errors = list(check(draft, grounds, rule_id=str(row.pk) if row else "").values())
        if not errors and key in seen:
            errors = [f"Line {seen[key]} has the same conditions; keep one."]
        seen.setdefault(key, one.line)
        found.append(_Wanted(draft=draft, row=row, line=_line(one, draft, row, grounds, errors)))
    return found


def _line(
    one: CsvRule, draft: Draft, row: MappingRule | None, grounds: Grounds, errors: Sequence[str]
) -> FileLine:
    if errors:
        return FileLine(line=one.line, verdict="refused", sentence=" ".join(errors))
    words = grounds.words_of(draft.rule())
    if row is None:
        return FileLine(line=one.line, verdict="new", sentence=f"{words} → {one.gl_account}")
    is_same = fold_number(row.gl_account) == fold_number(one.gl_account) and row.name == one.name
    if is_same:
        return FileLine(line=one.line, verdict="same", sentence=f"{words} → {row.gl_account}")
    sentence = f"{words} → {one.gl_account}, was {row.gl_account}"
    return FileLine(line=one.line, verdict="changed", sentence=sentence)


def _store(
    company: Company, wanted: Sequence[_Wanted], grounds: Grounds, actor: Actor, now: datetime
) -> int:
    """Write them all; return how many waiting bills they touch together."""
    changes = [one for one in wanted if one.line.verdict in {"new", "changed"}]
    replaced = {str(one.row.pk) for one in changes if one.row}
    rules = [rule for rule in grounds.rules if rule.id not in replaced]
    rules += [one.draft.rule(f"line {one.line.line}") for one in changes]
    effect = effect_of(grounds, rules, tenant_id=company.tenant_id, company_id=company.pk, now=now)
    for one in changes:
        before = one.row.gl_account if one.row else ""
        row = write(company, one.row, one.draft, grounds, actor, now)
        record(
            company, row, grounds, action="changed" if before else "made", before=before,
            actor=actor, source="csv", touched=0, sentence=f"{one.line.sentence}, from a file.",
            now=now,
        )  # fmt: skip
    decide_anew(company, (bill.posting for bill in effect.waiting))
    return len(effect.waiting)


def write_out(company: Company) -> str:
    """The company's rules as CSV, in the columns `take_in` reads."""
    grounds = grounds_of(tenant_id=company.tenant_id, company_id=company.pk)
    books = _Books(grounds)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for row in sorted(rows_of(company), key=lambda row: grounds.words_of(rule_of(row))):
        target = grounds.account(row.gl_account)
        named = [books.spelling(name, getattr(row, name)) for name in COLUMNS]
        name = target.description if target else ""
        writer.writerow([*named, row.gl_account, name, row.name])
    return out.getvalue()


class _Books:
    """BILL's records by every way a file may name them."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._ids: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in COLUMNS}
        for name, kind in KINDS.items():
            for item in grounds.items.values():
                if item.kind is kind:
                    self._add(name, item.id, item.name, item.number)
        for key, vendor_name in grounds.vendor_names.items():
            self._add("vendor_id", key, vendor_name, "")

    def _add(self, dimension: str, key: str, name: str, number: str) -> None:
        for spelling in _spellings(key, name, number):
            self._ids[dimension][spelling].add(key)

    def resolve(self, one: CsvRule) -> tuple[dict[str, str], list[str]]:
        """The BILL ids a line names, and what is wrong with it."""
        conditions: dict[str, str] = {}
        errors: list[str] = []
        for dimension, text in one.named.items():
            ids = self._find(dimension, text)
            word = WORDS[dimension]
            if len(ids) == 1:
                conditions[dimension] = next(iter(ids))
            elif ids:
                errors.append(f"“{text}” fits {len(ids)} {word}s; write one's id: {_few(ids)}.")
            else:
                errors.append(f"BILL has no {word} “{text}” that we have read.")
        return conditions, errors

    def _find(self, dimension: str, text: str) -> set[str]:
        ids = self._ids[dimension]
        if text in self._grounds.items or text in self._grounds.vendor_names:
            return ids.get(text, set())
        return ids.get(_folded(text)) or ids.get(f"#{fold_number(text)}", set())

    def spelling(self, dimension: str, key: str) -> str:
        """The name where it is the only one of its kind, else the id."""
        name = self._grounds.name_of(dimension, key) if key else ""
        return name if len(self._ids[dimension].get(_folded(name), ())) == 1 else key


def _spellings(key: str, name: str, number: str) -> Iterator[str]:
    yield key
    yield _folded(name)
    if number:
        yield f"#{fold_number(number)}"
        yield _folded(f"{number} {name}")


def _few(ids: set[str]) -> str:
    return ", ".join(sorted(ids)[:4])


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _key(row: MappingRule) -> Key:
    return tuple(getattr(row, name) for name in MOST_TELLING_FIRST)
