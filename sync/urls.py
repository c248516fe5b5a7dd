"""The work's addresses: BILL's letter box, the link that stops a mail, and the pages."""

from django.urls import include, path

from sync.views.notifications import stop_mail
from sync.webhooks import BillLetterBox

urlpatterns = [
    path("webhooks/bill/<uuid:address_id>/", BillLetterBox.as_view(), name="bill_letter_box"),
    path("mail/stop/<str:signed>/", stop_mail, name="stop_mail"),
    path("", include("sync.views.urls")),
]
