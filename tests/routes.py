"""Every address of the product, and who may go there: what the walking test walks.

A new route needs an entry in ``ROUTES`` under its pattern (run the test: it prints the patterns that
are missing), and a new kind of part in an address an entry in ``PARTS``.

    "<slug:tenant_slug>/<slug:company_slug>/postings/": page(),
    "<slug:tenant_slug>/<slug:company_slug>/mapping/save/": page(methods={"POST"}),
    "<slug:tenant_slug>/<slug:company_slug>/people/": page(readers={Role.OWNER}),
    "api/v1/companies/<slug:company_slug>/postings/": api(),
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto

from tenants.models import Company, Role, Tenant

READS = frozenset({"GET", "HEAD"})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ANY_ROLE = frozenset(Role)
WRITERS = frozenset({Role.OWNER, Role.ACCOUNTANT})


class Door(Enum):
    """How a route is guarded."""

    PUBLIC = auto()  # anybody
    SIGNED_IN = auto()  # anybody with an account
    MEMBER = auto()  # members of the tenant in the address
    TOKEN = auto()  # an API token; the tenant is the token's
    OPERATOR = auto()  # staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    door: Door
    readers: frozenset[Role] = ANY_ROLE
    writers: frozenset[Role] = WRITERS
    methods: frozenset[str] = READS


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One tenant's objects, to fill the parts of an address with."""

    tenant: Tenant
    company: Company


def page(
    *,
    methods: Collection[str] = READS,
    readers: Collection[Role] = ANY_ROLE,
    writers: Collection[Role] = WRITERS,
) -> Route:
    return Route(
        door=Door.MEMBER,
        methods=frozenset(methods),
        readers=frozenset(readers),
        writers=frozenset(writers),
    )


def api(
    *,
    methods: Collection[str] = READS,
    readers: Collection[Role] = ANY_ROLE,
    writers: Collection[Role] = WRITERS,
) -> Route:
    return Route(
        door=Door.TOKEN,
        methods=frozenset(methods),
        readers=frozenset(readers),
        writers=frozenset(writers),
    )


def public(*methods: str) -> Route:
    return Route(door=Door.PUBLIC, methods=frozenset(methods or READS))


OWNERS = frozenset({Role.OWNER})
READS_AND_POST = READS | {"POST"}
_FIRM = "<slug:tenant_slug>/"
_COMPANY = "<slug:tenant_slug>/<slug:company_slug>/"
_API_COMPANY = "api/v1/companies/<slug:company_slug>/"

