"""What each role may do and what people did, as the people page says it.

The rights themselves are held by the doors of the pages and the API.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenants.models import Role

EVERYBODY = frozenset(Role)
WORKERS = frozenset({Role.OWNER, Role.ACCOUNTANT})
OWNERS = frozenset({Role.OWNER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One right and who has it."""

    words: str
    roles: frozenset[Role]

    @property
    def cells(self) -> list[bool]:
        """Whether owner, accountant and viewer have it, in this order."""
        return [role in self.roles for role in Role]


RIGHTS = (
    Right(words="See bills, postings, log; export", roles=EVERYBODY),
    Right(words="Approve, hold, exclude, replay", roles=WORKERS),
    Right(words="Map accounts, decide vendors", roles=WORKERS),
    Right(words="Run now, pause sending", roles=WORKERS),
    Right(words="Change the policy", roles=WORKERS),
    Right(words="Connections and their credentials", roles=OWNERS),
    Right(words="Companies, people, API tokens", roles=OWNERS),
)

DEEDS = {
    "api_token.issued": "made an API token",
    "api_token.revoked": "revoked an API token",
    "company.copied": "made a company from another",
    "company.created": "added a company",
    "company.paused": "paused a company",
    "company.provisioned": "set a company up",
    "company.resumed": "resumed a company",
    "connection.changed": "saved the way into",
    "connection.paused": "paused a connection",
    "connection.ping_asked": "had the connections tested",
    "connection.refused": "tried credentials that were refused",
    "connection.tested": "tested a connection",
    "defaults.vendor_changed": "changed the default account of a vendor",
    "defaults.group_changed": "changed the default account of a group",
    "defaults.update_asked": "asked to write default accounts into Sage",
    "invitation.accepted": "came in",
    "invitation.sent": "invited somebody",
    "invitation.taken_back": "took an invitation back",
    "mapping_rule.made": "made a mapping rule",
    "mapping_rule.changed": "changed a mapping rule",
    "mapping_rule.removed": "removed a mapping rule",
    "member.provisioned": "enrolled somebody",
    "member.removed": "removed somebody",
    "member.role_changed": "changed a role",
    "policy.changed": "changed the policy",
    "posting.accept_duplicate": "said that a bill is no duplicate",
    "posting.allow_older": "let an older bill go",
    "posting.approve": "approved a bill",
    "posting.change_account": "changed the account of a line",
    "posting.handled_outside": "marked a bill as handled outside",
    "posting.leave_out": "left a bill out",
    "posting.looked_in_sage": "looked in Sage for a bill",
    "posting.replay": "had a bill checked again",
    "posting.take_back": "took a bill back in",
    "postings.replay": "had bills checked again",
    "reconcile.asked": "asked to compare both sides",
    "run.asked": "asked for a run",
    "tenant.changed": "changed the firm",
    "tenant.created": "added the firm",
    "tenant.resumed": "resumed the firm",
    "tenant.searched": "searched in the bills",
    "tenant.suspended": "suspended the firm",
    "vendor.creating": "had a vendor created in Sage",
    "vendor.ignored": "left a vendor out",
    "vendor.linked": "linked a vendor",
    "vendor.restored": "had a vendor matched again",
    "webhook.key_changed": "took a new webhook key",
    "webhook.registered": "asked BILL to tell us",
    "webhook.removed": "removed the webhook",
    "webhook.tested": "tested the webhook",
}


def deed_of(action: str) -> str:
    """An audited action in words that follow a name; one without words is said as it is named."""
    return DEEDS.get(action) or action.replace(".", " ").replace("_", " ")
