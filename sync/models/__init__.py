"""The rows of the work; each file holds one noun."""

from sync.models.batch import Answer, Attempt, Batch, SageLease
from sync.models.bill import Bill
from sync.models.catalogue import CatalogueList
from sync.models.log import LogEntry
from sync.models.mail import Mail, MailChoice
from sync.models.mapping import LineOverride, MappingRule, MappingRuleChange
from sync.models.policy import CompanyPolicy
from sync.models.posting import Posting
from sync.models.reconciliation import BatchReading, Discrepancy, Reconciliation
from sync.models.run import Cursor, DueWork, Heartbeat, Refusal, Run
from sync.models.vendor import VendorLink
from sync.models.webhook_event import WebhookEvent

__all__ = [
    "Answer",
    "Attempt",
    "Batch",
    "BatchReading",
    "Bill",
    "CatalogueList",
    "CompanyPolicy",
    "Cursor",
    "Discrepancy",
    "DueWork",
    "Heartbeat",
    "LineOverride",
    "LogEntry",
    "Mail",
    "MailChoice",
    "MappingRule",
    "MappingRuleChange",
    "Posting",
    "Reconciliation",
    "Refusal",
    "Run",
    "SageLease",
    "VendorLink",
    "WebhookEvent",
]