ROUTES: dict[str, Route] = {
    "": public(),
    "health/": public(),
    "accounts/you/": Route(door=Door.SIGNED_IN, methods=READS | {"POST"}),
    "start/": Route(door=Door.SIGNED_IN, methods=READS | {"POST"}),
    "webhooks/bill/<uuid:address_id>/": public("POST"),
    "mail/stop/<str:signed>/": public("GET", "HEAD", "POST"),
    "api/schema/": public("GET", "HEAD"),
    "api/": public("GET", "HEAD"),
    "api/v1/companies/": api(methods=READS_AND_POST, writers=OWNERS),
    _API_COMPANY: api(),
    f"{_API_COMPANY}copy/": api(methods={"POST"}, writers=OWNERS),
    f"{_API_COMPANY}pause/": api(methods={"POST"}),
    f"{_API_COMPANY}resume/": api(methods={"POST"}),
    f"{_API_COMPANY}policy/": api(methods=READS | {"PUT"}),
    f"{_API_COMPANY}policy/look/": api(methods={"POST"}),
    f"{_API_COMPANY}bill-connection/": api(methods=READS | {"PUT"}, writers=OWNERS),
    f"{_API_COMPANY}bill-connection/pause/": api(methods={"POST"}, writers=OWNERS),
    f"{_API_COMPANY}sage300-connection/": api(methods=READS | {"PUT"}, writers=OWNERS),
    f"{_API_COMPANY}sage300-connection/pause/": api(methods={"POST"}, writers=OWNERS),
    f"{_API_COMPANY}ping/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}webhook-subscription/": api(methods=READS | {"POST", "DELETE"}, writers=OWNERS),
    f"{_API_COMPANY}webhook-subscription/test/": api(methods={"POST"}, writers=OWNERS),
    f"{_API_COMPANY}webhook-subscription/key/": api(methods={"POST"}, writers=OWNERS),
    f"{_API_COMPANY}today/": api(),
    f"{_API_COMPANY}postings/": api(),
    f"{_API_COMPANY}postings.csv": api(),
    f"{_API_COMPANY}postings/<uuid:posting_id>/": api(),
    f"{_API_COMPANY}postings/<uuid:posting_id>/deeds/": api(methods={"POST"}),
    f"{_API_COMPANY}postings/<uuid:posting_id>/account/": api(methods={"POST"}),
    f"{_API_COMPANY}attention/": api(),
    f"{_API_COMPANY}review/": api(),
    f"{_API_COMPANY}review/approve/": api(methods={"POST"}),
    f"{_API_COMPANY}replay/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}runs/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}runs/<uuid:run_id>/": api(),
    f"{_API_COMPANY}reconciliations/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}reconciliations/<uuid:run_id>/": api(),
    f"{_API_COMPANY}differences/": api(),
    f"{_API_COMPANY}log/": api(),
    f"{_API_COMPANY}log.csv": api(),
    f"{_API_COMPANY}log/<uuid:line_id>/": api(),
    f"{_API_COMPANY}lists/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}vendors/": api(),
    f"{_API_COMPANY}vendors/<uuid:vendor_id>/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}vendor-defaults/": api(methods=READS | {"PUT"}),
    f"{_API_COMPANY}vendor-defaults/update/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}mapping-accounts/": api(),
    f"{_API_COMPANY}mapping-rules/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}mapping-rules/try/": api(methods={"POST"}),
    f"{_API_COMPANY}mapping-rules/history/": api(),
    f"{_API_COMPANY}mapping-rules/file/": api(methods=READS_AND_POST),
    f"{_API_COMPANY}mapping-rules/<uuid:rule_id>/": api(methods=READS | {"PUT", "DELETE"}),
    "invitation/<str:secret>/": public("GET", "HEAD", "POST"),
    _FIRM: page(),
    f"{_FIRM}new-company/": page(methods=READS_AND_POST, readers=OWNERS, writers=OWNERS),
    f"{_FIRM}people/": page(),
    f"{_FIRM}people/invite/": page(methods={"POST"}, writers=OWNERS),
    f"{_FIRM}people/invitations/<uuid:invitation_id>/again/": page(
        methods={"POST"}, writers=OWNERS
    ),
    f"{_FIRM}people/invitations/<uuid:invitation_id>/take-back/": page(
        methods={"POST"}, writers=OWNERS
    ),
    f"{_FIRM}people/<uuid:user_id>/": page(methods=READS_AND_POST, readers=OWNERS, writers=OWNERS),
    f"{_FIRM}tokens/": page(methods={"POST"}, writers=OWNERS),
    f"{_FIRM}tokens/<uuid:token_id>/revoke/": page(methods={"POST"}, writers=OWNERS),
    f"{_COMPANY}attention/": page(),
    f"{_COMPANY}attention/<uuid:posting_id>/": page(methods={"POST"}),
    f"{_COMPANY}replay/": page(methods=READS_AND_POST),
    f"{_COMPANY}review/": page(),
    f"{_COMPANY}review/approve/": page(methods={"POST"}),
    f"{_COMPANY}review/<uuid:posting_id>/": page(),
    f"{_COMPANY}review/<uuid:posting_id>/account/": page(methods={"POST"}),
    f"{_COMPANY}vendors/": page(),
    f"{_COMPANY}vendors/default/": page(methods={"POST"}),
    f"{_COMPANY}vendors/update/": page(methods={"POST"}),
    f"{_COMPANY}vendors/<uuid:link_id>/": page(methods={"POST"}),
    f"{_COMPANY}mapping/": page(),
    f"{_COMPANY}mapping/save/": page(methods={"POST"}),
    f"{_COMPANY}mapping/remove/": page(methods={"POST"}),
    f"{_COMPANY}mapping/file/": page(methods={"POST"}),
    f"{_COMPANY}mapping/history/": page(),
    f"{_COMPANY}lists/read/": page(methods={"POST"}),
    f"{_COMPANY}mapping.csv": page(),
    _COMPANY: page(),
    f"{_COMPANY}pulse/": page(),
    f"{_COMPANY}run/": page(methods={"POST"}),
    f"{_COMPANY}postings/": page(),
    f"{_COMPANY}postings.csv": page(),
    f"{_COMPANY}postings/<uuid:posting_id>/": page(),
    f"{_COMPANY}postings/<uuid:posting_id>/act/": page(methods={"POST"}),
    f"{_COMPANY}runs/": page(),
    f"{_COMPANY}runs/<uuid:run_id>/": page(),
    f"{_COMPANY}runs/<uuid:run_id>/progress/": page(),
    f"{_COMPANY}reconcile/": page(),
    f"{_COMPANY}reconcile/now/": page(methods={"POST"}),
    f"{_COMPANY}reconcile/<uuid:run_id>/progress/": page(),
    f"{_COMPANY}reconcile.csv": page(),
    f"{_COMPANY}log/": page(),
    f"{_COMPANY}log.csv": page(),
    f"{_COMPANY}notifications/": page(methods=READS_AND_POST, writers=ANY_ROLE),
    f"{_COMPANY}notifications/digest/": page(methods={"POST"}, writers=ANY_ROLE),
    f"{_COMPANY}setup/": page(),
    f"{_COMPANY}copy/": page(methods=READS_AND_POST, readers=OWNERS, writers=OWNERS),
    f"{_COMPANY}connections/": page(),
    f"{_COMPANY}connections/webhook/register/": page(methods={"POST"}, writers=OWNERS),
    f"{_COMPANY}connections/webhook/test/": page(methods={"POST"}, writers=OWNERS),
    f"{_COMPANY}connections/webhook/rekey/": page(methods={"POST"}, writers=OWNERS),
    f"{_COMPANY}connections/webhook/remove/": page(methods={"POST"}, writers=OWNERS),
    f"{_COMPANY}connections/<str:side>/": page(
        methods=READS_AND_POST, readers=OWNERS, writers=OWNERS
    ),
    f"{_COMPANY}connections/<str:side>/test/": page(methods={"POST"}),
    f"{_COMPANY}connections/<str:side>/pause/": page(methods={"POST"}, writers=OWNERS),
    f"{_COMPANY}policy/": page(methods=READS_AND_POST),
    f"{_COMPANY}policy/pause/": page(methods={"POST"}),
}

