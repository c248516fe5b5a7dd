"""Pages of people and tenants. Company pages live below ``/<tenant>/<company>/`` in other apps."""

from django.urls import path

from tenants.views import home

urlpatterns = [
    path("", home.home, name="home"),
    path("health/", home.health, name="health"),
    path("start/", home.start, name="start"),
    path("<slug:tenant_slug>/", home.tenant, name="tenant"),
]
