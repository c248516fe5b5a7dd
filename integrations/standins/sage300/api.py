"""One request to one resource of one company: verbs, rights, and which room does the work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from integrations.standins.messages import Reply, Request
from integrations.standins.sage300 import batches, odata, posting, spelling, vendors
from integrations.standins.sage300.company import Batch, Company
from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.resources import PROCESSES, RESOURCES, Resource
from integrations.standins.sage300.schema import ENTITIES, Entity, Row
from integrations.standins.sage300.security import User
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.values import check_payload, take

CONTENT_TYPE = "application/json; odata.metadata=minimal"


@dataclass(frozen=True)
class Api:
    """What a request is answered with. The company's lock is held."""

    company: Company
    session: Session
    user: User
    request: Request

    def need(self, right: str) -> None:
        """Raise `Forbidden` where the user lacks the right."""
        if not self.user.may(self.company.code, right):
            module = right.partition(".")[0]
            raise SageError(
                "Forbidden",
                f"The user {self.user.name} has no right to do this in {module} ({right}).",
            )

    def context(self, module: str, name: str) -> str:
        """The address of the metadata that describes the answer."""
        host = self.request.headers.get("host", "localhost")
        code = self.company.code
        return f"http://{host}/Sage300WebApi/v1.0/-/{code}/{module}/$metadata#{name}"

    def body(self) -> Any:
        """The body as JSON, or `InvalidPayload`."""
        try:
            return self.request.json()
        except ValueError:
            raise SageError("InvalidPayload", "The body is not JSON.") from None


def respond(api: Api, module: str, text: str) -> Reply:
    """Answer a request to `{module}/{text}`."""
    name, key_text = odata.split_resource(text)
    action = odata.action_name(key_text)
    if PROCESSES.get(name) == module:
        return _process(api, action)
    resource = RESOURCES.get(name)
    if resource is None or resource.module != module:
        raise SageError("ResourceNotFound", f"The resource {module}/{name} does not exist.")
    entity = ENTITIES[resource.entity]
    method = api.request.method
    if action is not None:
        return _template(api, resource, entity, action)
    if method not in resource.verbs:
        raise SageError("MethodNotAllowed", f"{name} does not allow {method}.")
    api.need(resource.right_to_read if method == "GET" else resource.right_to_write)
    if key_text is None:
        return _feed(api, name, resource, entity)
    key = odata.parse_key(key_text, entity, resource.keys)
    return _record(api, name, resource, entity, key)


def _process(api: Api, action: str | None) -> Reply:
    if api.request.method != "POST":
        raise SageError("MethodNotAllowed", f"APPostInvoices does not allow {api.request.method}.")
    api.need("AP.post")
    match action:
        case "$template":
            row = {"@odata.context": api.context("AP", "APPostInvoices/$entity")}
            return _json(200, row | posting.template(api.session))
        case "$process":
            posting.process(api.company, api.body(), api.session)
            return Reply.empty(204)
        case _:
            raise SageError("InvalidAction", f"APPostInvoices has no action {action}.")


def _template(api: Api, resource: Resource, entity: Entity, action: str) -> Reply:
    if api.request.method != "POST" or action != "$template":
        raise SageError("InvalidAction", f"{entity.name} has no action {action}.")
    api.need(resource.right_to_write)
    row = entity.new()
    if resource.entity == "InvoiceBatch":
        invoice = ENTITIES["Invoice"].new(TaxAmountControl="Calculate")
        invoice["InvoiceDetails"] = [ENTITIES["InvoiceDetail"].new()]
        row |= {"BatchDate": api.session.date, "SourceApplication": "AP", "Invoices": [invoice]}
    return _json(200, {"@odata.context": api.context(resource.module, entity.name)} | row)


def _feed(api: Api, name: str, resource: Resource, entity: Entity) -> Reply:
    if api.request.method == "POST":
        return _insert(api, name, resource)
    if api.request.method != "GET":
        raise SageError("MethodNotAllowed", f"{api.request.method} needs a key.")
    words = spelling.of(name, api.session.switches.names)
    options = odata.read_options(api.request, words.entity(entity), api.session.switches)
    rows = _candidates(api, name, resource, options)

    def show(row: Row) -> Row:
        if resource.entity == "InvoiceBatch" and (
            not options.select or "Invoices" in options.select
        ):
            row = batches.shown(api.company.state.batches[row["BatchNumber"]])
        if options.select:
            row = {field: row[field] for field in entity_order(entity, options.select, words)}
        return spelling.numbers(row, entity, api.session.switches)

    page = odata.list_page(
        (words.row(row) for row in rows) if words.changes else rows,
        options,
        api.request,
        context=api.context(resource.module, name),
        page_size=api.session.switches.page_size,
        show=show,
    )
    return _json(200, page)


