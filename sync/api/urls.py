"""Addresses of the machines' API; a token names the tenant, the address names the company."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from sync.api import (
    companies,
    log,
    mapping,
    postings,
    reconciliations,
    replay,
    runs,
    vendors,
    webhooks,
)
from sync.api.schema import ApiTokenScheme

#: Known to the OpenAPI document by being imported.
SCHEMES = (ApiTokenScheme,)

of_company: list[URLPattern | URLResolver] = [
    path("", companies.CompanyDetail.as_view(), name="api_company"),
    path("runs/", runs.Runs.as_view(), name="api_runs"),
    path("runs/<uuid:run_id>/", runs.RunDetail.as_view(), name="api_run"),
    path("postings/", postings.Postings.as_view(), name="api_postings"),
    path("postings/<uuid:posting_id>/", postings.PostingDetail.as_view(), name="api_posting"),
    path("vendors/", vendors.Vendors.as_view(), name="api_vendors"),
    path("vendors/<uuid:vendor_id>/", vendors.VendorDetail.as_view(), name="api_vendor"),
    path("mapping-rules/", mapping.MappingRules.as_view(), name="api_mapping_rules"),
    path(
        "mapping-rules/<uuid:rule_id>/",
        mapping.MappingRuleDetail.as_view(),
        name="api_mapping_rule",
    ),
    path("replay/", replay.Replay.as_view(), name="api_replay"),
    path("reconciliations/", reconciliations.Reconciliations.as_view(), name="api_reconciliations"),
    path(
        "reconciliations/<uuid:run_id>/",
        reconciliations.ReconciliationDetail.as_view(),
        name="api_reconciliation",
    ),
    path("differences/", reconciliations.Differences.as_view(), name="api_differences"),
    path("log/", log.Log.as_view(), name="api_log"),
    path("webhook-subscription/", webhooks.Subscription.as_view(), name="api_subscription"),
    path(
        "webhook-subscription/test/",
        webhooks.SubscriptionTest.as_view(),
        name="api_subscription_test",
    ),
    path(
        "webhook-subscription/key/",
        webhooks.SubscriptionKey.as_view(),
        name="api_subscription_key",
    ),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("v1/companies/", companies.Companies.as_view(), name="api_companies"),
    path("v1/companies/<slug:company_slug>/", include(of_company)),
]
