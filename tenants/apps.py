"""The app of tenants and people."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Names the app."""

    name = "tenants"
    verbose_name = "Tenants and people"
