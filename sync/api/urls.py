"""Addresses of the machines' API; a token names the tenant, the address names the company."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from sync.api import (
    attention,
    companies,
    connections,
    deeds_on_postings,
    defaults,
    lists,
    log,
    mapping,
    mapping_bench,
    ping,
    policy,
    postings,
    reconciliations,
    reference,
    replay,
    review,
    runs,
    spreadsheets,
    today,
    vendors,
    webhooks,
)
from sync.api.schema import ApiTokenScheme

#: Known to the OpenAPI document by being imported.
SCHEMES = (ApiTokenScheme,)

of_connections: list[URLPattern | URLResolver] = [
    path("bill-connection/", connections.BillConnectionView.as_view(), name="api_bill"),
    path("bill-connection/pause/", connections.BillPause.as_view(), name="api_bill_pause"),
    path("sage300-connection/", connections.SageConnectionView.as_view(), name="api_sage"),
    path("sage300-connection/pause/", connections.SagePause.as_view(), name="api_sage_pause"),
    path("ping/", ping.Ping.as_view(), name="api_ping"),
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
of_postings: list[URLPattern | URLResolver] = [
    path("today/", today.Today.as_view(), name="api_today"),
    path("postings/", postings.Postings.as_view(), name="api_postings"),
    path("postings.csv", spreadsheets.PostingSheet.as_view(), name="api_postings_csv"),
    path("postings/<uuid:posting_id>/", postings.PostingDetail.as_view(), name="api_posting"),
    path(
        "postings/<uuid:posting_id>/deeds/",
        deeds_on_postings.PostingDeed.as_view(),
        name="api_posting_deed",
    ),
    path(
        "postings/<uuid:posting_id>/account/",
        deeds_on_postings.PostingAccount.as_view(),
        name="api_posting_account",
    ),
    path("attention/", attention.Attention.as_view(), name="api_attention"),
    path("review/", review.Review.as_view(), name="api_review"),
    path("review/approve/", review.ReviewApprove.as_view(), name="api_review_approve"),
    path("replay/", replay.Replay.as_view(), name="api_replay"),
    path("runs/", runs.Runs.as_view(), name="api_runs"),
    path("runs/<uuid:run_id>/", runs.RunDetail.as_view(), name="api_run"),
    path("reconciliations/", reconciliations.Reconciliations.as_view(), name="api_reconciliations"),
    path(
        "reconciliations/<uuid:run_id>/",
        reconciliations.ReconciliationDetail.as_view(),
        name="api_reconciliation",
    ),
    path("differences/", reconciliations.Differences.as_view(), name="api_differences"),
    path("log/", log.Log.as_view(), name="api_log"),
    path("log.csv", spreadsheets.LogSheet.as_view(), name="api_log_csv"),
    path("log/<uuid:line_id>/", log.LogLine.as_view(), name="api_log_line"),
]
of_rules: list[URLPattern | URLResolver] = [
    path("lists/", lists.ListsView.as_view(), name="api_lists"),
    path("vendors/", vendors.Vendors.as_view(), name="api_vendors"),
    path("vendors/<uuid:vendor_id>/", vendors.VendorDetail.as_view(), name="api_vendor"),
    path("vendor-defaults/", defaults.Defaults.as_view(), name="api_defaults"),
    path("vendor-defaults/update/", defaults.DefaultsUpdate.as_view(), name="api_defaults_update"),
    path("mapping-accounts/", mapping_bench.Accounts.as_view(), name="api_mapping_accounts"),
    path("mapping-rules/", mapping.MappingRules.as_view(), name="api_mapping_rules"),
    path("mapping-rules/try/", mapping_bench.RuleEffect.as_view(), name="api_rule_effect"),
    path("mapping-rules/history/", mapping_bench.RuleHistory.as_view(), name="api_rule_history"),
    path("mapping-rules/file/", mapping_bench.RuleFile.as_view(), name="api_rule_file"),
    path(
        "mapping-rules/<uuid:rule_id>/",
        mapping.MappingRuleDetail.as_view(),
        name="api_mapping_rule",
    ),
]
of_company: list[URLPattern | URLResolver] = [
    path("", companies.CompanyDetail.as_view(), name="api_company"),
    path("copy/", companies.CompanyCopy.as_view(), name="api_company_copy"),
    path("pause/", companies.CompanyPause.as_view(), name="api_company_pause"),
    path("resume/", companies.CompanyResume.as_view(), name="api_company_resume"),
    path("policy/", policy.PolicyView.as_view(), name="api_policy"),
    path("policy/look/", policy.PolicyLook.as_view(), name="api_policy_look"),
    *of_connections,
    *of_postings,
    *of_rules,
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", reference.reference, name="api_reference"),
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("v1/companies/", companies.Companies.as_view(), name="api_companies"),
    path("v1/companies/<slug:company_slug>/", include(of_company)),
]
