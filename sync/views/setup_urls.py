"""The owner's pages of a company: set-up, connections, policy."""

from django.urls import path

from sync.views import connections, policy, setup, webhook

of_company = [
    path("setup/", setup.setup, name="setup"),
    path("copy/", setup.copy_company, name="copy_company"),
    path("connections/", connections.connections, name="connections"),
    path("connections/webhook/register/", webhook.register, name="webhook_register"),
    path("connections/webhook/test/", webhook.test, name="webhook_test"),
    path("connections/webhook/rekey/", webhook.rekey, name="webhook_rekey"),
    path("connections/webhook/remove/", webhook.remove, name="webhook_remove"),
    path("connections/<str:side>/", connections.change, name="connect"),
    path("connections/<str:side>/test/", connections.test, name="connection_test"),
    path("connections/<str:side>/pause/", connections.pause, name="connection_pause"),
    path("policy/", policy.policy, name="policy"),
    path("policy/pause/", policy.pause, name="company_pause"),
]
