"""The app of the two windows."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """BILL and Sage 300, each speaking its own language."""

    name = "integrations"
    verbose_name = "Connections"
    default_auto_field = "django.db.models.BigAutoField"
