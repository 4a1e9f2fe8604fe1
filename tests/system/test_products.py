"""Products with real processes: no duplicates, and imports resume."""

from __future__ import annotations

from collections import Counter


def synchronize(account):
    statuses = account.rpc.search("keycrm.order.status", ("account_id", "=", account.id))
    sync = account.rpc.create(
        "keycrm.order.sync", account_id=account.id, status_ids=[(6, 0, statuses)]
    )
    account.rpc.call("keycrm.order.sync", "action_start", [sync])
    return lambda: account.rpc.read("keycrm.order.sync", sync, "state")["state"] != "running"


def test_two_processes_never_give_one_generated_sku_to_two_products(
    new_odoo, odoo, new_sandbox, new_account, wait_for
):
    """Two accounts of one company have equal offer numbers and no SKUs."""
    new_odoo(database=odoo.database)
    accounts = [new_account(new_sandbox(rate_limit=0), request_limit=6000) for _ in range(2)]
    for account in accounts:
        keycrm = account.keycrm
        offers = [keycrm.create_offer(name=f"Річ {number}", price=10)["id"] for number in range(60)]
        for start in range(0, 60, 3):
            keycrm.create_order(
                webhook=False,
                lines=[
                    *({"offer_id": offer} for offer in offers[start : start + 3]),
                    {"name": f"Разове {start}", "price": 5, "quantity": 1},
                ],
            )
    ended = [synchronize(account) for account in accounts]
    wait_for(lambda: all(end() for end in ended), 180, "both synchronizations")
    rpc = accounts[0].rpc
    mappings = rpc.rows(
        "keycrm.offer",
        ("account_id", "in", [account.id for account in accounts]),
        fields=["product_id", "keycrm_id", "account_id"],
    )
    assert len(mappings) == 120
    assert len({mapping["product_id"][0] for mapping in mappings}) == 120, (
        "each offer is goods of its own"
    )
    products = rpc.rows(
        "product.product", ("keycrm_sku_generated", "=", True), fields=["default_code", "name"]
    )
    skus = Counter(product["default_code"].strip().lower() for product in products)
    assert not [sku for sku, times in skus.items() if times > 1]
    # Equal one-off goods of both accounts are one product.
    one_offs = [product for product in products if product["name"].startswith("Разове")]
    assert len(one_offs) == 20


def test_product_import_resumes_after_a_kill(account, odoo, wait_for):
    account.keycrm.set_switches(rate_limit=0)
    account.write(request_limit=6000)
    for number in range(400):
        account.keycrm.create_offer(name=f"Каталог {number}", sku=f"KILL-{number}")
    total = len(account.keycrm.offers())
    account.keycrm.clear_log()
    load = account.rpc.create("keycrm.product.import", account_id=account.id)
    account.rpc.call("keycrm.product.import", "action_start", [load])

    def row():
        return account.rpc.read(
            "keycrm.product.import",
            load,
            *("state", "page", "total_count", "done_count", "mapped_count", "created_count"),
        )

    wait_for(lambda: row()["done_count"] >= 100, 60, "the first pages")
    odoo.kill()
    odoo.start()
    ended = wait_for(lambda: (found := row())["state"] == "done" and found, 180, "the end")
    assert (ended["total_count"], ended["done_count"]) == (total, total), "no page counted twice"
    assert ended["mapped_count"] + ended["created_count"] == total
    mappings = account.rpc.rows(
        "keycrm.offer", ("account_id", "=", account.id), fields=["keycrm_id", "product_id"]
    )
    assert len(mappings) == total
    assert len({mapping["product_id"][0] for mapping in mappings}) == total
    reads = Counter(
        str(request["query"].get("page"))
        for request in account.keycrm.requests()
        if request["path"] == "/v1/offers" and "include" in str(request["query"])
    )
    # Only the interrupted page may be read again.
    assert sum(reads.values()) <= -(-total // 50) + 1, reads