def entity_order(
    entity: Entity, selected: tuple[str, ...], words: spelling.Spelling
) -> tuple[str, ...]:
    """The selected properties in metadata order."""
    return tuple(name for name in words.entity(entity).properties if name in selected)


def _candidates(api: Api, name: str, resource: Resource, options: odata.Options) -> Iterable[Row]:
    """The rows a list request can possibly show, by key where the filter names whole keys."""
    keys = options.condition.keys if options.condition else None
    whole = keys is not None and all(set(resource.keys) <= set(key) for key in keys)
    if not resource.stored:
        all_batches = api.company.state.batches
        if whole and keys is not None:
            numbers = sorted({int(key["BatchNumber"]) for key in keys})
            return [all_batches[n].header for n in numbers if n in all_batches]
        return [all_batches[number].header for number in sorted(all_batches)]
    table = api.company.table(name)
    if not whole or keys is None:
        return table.rows()
    wanted = {tuple(key[part] for part in resource.keys) for key in keys}
    found = (table.find(*key) for key in sorted(wanted, key=str))
    return [row for row in found if row is not None]


def _insert(api: Api, name: str, resource: Resource) -> Reply:
    if resource.entity == "InvoiceBatch":
        body = api.body()
        _need_status_right(api, body)
        row = batches.shown(batches.create(api.company, body, api.session))
    else:
        row = vendors.create(api.company, api.body(), api.session)
    return _entity(api, 201, name, resource, row)


def _record(api: Api, name: str, resource: Resource, entity: Entity, key: tuple[Any, ...]) -> Reply:
    method = api.request.method
    if not resource.stored:
        return _batch_record(api, name, resource, api.company.get_batch(key[0]))
    row = api.company.table(name).find(*key)
    if row is None:
        shown = ", ".join(
            f"{part} '{value}'" for part, value in zip(resource.keys, key, strict=True)
        )
        raise SageError("RecordNotFound", f"The record with {shown} does not exist.")
    match method, resource.entity:
        case "GET", _:
            words = spelling.of(name, api.session.switches.names)
            return _entity(api, 200, name, resource, words.row(row))
        case "PATCH" | "PUT", "Vendor":
            vendors.change(api.company, row, api.body(), api.session, replace=method == "PUT")
        case "PATCH" | "PUT", _:
            for field, value in check_payload(entity, api.body(), api.session.switches).items():
                row[field] = take(entity.properties[field], value, api.session.switches)
        case "DELETE", _:
            vendors.delete(api.company, row)
        case _:
            raise SageError("MethodNotAllowed", f"{method} cannot be used with a key.")
    return Reply.empty(204)


def _batch_record(api: Api, name: str, resource: Resource, batch: Batch) -> Reply:
    match api.request.method:
        case "GET":
            return _entity(api, 200, name, resource, batches.shown(batch))
        case "PATCH":
            body = api.body()
            _need_status_right(api, body)
            batches.change(api.company, batch, body, api.session)
            return Reply.empty(204)
        case method:
            raise SageError("MethodNotAllowed", f"{method} cannot be used with a key.")


def _need_status_right(api: Api, body: object) -> None:
    if isinstance(body, dict) and body.get("BatchStatus") in {"ReadyToPost", "7"}:
        api.need("AP.ready")


def _entity(api: Api, status: int, name: str, resource: Resource, row: Row) -> Reply:
    entity = ENTITIES[resource.entity]
    words = spelling.of(name, api.session.switches.names)
    options = odata.read_options(api.request, words.entity(entity), api.session.switches)
    if options.select:
        row = {field: row[field] for field in entity_order(entity, options.select, words)}
    shown = spelling.numbers(row, entity, api.session.switches)
    context = {"@odata.context": api.context(resource.module, f"{name}/$entity")}
    return _json(status, context | shown)


def _json(status: int, content: Row) -> Reply:
    return Reply.json(status, content, content_type=CONTENT_TYPE)
