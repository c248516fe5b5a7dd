"""A process of its own that walks BILL with several threads; the tests start it.

Reads the address and the number of threads from its arguments. Every thread reads one page, waits
for a line on standard input, and reads the rest; the numbers of bills are printed as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import django


def main() -> None:
    url, threads = sys.argv[1], int(sys.argv[2])
    django.setup()
    from django.db import connection

    from tests.integration.integrations.bill_world import a_client

    first_pages, go_on = threading.Barrier(threads + 1), threading.Event()

    def walk(_: int) -> int:
        pages = a_client(url).iter_bills()
        bills = len(next(pages))
        first_pages.wait(60)
        go_on.wait(60)
        bills += sum(len(page) for page in pages)
        connection.close()
        return bills

    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(walk, range(threads))
        first_pages.wait(60)
        print("read one page", flush=True)
        sys.stdin.readline()
        go_on.set()
        print(json.dumps(list(found)), flush=True)


if __name__ == "__main__":
    main()