#: Parts of the site that come whole from a package, by the beginning of their patterns.
PACKAGES: dict[str, Route] = {
    "accounts/": public("GET", "HEAD", "POST"),
    # Django's admin answers HEAD by the very view that answers GET, so one of them is walked.
    "admin/": Route(door=Door.OPERATOR, methods=frozenset({"GET", "POST"})),
}

#: What stands for each part of an address, from one tenant's side.
PARTS: dict[str, Callable[[Side], object]] = {
    "tenant_slug": lambda side: side.tenant.slug,
    "company_slug": lambda side: side.company.slug,
    "address_id": lambda side: side.company.pk,
    "invitation_id": lambda side: side.company.pk,
    "token_id": lambda side: side.company.pk,
    "user_id": lambda side: side.company.tenant.memberships.order_by("pk")[0].user_id,
    "secret": lambda side: "nothing",
    "signed": lambda side: "nothing",
    "side": lambda side: "bill",
    "posting_id": lambda side: side.company.pk,
    "run_id": lambda side: side.company.pk,
    "vendor_id": lambda side: side.company.pk,
    "link_id": lambda side: side.company.pk,
    "rule_id": lambda side: side.company.pk,
    "line_id": lambda side: side.company.pk,
    # Of packages:
    "object_id": lambda side: side.company.pk,
    "app_label": lambda side: "tenants",
    "id": lambda side: side.company.pk,
    "content_type_id": lambda side: 1,
    "url": lambda side: "nowhere",
    "uidb36": lambda side: "0",
    "key": lambda side: "nothing",
}
