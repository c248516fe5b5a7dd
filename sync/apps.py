"""The sync app: from an event to a line in the ledger."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    """Names the app for Django."""

    name = "sync"
    verbose_name = "The work"
    default_auto_field = "django.db.models.BigAutoField"
