"""The work's addresses: BILL's letter box, the machines' API, and the pages."""

from django.urls import include, path

from sync.webhooks import BillLetterBox

urlpatterns = [
    path("webhooks/bill/<uuid:address_id>/", BillLetterBox.as_view(), name="bill_letter_box"),
    path("api/", include("sync.api.urls")),
    path("", include("sync.views.urls")),
]
