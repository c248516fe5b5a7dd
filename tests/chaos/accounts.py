"""Asks a site in other processes what it shows, and Sage what it holds. Run as a program.

``python -m tests.chaos.accounts TENANT SAGE_URL`` with the site's environment prints JSON: how many
postings stand in which state, whether any is under way, and every difference between both sides.
"""

import json
import os
import sys
from collections import Counter
from typing import Any

import django


def main(tenant_slug: str, sage_url: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_site.settings")
    django.setup()
    print(json.dumps(_accounts(tenant_slug, sage_url)))


def _accounts(tenant_slug: str, sage_url: str) -> dict[str, Any]:
    # Only now, since these modules need the settings.
    from django.utils import timezone

    from connector_site.demo.agreement import disagreements
    from connector_site.demo.scenario import read_scenario
    from connector_site.demo.shown import companies_of, rows_of
    from connector_site.demo.talk import Line

    scenario = read_scenario(sage_url=sage_url, today=timezone.localdate())
    rows = {company.slug: rows_of(company) for company in companies_of(tenant_slug)}
    ledger = Line(url=sage_url).get("/_standin/ledger")
    everyone = [row for found in rows.values() for row in found]
    return {
        "states": Counter(row.posting.state for row in everyone),
        "under_way": sum(row.is_under_way for row in everyone),
        "differences": [
            sentence
            for slug, found in rows.items()
            for sentence in disagreements(
                [row.posting for row in found],
                ledger[scenario.sage_databases[slug]],
                connector_user=scenario.connector_user,
            )
        ],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
