"""Addresses and query options: keys in parentheses, paging, `$select`, `$count`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from integrations.standins.messages import Request
from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.filters import Condition, parse_filter
from integrations.standins.sage300.schema import Entity, Row
from integrations.standins.sage300.switches import Switches

_RESOURCE = re.compile(r"^(?P<name>[A-Za-z0-9_$]+)(?:\((?P<key>.*)\))?$", re.DOTALL)
_PART = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)\s*=\s*)?(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^',=]*))\s*(?:,|$)"
)
_OPTIONS = frozenset({"$top", "$skip", "$filter", "$select", "$count", "$orderby"})


def split_resource(text: str) -> tuple[str, str | None]:
    """`APVendors('1200')` as its name and what stands in the parentheses (None without)."""
    match = _RESOURCE.match(text)
    if match is None:
        raise SageError("ResourceNotFound", f"The resource {text} does not exist.")
    return match.group("name"), match.group("key")


def action_name(key: str | None) -> str | None:
    """`$process` where the parentheses name an action, with or without quotes."""
    bare = (key or "").strip().strip("'")
    return bare if bare.startswith("$") else None


def parse_key(text: str, entity: Entity, names: tuple[str, ...]) -> tuple[Any, ...]:
    """The key's values in metadata order; raises SageError `InvalidEntityKey`."""
    given: dict[str, Any] = {}
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None or match.end() == position or len(given) == len(names):
            raise SageError("InvalidEntityKey", f"The key ({text}) cannot be read.")
        name = match.group("name") or names[len(given)]
        quoted = match.group("text")
        given[name] = _key_value(entity, name, quoted, (match.group("bare") or "").strip(), text)
        position = match.end()
    if set(given) != set(names) or text.rstrip().endswith(","):
        raise SageError("InvalidEntityKey", f"The key must name {', '.join(names)}.")
    return tuple(given[name] for name in names)


def _key_value(entity: Entity, name: str, quoted: str | None, bare: str, whole: str) -> Any:
    prop = entity.properties.get(name)
    value = quoted.replace("''", "'") if quoted is not None else bare
    if prop is None or not value:
        raise SageError("InvalidEntityKey", f"The key ({whole}) cannot be read.")
    if prop.kind in {"number", "int"}:
        if quoted is not None or not re.fullmatch(r"\d+(\.0*)?", value):
            raise SageError("InvalidEntityKey", f"{name} must be a number.")
        return int(value.partition(".")[0])
    return value.upper() if prop.kind == "upper" else value


@dataclass(frozen=True, kw_only=True)
class Options:
    """The query options of one list request."""

    top: int | None = None
    skip: int = 0
    condition: Condition | None = None
    select: tuple[str, ...] = ()
    count: bool = False
    orderby: tuple[str, bool] | None = None
    raw: tuple[tuple[str, str], ...] = ()

    def next_link(self, request: Request, *, skip: int, left: int | None) -> str:
        """The address of the next page."""
        pairs = [(name, value) for name, value in self.raw if name not in {"$skip", "$top"}]
        pairs += [("$top", str(left))] if left is not None else []
        pairs += [("$skip", str(skip))]
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        return f"http://{request.headers.get('host', 'localhost')}{request.raw_path}?{query}"


def _whole_number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise SageError("InvalidParameters", f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _names(text: str, entity: Entity) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in entity.properties:
            raise SageError("InvalidParameters", f"{entity.name} has no property {name!r}.")
    return names


def read_options(request: Request, entity: Entity, switches: Switches) -> Options:
    """The query options; raises SageError `InvalidParameters` for what cannot be read."""
    given: dict[str, str] = {}
    for name, value in request.query:
        if name in given or (name.startswith("$") and name not in _OPTIONS):
            raise SageError("InvalidParameters", f"The option {name} cannot be used so.")
        given[name] = value
    if "$orderby" in given and not switches.allow_orderby:
        raise SageError("InvalidParameters", "The option $orderby is not supported.")
    if given.get("$count", "false") not in {"true", "false"}:
        raise SageError("InvalidParameters", "$count must be true or false.")
    order = given.get("$orderby", "").split()
    return Options(
        top=_whole_number("$top", given["$top"]) if "$top" in given else None,
        skip=_whole_number("$skip", given.get("$skip", "0")),
        condition=parse_filter(given["$filter"], entity, switches) if "$filter" in given else None,
        select=_names(given["$select"], entity) if given.get("$select") else (),
        count=given.get("$count") == "true",
        orderby=(_names(order[0], entity)[0], order[-1] == "desc") if order else None,
        raw=tuple(request.query),
    )


def list_page(
    rows: Iterable[Row],
    options: Options,
    request: Request,
    *,
    context: str,
    page_size: int,
    show: Callable[[Row], Row],
) -> Row:
    """One page in OData's envelope; `show` turns a stored row into what is sent."""
    found: Iterator[Row] | list[Row] = iter(rows)
    if options.condition is not None:
        found = filter(options.condition.test, found)
    if options.orderby is not None:
        name, descending = options.orderby
        found = sorted(found, key=lambda row: row[name], reverse=descending)
    if options.count:
        found = list(found)
    page: Row = {"@odata.context": context}
    if isinstance(found, list) and options.count:
        page["@odata.count"] = len(found)
    wanted = page_size if options.top is None else min(options.top, page_size)
    window = list(islice(found, options.skip, options.skip + wanted + 1))
    page["value"] = [show(row) for row in window[:wanted]]
    left = None if options.top is None else options.top - wanted
    if len(window) > wanted and left != 0:
        page["@odata.nextLink"] = options.next_link(request, skip=options.skip + wanted, left=left)
    return page
