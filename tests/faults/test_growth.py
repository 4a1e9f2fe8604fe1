"""A million rows in the inbox: frequent queries touch only a few pages."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tools.waiting import wait_for

ROWS = 1_000_000
#: Pages of 8 kB that one query may touch: an index's height and a few rows, at any table size.
MAX_PAGES = 60


def fill_inbox(runtime, odoo, account):
    """Insert a million finished events, one in 200 of them failed."""
    runtime.server.query(
        odoo.database,
        """INSERT INTO keycrm_event
               (account_id, event, keycrm_order_id, payload, from_webhook, received_at,
                state, attempts, done_at, next_try_at, error_code)
           SELECT %s, 'order.change_order_status', n %% 200000 + 1000000,
                  '{"event": "order.change_order_status"}', TRUE, now() - interval '10 days',
                  CASE WHEN n %% 200 = 0 THEN 'failed' ELSE 'done' END, 1, now(), NULL,
                  CASE WHEN n %% 200 = 0 THEN 'odoo_refused' END
             FROM generate_series(1, %s) n""",
        (account.id, ROWS),
    )
    runtime.server.query(odoo.database, "VACUUM ANALYZE keycrm_event")


def buffers(runtime, odoo, statement):
    """Run a statement and count the pages it touches.

    :return: pages, and the plan for the report
    """
    rows = runtime.server.query(
        odoo.database, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
    )
    plan = rows[0][0] if isinstance(rows[0][0], list) else json.loads(rows[0][0])
    top = plan[0]["Plan"]
    return top["Shared Hit Blocks"] + top["Shared Read Blocks"], json.dumps(plan, indent=1)


def test_million_events_slow_neither_webhook_nor_worker(account, odoo, runtime):
    if runtime.postgres is None:
        pytest.skip("the log of an existing server is not ours to read")
    fill_inbox(runtime, odoo, account)
    # Taken from the database's log, so that a changed query of the addon is measured too.
    logged = statements_of(runtime, odoo, account)
    about_events = [text for text in logged if "keycrm_event" in text]
    pages_by_query = {}
    for text in about_events:
        if text.lstrip().upper().startswith("SELECT"):
            pages_by_query[text] = buffers(runtime, odoo, text)
    assert any('"next_try_at"' in text for text in pages_by_query), (
        "the worker's query was not logged"
    )
    too_many = {text: plan for text, (pages, plan) in pages_by_query.items() if pages > MAX_PAGES}
    assert not too_many, "\n\n".join(f"{text}\n{plan}" for text, plan in too_many.items())
    print("\npages touched:", sorted(pages for pages, _plan in pages_by_query.values()))


def statements_of(runtime, odoo, account):
    """Import an order and return the statements that the database logged."""
    runtime.server.query(
        odoo.database, f"ALTER DATABASE \"{odoo.database}\" SET log_statement = 'all'"
    )
    log = runtime.postgres.folder / "postgres.log"
    odoo.restart()
    before = log.stat().st_size
    made = account.keycrm.create_order(
        webhook=False, lines=[{"name": "Кухоль", "price": 100, "quantity": 2}]
    )
    body = {"event": "order.change_order_status", "context": {"id": made["id"]}}
    assert requests.post(account.link, json=body, timeout=60).status_code == 204
    wait_for(lambda: account.order(made["id"], "id"), 120, "the order")
    with log.open("rb") as file:
        file.seek(before)
        text = file.read().decode(errors="replace")
    runtime.server.query(odoo.database, f'ALTER DATABASE "{odoo.database}" RESET log_statement')
    found = re.split(r"^\d{4}-\d\d-\d\d [^\n]*?LOG:  statement: ", text, flags=re.MULTILINE)
    return [one.split("\n20", 1)[0].strip() for one in found[1:]]


def test_pending_and_failed_events_are_never_cleared(account, odoo, runtime, rpc):
    account.write(keep_days=1)
    runtime.server.query(
        odoo.database,
        """INSERT INTO keycrm_event (account_id, event, keycrm_order_id, received_at, state,
                                     next_try_at)
           SELECT %s, 'old', n, now() - interval '3 years',
                  (ARRAY['done', 'ignored', 'failed', 'pending'])[n %% 4 + 1],
                  CASE WHEN n %% 4 = 3 THEN timestamp '2999-01-01' END
             FROM generate_series(1, 40) n""",
        (account.id,),
    )
    of_account = ("account_id", "=", account.id)
    vacuum = rpc.search(
        "ir.cron", ("cron_name", "ilike", "auto-vacuum"), ("active", "in", [True, False])
    )
    assert vacuum
    rpc.call("ir.cron", "method_direct_trigger", vacuum)
    left = rpc.rows("keycrm.event", of_account, ("event", "=", "old"), fields=["state"])
    assert sorted(row["state"] for row in left) == ["failed"] * 10 + ["pending"] * 10
