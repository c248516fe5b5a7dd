"""The accountant's workbenches: vendors, mapping, attention, review, asking again."""

from django.urls import path

from sync.views import attention, mapping, review, vendors

of_company = [
    path("attention/", attention.attention, name="attention"),
    path("attention/<uuid:posting_id>/", attention.deed, name="deed"),
    path("replay/", attention.replay, name="replay"),
    path("review/", review.review, name="review"),
    path("review/approve/", review.review_approve, name="review_approve"),
    path("review/<uuid:posting_id>/", review.review_bill, name="review_bill"),
    path("review/<uuid:posting_id>/account/", review.review_account, name="review_account"),
    path("vendors/", vendors.vendors, name="vendors"),
    path("vendors/default/", vendors.vendor_default, name="vendor_default"),
    path("vendors/update/", vendors.vendor_update, name="vendor_update"),
    path("vendors/<uuid:link_id>/", vendors.vendor_decide, name="vendor_decide"),
    path("mapping/", mapping.mapping, name="mapping"),
    path("mapping/save/", mapping.mapping_save, name="mapping_save"),
    path("mapping/remove/", mapping.mapping_remove, name="mapping_remove"),
    path("mapping/file/", mapping.mapping_file, name="mapping_file"),
    path("mapping/history/", mapping.mapping_history, name="mapping_history"),
    path("lists/read/", mapping.read_again, name="read_again"),
    path("mapping.csv", mapping.mapping_csv, name="mapping_csv"),
]
