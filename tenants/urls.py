"""Pages of people and tenants. Company pages live below ``/<tenant>/<company>/`` in other apps.

The second words here are addresses of the tenant's own: no company may be called so
(``RESERVED_COMPANY_SLUGS``), and this list stands before those of the companies.
"""

from django.urls import path

from tenants.views import companies, home, joining, people, you

urlpatterns = [
    path("", home.home, name="home"),
    path("health/", home.health, name="health"),
    path("start/", home.start, name="start"),
    path("accounts/you/", you.you, name="you"),
    path("invitation/<str:secret>/", joining.invitation, name="invitation"),
    path("<slug:tenant_slug>/", home.tenant, name="tenant"),
    path("<slug:tenant_slug>/new-company/", companies.new_company, name="new_company"),
    path("<slug:tenant_slug>/people/", people.people, name="people"),
    path("<slug:tenant_slug>/people/invite/", people.send_invitation, name="invite"),
    path(
        "<slug:tenant_slug>/people/invitations/<uuid:invitation_id>/again/",
        people.invite_again,
        name="invite_again",
    ),
    path(
        "<slug:tenant_slug>/people/invitations/<uuid:invitation_id>/take-back/",
        people.take_invitation_back,
        name="take_invitation_back",
    ),
    path("<slug:tenant_slug>/people/<uuid:user_id>/", people.person, name="person"),
    path("<slug:tenant_slug>/tokens/", people.make_token, name="make_token"),
    path(
        "<slug:tenant_slug>/tokens/<uuid:token_id>/revoke/",
        people.revoke_token,
        name="revoke_token",
    ),
]
