"""Pages of a company, all below ``/<tenant>/<company>/``."""

from django.urls import include, path

from sync.views import (
    bench_urls,
    log,
    notifications,
    postings,
    pulse,
    reconcile,
    runs,
    setup_urls,
    today,
)

app_name = "sync"

of_company = [
    path("", today.today, name="today"),
    path("pulse/", pulse.heard, name="pulse"),
    path("run/", today.run_now, name="run_now"),
    path("postings/", postings.postings, name="postings"),
    path("postings.csv", log.postings_csv, name="postings_csv"),
    path("postings/<uuid:posting_id>/", postings.posting, name="posting"),
    path("postings/<uuid:posting_id>/act/", postings.act, name="act"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<uuid:run_id>/", runs.run, name="run"),
    path("runs/<uuid:run_id>/progress/", runs.run_progress, name="run_progress"),
    path("log/", log.log, name="log"),
    path("log.csv", log.log_csv, name="log_csv"),
    path("reconcile/", reconcile.reconcile_page, name="reconcile"),
    path("reconcile/now/", reconcile.reconcile_now, name="reconcile_now"),
    path(
        "reconcile/<uuid:run_id>/progress/",
        reconcile.reconcile_progress,
        name="reconcile_progress",
    ),
    path("reconcile.csv", reconcile.reconcile_csv, name="reconcile_csv"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/digest/", notifications.send_digest, name="send_digest"),
    *bench_urls.of_company,
    *setup_urls.of_company,
]
urlpatterns = [path("<slug:tenant_slug>/<slug:company_slug>/", include(of_company))]
