"""The site as an app: its commands, its checks and its static files."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Registers the start-up checks."""

    name = "connector_site"
    verbose_name = "Site"

    def ready(self) -> None:
        """Load the checks."""
        from connector_site import checks  # noqa: F401, PLC0415
