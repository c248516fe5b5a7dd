"""Makes the operators' site the default admin."""

from django.contrib.admin.apps import AdminConfig


class OperatorAdminConfig(AdminConfig):
    """Django's admin with our site class."""

    default_site = "tenants.operator_site.OperatorSite"
