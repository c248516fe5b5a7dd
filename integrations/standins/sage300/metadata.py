"""`$metadata`: entity sets and properties of one module as EDMX."""

from __future__ import annotations

from functools import cache
from xml.sax.saxutils import quoteattr

from integrations.standins.sage300.resources import RESOURCES
from integrations.standins.sage300.schema import ENTITIES, Entity, Property

_EDM = {
    "text": "Edm.String",
    "upper": "Edm.String",
    "name": "Edm.String",
    "number": "Edm.Decimal",
    "int": "Edm.Int32",
    "bool": "Edm.Boolean",
    "date": "Edm.DateTimeOffset",
}


@cache
def metadata(module: str) -> bytes:
    """The document for one module."""
    resources = {name: res for name, res in RESOURCES.items() if res.module == module}
    parts: list[str] = []
    enums: dict[str, Property] = {}
    done: set[str] = set()
    for resource in resources.values():
        _add_type(ENTITIES[resource.entity], resource.keys, parts=parts, enums=enums, done=done)
    for name, prop in enums.items():
        members = "".join(f"<Member Name={quoteattr(word)}/>" for word in prop.words)
        parts.append(f"<EnumType Name={quoteattr(name)}>{members}</EnumType>")
    sets = "".join(
        f"<EntitySet Name={quoteattr(name)} EntityType={quoteattr('Default.' + res.entity)}/>"
        for name, res in resources.items()
    )
    parts.append(f'<EntityContainer Name="Container">{sets}</EntityContainer>')
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
        '<edmx:DataServices><Schema Namespace="Default" '
        'xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f"{''.join(parts)}</Schema></edmx:DataServices></edmx:Edmx>"
    )
    return text.encode()


def _add_type(
    entity: Entity,
    keys: tuple[str, ...],
    *,
    parts: list[str],
    enums: dict[str, Property],
    done: set[str],
) -> None:
    if entity.name in done:
        return
    done.add(entity.name)
    lines: list[str] = []
    for prop in entity.properties.values():
        if prop.kind == "rows":
            _add_type(ENTITIES[prop.entity], (), parts=parts, enums=enums, done=done)
            kind = f"Collection(Default.{prop.entity})"
        elif prop.kind == "enum":
            kind = f"Default.{entity.name}{prop.name}"
            enums[f"{entity.name}{prop.name}"] = prop
        else:
            kind = _EDM[prop.kind]
        lines.append(f"<Property Name={quoteattr(prop.name)} Type={quoteattr(kind)}/>")
    tag = "EntityType" if keys else "ComplexType"
    key = "".join(f"<PropertyRef Name={quoteattr(name)}/>" for name in keys)
    head = f"<Key>{key}</Key>" if keys else ""
    parts.append(f"<{tag} Name={quoteattr(entity.name)}>{head}{''.join(lines)}</{tag}>")
