"""The product's settings with the bench's addresses."""

from connector_site.settings import *  # noqa: F403

ROOT_URLCONF = "bench.webhook_site"
