"""Where each address leads. The apps bring their own lists."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    # Before the firms' pages: /api/ is no firm.
    path("api/", include("sync.api.urls")),
    # Before the companies' pages: /<tenant>/people/ is no company.
    path("", include("tenants.urls")),
    path("", include("sync.urls")),
]
