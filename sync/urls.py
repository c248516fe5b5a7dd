"""The work's addresses: BILL's letter box and the pages; the API has a list of its own."""

from django.urls import include, path

from sync.webhooks import BillLetterBox

urlpatterns = [
    path("webhooks/bill/<uuid:address_id>/", BillLetterBox.as_view(), name="bill_letter_box"),
    path("", include("sync.views.urls")),
]
