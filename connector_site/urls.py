"""Where each address leads. The apps bring their own lists."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    # Last: /<tenant>/ would take any single word.
    path("", include("tenants.urls")),
]
