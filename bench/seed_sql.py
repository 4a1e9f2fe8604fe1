"""Seed records by SQL: through the ORM hundreds of thousands would take hours."""

from __future__ import annotations

from tools.waiting import wait_for

from .environment import Shop


def products_of_offers(shop: Shop, count: int, first: int = 1) -> list[int]:
    """Create a mapped product for each offer of the sandbox, as a catalog import does.

    :param count: number of offers
    :param first: KeyCRM's number of the first one
    :return: the products' ids
    """
    model = shop.bench("make_products", 1, "SEED")[0]
    template = shop.one("SELECT product_tmpl_id FROM product_product WHERE id = %s", model)
    templates = _copies(
        shop,
        "product_template",
        template,
        count,
        "name = jsonb_build_object('en_US', 'Seed ' || n)",
        "is_storable = TRUE",
    )
    shop.sql(
        "UPDATE product_product SET default_code = NULL, keycrm_sku_key = NULL WHERE id = %s", model
    )
    begin = _copies(
        shop,
        "product_product",
        model,
        count,
        f"product_tmpl_id = {templates - 1} + n",
        "default_code = 'SEED-' || n",
        "keycrm_sku_key = 'seed-' || n",
    )
    shop.sql(
        """INSERT INTO keycrm_offer (account_id, company_id, keycrm_id, product_id, sku, catalog_at)
           SELECT account.id, account.company_id, %s - 1 + n, %s - 1 + n, 'SEED-' || n,
                  now() AT TIME ZONE 'UTC'
             FROM keycrm_account account, generate_series(1, %s) n WHERE account.id = %s""",
        first,
        begin,
        count,
        shop.account,
    )
    return list(range(begin, begin + count))


def quants(shop: Shop, quantities: dict[int, float]) -> None:
    """Put products on hand in Odoo's first warehouse.

    :param quantities: by product
    """
    shop.sql(
        """INSERT INTO stock_quant (product_id, location_id, company_id, quantity, reserved_quantity,
                                    in_date, create_date, write_date, create_uid, write_uid)
           SELECT given.product, warehouse.lot_stock_id, warehouse.company_id, given.quantity, 0,
                  now(), now(), now(), 1, 1
             FROM unnest(%s::int[], %s::numeric[]) given(product, quantity),
                  (SELECT * FROM stock_warehouse ORDER BY id LIMIT 1) warehouse""",
        list(quantities),
        list(quantities.values()),
    )


def levels(shop: Shop, odoo_warehouses: list[int] | None = None) -> None:
    """Record for every mapped offer the quantity in a KeyCRM warehouse.

    :param odoo_warehouses: ids of those that it is matched with
    """
    warehouse = shop.rpc.create(
        "keycrm.warehouse",
        account_id=shop.account,
        keycrm_id=1001,
        name="Seeded",
        warehouse_ids=[(6, 0, odoo_warehouses or [])],
    )
    shop.sql(
        """INSERT INTO keycrm_stock_level (offer_id, keycrm_warehouse_id, account_id, product_id,
                                           is_known, quantity, sent_quantity, sent_at, checked_at)
           SELECT id, %s, account_id, product_id, TRUE, 5, 5, now(), now() FROM keycrm_offer""",
        warehouse,
    )


def model_order(shop: Shop) -> int:
    """Import one order as the template of copies.

    :return: its id
    """
    number = shop.keycrm.create_order(
        buyer={"full_name": "Model buyer", "phone": "+380671234567"},
        lines=[{"offer_id": offer, "quantity": 1} for offer in (1, 2, 3)],
    )["id"]
    statement = "SELECT id FROM sale_order WHERE keycrm_id = %s"
    return wait_for(lambda: shop.sql(statement, number), 60, "the model order")[0][0]


def orders(shop: Shop, model: int, count: int, buyers: int, products: list[int]) -> None:
    """Copy an order of the account with its lines and buyer many times.

    :param model: the order
    :param count: number of copies
    :param buyers: number of their buyers
    :param products: the products of their lines, in turns
    """
    (partner, lines) = shop.sql(
        """SELECT partner_id, array(SELECT id FROM sale_order_line WHERE order_id = sale.id)
             FROM sale_order sale WHERE id = %s""",
        model,
    )[0]
    people = _copies(
        shop,
        "res_partner",
        partner,
        buyers,
        "name = 'Seeded ' || n",
        "complete_name = 'Seeded ' || n",
        "commercial_partner_id = (SELECT max(id) FROM res_partner) + n",
        "phone = '+38050' || lpad(n::text, 7, '0')",
        "keycrm_phone_key = '+38050' || lpad(n::text, 7, '0')",
        "email = 'seeded' || n || '@example.com'",
        "email_normalized = 'seeded' || n || '@example.com'",
    )
    shop.sql(
        """INSERT INTO keycrm_buyer (account_id, keycrm_id, partner_id, name)
           SELECT %s, 1000000 + n, %s - 1 + n, 'Seeded ' || n FROM generate_series(1, %s) n""",
        shop.account,
        people,
        buyers,
    )
    buyer = f"{people} + n % {buyers}"
    first = _copies(
        shop,
        "sale_order",
        model,
        count,
        "name = 'SEED' || n",
        "keycrm_id = 1000000 + n",
        "keycrm_number = 'SEED-' || n",
        "access_token = NULL",
        "date_order = now() - n * interval '5 minutes'",
        "create_date = now() - n * interval '5 minutes'",
        f"partner_id = {buyer}",
        f"partner_invoice_id = {buyer}",
        f"partner_shipping_id = {buyer}",
    )
    for place, line in enumerate(lines):
        _copies(
            shop,
            "sale_order_line",
            line,
            count,
            f"order_id = {first} - 1 + n",
            f"keycrm_id = {1_000_000 + place * count} + n",
            f"product_id = {products[0]} + (n * 7 + {place}) % {len(products)}",
        )


def _copies(shop: Shop, table: str, model: int, count: int, *sets: str) -> int:
    """Copy a row many times.

    :param model: id of the row
    :param sets: ``column = expression`` over ``n``, from 1
    :return: the first copy's id; the others follow it
    """
    columns = [
        name
        for (name,) in shop.sql(
            """SELECT column_name FROM information_schema.columns
                WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position""",
            table,
        )
    ]
    given = dict(one.split(" = ", 1) for one in sets)
    first = shop.one(f"SELECT max(id) + 1 FROM {table}")
    values = {**{name: f"model.{name}" for name in columns}, **given, "id": f"{first} - 1 + n"}
    names = ", ".join(f'"{name}"' for name in columns)
    chosen = ", ".join(values[name] for name in columns)
    # Without parameters, so that a percent sign stays literal.
    shop.sql(
        f"INSERT INTO {table} ({names}) SELECT {chosen} "
        f"FROM {table} model, generate_series(1, {count}) n WHERE model.id = {model}"
    )
    shop.sql(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
    return first
