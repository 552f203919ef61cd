"""Places orders while engines come and go, and looks afterwards whether everything acknowledged is there. For
tests/stack/engine.sh; knows the API and no engine.

    orders.py place URL FILE WORD      until it is terminated; acknowledged ids go to FILE, a line each
    orders.py find URL FILE WORD       every id of FILE: by itself, in the list, and in the search for WORD
    orders.py ask URL METHOD PATH      one request; prints the status and Retry-After
"""

import json
import signal
import sys
import time
import urllib.error
import urllib.request

# What waits longer than this for an answer counts as not acknowledged.
PATIENCE = 20
# How many orders a second: FerretDB takes up less than ten when it has some hundred.
RATE = 2
# How long projections may take to catch up.
CATCH_UP = 180


def request(url, method="GET", body=None):
    """The status, Retry-After and the body's JSON; status 0 if there was no answer."""
    data = json.dumps(body).encode() if body is not None else None
    asked = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return answer.status, answer.headers.get("retry-after"), json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers.get("retry-after"), None
    except (OSError, ValueError):
        return 0, None, None


def order(word):
    item = {"id": "1", "title": word, "description": "Loose leaf", "quantity": 2, "price": 12.5}
    return {"shopItems": [item], "accountEmail": "jane@example.com", "deliveryAddress": "12 Main Street"}


def place(url, path, word):
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    refused = {}
    with open(path, "a", buffering=1) as file:
        while not stopped:
            status, _, answer = request(f"{url}/api/orders", "POST", order(word))
            if status == 201:
                file.write(f"{answer}\n")
            else:
                refused[status] = refused.get(status, 0) + 1
            time.sleep(1 / RATE)
    print(json.dumps({"refused": refused}))


def in_list(url):
    found, cursor = set(), ""
    while True:
        status, _, page = request(f"{url}/api/orders?limit=100{cursor}")
        if status != 200:
            return found
        found |= {order["id"] for order in page["orders"]}
        if "nextCursor" not in page:
            return found
        cursor = f"&cursor={page['nextCursor']}"


def in_search(url, word):
    found, number = set(), 1
    while True:
        status, _, page = request(f"{url}/api/orders/search?search={word}&size=100&page={number}")
        if status != 200:
            return found
        found |= {order["id"] for order in page["orders"]}
        if not page["pagination"]["hasMore"]:
            return found
        number += 1


def find(url, path, word):
    expected = set(open(path).read().split())
    ways = {
        "by itself": lambda: {id for id in expected if request(f"{url}/api/orders/{id}")[0] == 200},
        "in the list": lambda: in_list(url),
        "in the search": lambda: in_search(url, word),
    }
    deadline = time.monotonic() + CATCH_UP
    for way, look in ways.items():
        while missing := expected - look():
            if time.monotonic() > deadline:
                sys.exit(f"{len(missing)} of {len(expected)} orders are not there {way}, {min(missing)} for one")
            time.sleep(0.5)
    print(len(expected))


def ask(url, method, path):
    status, retry_after, _ = request(f"{url}{path}", method, order("Greentea") if method == "POST" else None)
    print(status, "with Retry-After" if retry_after else "without Retry-After")


{"place": place, "find": find, "ask": ask}[sys.argv[1]](*sys.argv[2:])
