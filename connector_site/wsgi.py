"""The web server's entry. It makes sure of the database before the first request."""

import os

from django.core.wsgi import get_wsgi_application

from connector_site import database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_site.settings")
database.ensure_running()

application = get_wsgi_application()
