from odoo import api, fields, models
from odoo.tools import SQL

from ...keycrm.stock_quantities import Terms, target

#: States of moves whose move lines are reserved.
RESERVING_STATES = ("assigned", "partially_available", "waiting", "confirmed")

#: The part of an open move whose goods are on hand. Goods that are made to order and have not arrived
#: are not on hand: their purchase or production is open or has not started. Only their open quantity is
#: subtracted, since one purchase may supply several moves. ``up`` follows the chain from the move to
#: the move that brings its supply into the warehouse.
_OUTGOING = SQL(
    """CASE WHEN move.procure_method <> 'make_to_order' THEN move.product_qty
            ELSE LEAST(move.product_qty, GREATEST(COALESCE(detail.reserved, 0),
                 move.product_qty - COALESCE((
                    WITH RECURSIVE up AS (
                        SELECT move.id, move.procure_method, move.product_qty, location.usage
                         UNION
                        SELECT prior.id, prior.procure_method, prior.product_qty, source.usage
                          FROM up
                          JOIN stock_move_move_rel chain ON chain.move_dest_id = up.id
                          JOIN stock_move prior ON prior.id = chain.move_orig_id
                          JOIN stock_location source ON source.id = prior.location_id
                         WHERE up.usage = 'internal' AND prior.product_id = move.product_id
                           AND prior.state NOT IN ('done', 'cancel'))
                    SELECT SUM(up.product_qty) FROM up
                     WHERE up.usage <> 'internal'
                        OR (up.procure_method = 'make_to_order' AND NOT EXISTS (
                            SELECT FROM stock_move_move_rel chain
                             WHERE chain.move_dest_id = up.id))
                 ), 0))) END"""
)

#: Whether an internal move without a sale supplies an order of the account.
_SUPPLIES = """(line.id IS NULL AND destination.usage = 'internal' AND EXISTS (
    WITH RECURSIVE down AS (
        SELECT chain.move_dest_id AS id
          FROM stock_move_move_rel chain WHERE chain.move_orig_id = move.id
         UNION
        SELECT chain.move_dest_id
          FROM down JOIN stock_move_move_rel chain ON chain.move_orig_id = down.id)
    SELECT FROM down
      JOIN stock_move supplied ON supplied.id = down.id
      JOIN sale_order_line ordered ON ordered.id = supplied.sale_line_id
      JOIN sale_order customer ON customer.id = ordered.order_id
     WHERE customer.keycrm_account_id = %(account)s))"""


class KeycrmStockCalculator(models.AbstractModel):
    """Compute the quantities that KeyCRM should show, for many products at once.

    One query a term, for any number of products. By SQL, because the terms join moves, order lines and
    locations, and this runs for every change of stock. The sums are those of
    :mod:`~.keycrm.stock_quantities`. Other modules may extend it, as the one for manufacturing does.
    """

    _name = "keycrm.stock.calculator"
    _description = "KeyCRM stock calculator"

    @api.model
    def _terms(self, warehouse, products, *, all_terms=False):
        """Read the terms of products in a KeyCRM warehouse.

        :param warehouse: ``keycrm.warehouse``, one, matched
        :param products: ``product.product``
        :param all_terms: whether to read those that the account's choice of quantity does not need, too
        :return: ``{product id: Terms}``, one for each product
        """
        terms = {product_id: Terms() for product_id in products.ids}
        if not terms:
            return terms
        self._mark_ended(terms, warehouse)
        self._add_on_hand(terms, warehouse)
        rule = warehouse.account_id.stock_quantity
        if all_terms or rule == "on_hand":
            self._add_written_off(terms, warehouse)
        if all_terms or rule in ("available", "free"):
            self._add_reserved(terms, warehouse)
        if all_terms or rule == "available":
            self._add_open_orders(terms, warehouse)
            self._add_keycrm_reserved(terms, warehouse)
        return terms

    @api.model
    def _targets(self, warehouse, products):
        """Return the quantities that a KeyCRM warehouse should show, by the account's choice.

        :param warehouse: ``keycrm.warehouse``, one, matched
        :param products: ``product.product``
        :return: ``{product id: quantity}``
        """
        rule = warehouse.account_id.stock_quantity
        return {
            product_id: target(rule, terms)
            for product_id, terms in self._terms(warehouse, products).items()
        }

    @api.model
    def _doubtful_product_ids(self, warehouse):
        """Return the products whose quantity may differ from the one in a KeyCRM warehouse.

        Of all others nothing is reserved or ordered, and KeyCRM shows exactly what is on hand, so that their
        quantity needs no computation.

        :param warehouse: ``keycrm.warehouse``, one
        :return: list of ids
        """
        self.env.cr.execute(
            SQL(
                """SELECT offer.product_id
                     FROM keycrm_offer offer
                     JOIN product_product p ON p.id = offer.product_id
                     JOIN product_template t ON t.id = p.product_tmpl_id
                LEFT JOIN keycrm_stock_level level
                       ON level.offer_id = offer.id AND level.keycrm_warehouse_id = %(warehouse)s
                LEFT JOIN (SELECT quant.product_id, SUM(quant.quantity) AS quantity
                             FROM stock_quant quant
                             JOIN stock_location location ON location.id = quant.location_id
                            WHERE location.usage = 'internal'
                              AND location.warehouse_id = ANY(%(ids)s) AND %(fresh)s
                         GROUP BY quant.product_id) stock ON stock.product_id = offer.product_id
                    WHERE offer.account_id = %(account)s
                      AND (ROUND(COALESCE(stock.quantity, 0) - COALESCE(level.quantity, 0), 3) <> 0
                           OR stock.quantity < 0 OR stock.quantity <> TRUNC(stock.quantity)
                           OR NOT %(sold)s)
                    UNION
                   SELECT product_id FROM stock_move_line WHERE state = ANY(%(reserving)s)
                    UNION
                   SELECT product_id FROM stock_move WHERE state NOT IN ('draft', 'done', 'cancel')
                    UNION
                   SELECT line.product_id
                     FROM sale_order_line line JOIN sale_order sale ON sale.id = line.order_id
                    WHERE sale.keycrm_account_id = %(account)s
                      AND (line.keycrm_stock_status = 'reserved'
                           OR (line.keycrm_stock_status = 'fulfilled'
                               AND sale.state IN ('draft', 'sent')))""",
                warehouse=warehouse.id,
                ids=warehouse.warehouse_ids.ids,
                account=warehouse.account_id.id,
                sold=self._is_sold(warehouse.account_id.company_id),
                fresh=self._is_fresh("quant"),
                reserving=list(RESERVING_STATES),
            )
        )
        return [product_id for (product_id,) in self.env.cr.fetchall()]

    # === PRODUCTS THAT ARE SENT ===#

    @api.model
    def _is_sold(self, company):
        """Return the SQL condition of products (``p``, ``t``) that a company keeps in stock and may sell.

        As in Odoo, a branch may use the products of the companies above it.

        :param company: ``res.company``, one
        """
        return SQL(
            "(p.active AND t.is_storable AND (t.company_id IS NULL OR t.company_id = ANY(%s)))",
            company.sudo().parent_ids.ids,
        )

    @api.model
    def _counted_product_ids(self, account, product_ids=None):
        """Return the products of the account's company that were counted or moved; others are not sent.

        Products that are archived, not tracked or of another company only where their quantity was
        sent: KeyCRM would still sell it. The same applies to offers that now belong to a product that was
        never counted.

        :param account: ``keycrm.account``, one
        :param product_ids: ids to choose from; None for all products
        :return: sorted list of ids
        """
        among = SQL("") if product_ids is None else SQL("AND p.id = ANY(%s)", list(product_ids))
        self.env["keycrm.stock.level"].flush_model(["product_id"])
        self.env.cr.execute(
            SQL(
                """SELECT p.id
                     FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                    WHERE (%(sold)s
                           AND (EXISTS (SELECT FROM stock_quant q
                                         WHERE q.product_id = p.id AND q.company_id = %(company)s
                                           AND q.quantity <> 0)
                                OR EXISTS (SELECT FROM stock_move m
                                            WHERE m.product_id = p.id AND m.state = 'done'
                                              AND m.company_id = %(company)s))
                           OR EXISTS (SELECT FROM keycrm_stock_level l
                                       WHERE l.product_id = p.id AND l.account_id = %(account)s
                                         AND (l.checked_at IS NOT NULL OR l.sent_at IS NOT NULL)))
                      %(among)s
                    ORDER BY p.id""",
                sold=self._is_sold(account.company_id),
                company=account.company_id.id,
                account=account.id,
                among=among,
            )
        )
        return [product_id for (product_id,) in self.env.cr.fetchall()]

    @api.model
    def _affected_product_ids(self, account, product_ids):
        """Return the products whose quantity a change of these products may change.

        :param account: ``keycrm.account``, one
        :param product_ids: ids of ``product.product``
        :return: collection of ids, at least these
        """
        return product_ids

    # === ON HAND ===#

    @api.model
    def _is_fresh(self, table):
        """Return the SQL condition of goods that can still be sold.

        Odoo's own free quantity excludes those whose removal date has passed, where the module for
        expiration dates is installed.

        :param table: alias of ``stock_quant`` or ``stock_lot``
        """
        if "removal_date" not in self.env["stock.lot"]._fields:
            return SQL("TRUE")
        column = SQL.identifier(table, "removal_date")
        return SQL("(%(c)s IS NULL OR %(c)s > %(day)s)", c=column, day=fields.Date.today())

    @api.model
    def _mark_ended(self, terms, warehouse):
        """Mark products that are no longer sold, where the account sends zero for them.

        :param terms: ``{product id: Terms}``
        :param warehouse: ``keycrm.warehouse``, one
        """
        if warehouse.account_id.stock_when_ended != "zero":
            return
        self.env.cr.execute(
            SQL(
                """SELECT p.id
                     FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                    WHERE p.id = ANY(%s) AND NOT %s""",
                list(terms),
                self._is_sold(warehouse.account_id.company_id),
            )
        )
        for (product_id,) in self.env.cr.fetchall():
            terms[product_id].is_ended = True

    @api.model
    def _add_on_hand(self, terms, warehouse):
        """Add the quantity on hand, in internal locations of the warehouses, without expired lots.

        :param terms: ``{product id: Terms}``
        :param warehouse: ``keycrm.warehouse``, one
        """
        self.env.cr.execute(
            SQL(
                """SELECT quant.product_id, SUM(quant.quantity)
                     FROM stock_quant quant
                     JOIN stock_location location ON location.id = quant.location_id
                    WHERE quant.product_id = ANY(%s)
                      AND location.usage = 'internal' AND location.warehouse_id = ANY(%s) AND %s
                 GROUP BY quant.product_id""",
                list(terms),
                warehouse.warehouse_ids.ids,
                self._is_fresh("quant"),
            )
        )
        for product_id, quantity in self.env.cr.fetchall():
            terms[product_id].on_hand = quantity or 0.0

    @api.model
    def _add_reserved(self, terms, warehouse):
        """Add the reserved quantity, and the part of it for orders of the account.

        :meth:`_add_open_orders` counts that part already. It includes goods that were bought for the
        orders and are not on hand yet, but no parts of repairs, which are not shipped.

        Summed over move lines, as Odoo's own clean-up does: the reserved quantity of quants is wrong for
        hours after a conflict of two users (confirmed).

        :param terms: ``{product id: Terms}``
        :param warehouse: ``keycrm.warehouse``, one
        """
        self.env.cr.execute(
            SQL(
                """SELECT detail.product_id, SUM(detail.quantity_product_uom),
                          SUM(detail.quantity_product_uom)
                              FILTER (WHERE sale.keycrm_account_id = %s
                                      AND destination.usage <> 'production' OR %s)
                     FROM stock_move_line detail
                     JOIN stock_location location ON location.id = detail.location_id
                     JOIN stock_location destination ON destination.id = detail.location_dest_id
                LEFT JOIN stock_move move ON move.id = detail.move_id
                LEFT JOIN sale_order_line line ON line.id = move.sale_line_id
                LEFT JOIN sale_order sale ON sale.id = line.order_id
                LEFT JOIN stock_lot lot ON lot.id = detail.lot_id
                    WHERE detail.product_id = ANY(%s) AND detail.state = ANY(%s)
                      AND location.usage = 'internal' AND location.warehouse_id = ANY(%s) AND %s
                 GROUP BY detail.product_id""",
                warehouse.account_id.id,
                SQL(_SUPPLIES, account=warehouse.account_id.id),
                list(terms),
                list(RESERVING_STATES),
                warehouse.warehouse_ids.ids,
                self._is_fresh("lot"),
            )
        )
        for product_id, quantity, own in self.env.cr.fetchall():
            terms[product_id].reserved = quantity or 0.0
            terms[product_id].own_reserved = own or 0.0

    # === ORDERS OF THE ACCOUNT ===#

    @api.model
    def _add_open_orders(self, terms, warehouse):
        """Add the outgoing quantity of the account's orders from the matched Odoo warehouses.

        :param terms: ``{product id: Terms}``
        :param warehouse: ``keycrm.warehouse``, one
        """
        for row in self._open_moves(warehouse, list(terms)):
            if row["warehouse_id"] in warehouse.warehouse_ids.ids:
                terms[row["product_id"]].open_orders += row["quantity"]
        for row in self._unconfirmed(warehouse, list(terms)):
            terms[row["product_id"]].open_orders += row["quantity"]

    @api.model
    def _add_written_off(self, terms, warehouse):
        """Add the quantity that KeyCRM has written off there and Odoo still has to ship.

        :param terms: ``{product id: Terms}``
        :param warehouse: ``keycrm.warehouse``, one
        """
        open_by_line = {}
        for row in self._open_moves(warehouse, list(terms), written_off=True):
            if row["line_product_id"] == row["product_id"]:
                line = open_by_line.setdefault(row["line_id"], {**row, "quantity": 0.0})
                line["quantity"] += row["quantity"]
        for row in open_by_line.values():
            terms[row["product_id"]].written_off += min(row["quantity"], row["keycrm_quantity"])
        for row in self._unconfirmed(warehouse, list(terms), written_off=True):
            terms[row["product_id"]].written_off += row["quantity"]

    @api.model
    def _add_keycrm_reserved(self, terms, warehouse):
        """Add KeyCRM's own reserve there for imported order lines.

        Of a product with two offers in KeyCRM it is not known which one is reserved: nothing is added
        then, rather than to both.

        :param terms: ``{product id: Terms}``
        :param warehouse: ``keycrm.warehouse``, one
        """
        self.env.cr.execute(
            SQL(
                """SELECT line.product_id, SUM(line.keycrm_quantity)
                     FROM sale_order_line line JOIN sale_order sale ON sale.id = line.order_id
                    WHERE line.product_id = ANY(%s) AND line.keycrm_stock_status = 'reserved'
                      AND sale.keycrm_account_id = %s AND line.keycrm_warehouse_id = %s
                      AND (SELECT COUNT(*) FROM keycrm_offer offer
                            WHERE offer.product_id = line.product_id
                              AND offer.account_id = sale.keycrm_account_id
                              AND offer.is_missing_in_keycrm IS NOT TRUE) < 2
                 GROUP BY line.product_id""",
                list(terms),
                warehouse.account_id.id,
                warehouse.id,
            )
        )
        for product_id, quantity in self.env.cr.fetchall():
            terms[product_id].keycrm_reserved = quantity or 0.0

    @api.model
    def _open_moves(self, warehouse, product_ids, *, written_off=False):
        """Read the outgoing quantity of open moves of the account's orders, each unit once.

        Where goods are picked first, the open step leads to the customer; of a complete chain only the
        last step counts. Goods that are never on hand (dropshipped, or made to order and not arrived
        yet) do not count, nor do reserved expired lots, which are not counted on hand.

        :param warehouse: ``keycrm.warehouse``, one
        :param product_ids: list of ids
        :param written_off: only lines that KeyCRM has written off in this KeyCRM warehouse
        :return: list of dicts: ``line_id, line_product_id, product_id, warehouse_id`` (Odoo's, of the
            goods' location), ``quantity`` and ``keycrm_quantity`` in the product's unit
        """
        scope = (
            SQL(
                """AND location.usage = 'internal' AND line.keycrm_stock_status = 'fulfilled'
                   AND COALESCE(line.keycrm_warehouse_id, %(id)s) = %(id)s
                   AND (line.keycrm_warehouse_id IS NOT NULL
                        OR location.warehouse_id = ANY(%(ids)s))""",
                id=warehouse.id,
                ids=warehouse.warehouse_ids.ids,
            )
            if written_off
            else SQL(
                "AND location.usage = 'internal' AND location.warehouse_id = ANY(%s)",
                warehouse.warehouse_ids.ids,
            )
        )
        self.env.cr.execute(
            SQL(
                """SELECT line.id AS line_id, line.product_id AS line_product_id, move.product_id,
                          location.warehouse_id, line.keycrm_quantity,
                          SUM(GREATEST(0, %(outgoing)s - COALESCE(detail.expired, 0))) AS quantity
                     FROM stock_move move
                     JOIN sale_order_line line ON line.id = move.sale_line_id
                     JOIN sale_order sale ON sale.id = line.order_id
                     JOIN stock_location location ON location.id = move.location_id
                     JOIN stock_location destination ON destination.id = move.location_dest_id
                LEFT JOIN stock_location final ON final.id = move.location_final_id
                LEFT JOIN LATERAL (
                          SELECT SUM(quantity_product_uom) AS reserved,
                                 SUM(quantity_product_uom) FILTER (WHERE NOT %(fresh)s) AS expired
                            FROM stock_move_line
                       LEFT JOIN stock_lot lot ON lot.id = stock_move_line.lot_id
                           WHERE stock_move_line.move_id = move.id) detail ON TRUE
                    WHERE move.product_id = ANY(%(products)s)
                      AND move.state NOT IN ('draft', 'done', 'cancel')
                      AND sale.keycrm_account_id = %(account)s
                      AND sale.keycrm_skip_delivery IS NOT TRUE
                      AND (destination.usage = 'customer' OR (
                           final.usage = 'customer' AND NOT EXISTS (
                               SELECT FROM stock_move_move_rel chain
                                 JOIN stock_move next ON next.id = chain.move_dest_id
                                WHERE chain.move_orig_id = move.id
                                  AND next.state NOT IN ('draft', 'done', 'cancel'))))
                      %(scope)s
                 GROUP BY line.id, line.product_id, move.product_id, location.warehouse_id""",
                products=product_ids,
                account=warehouse.account_id.id,
                scope=scope,
                outgoing=_OUTGOING,
                fresh=self._is_fresh("lot"),
            )
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _unconfirmed(self, warehouse, product_ids, *, written_off=False):
        """Read lines of unconfirmed orders whose goods KeyCRM reserved or wrote off there.

        Goods that are made to order or dropshipped are left out.

        :param warehouse: ``keycrm.warehouse``, one
        :param product_ids: list of ids
        :param written_off: only lines that KeyCRM has written off
        :return: list of dicts: ``product_id, quantity`` in the product's unit
        """
        statuses = ["fulfilled"] if written_off else ["fulfilled", "reserved"]
        self.env.cr.execute(
            SQL(
                """SELECT line.id, line.product_id, line.keycrm_quantity AS quantity
                     FROM sale_order_line line
                     JOIN sale_order sale ON sale.id = line.order_id
                LEFT JOIN keycrm_order_status status ON status.id = sale.keycrm_status_id
                    WHERE line.product_id = ANY(%s) AND line.keycrm_stock_status = ANY(%s)
                      AND sale.keycrm_account_id = %s AND sale.state IN ('draft', 'sent')
                      AND line.keycrm_warehouse_id = %s
                      AND sale.keycrm_skip_delivery IS NOT TRUE
                      AND COALESCE(status.order_action, '') NOT IN ('skip', 'cancel')""",
                product_ids,
                statuses,
                warehouse.account_id.id,
                warehouse.id,
            )
        )
        rows = self.env.cr.dictfetchall()
        lines = self.env["sale.order.line"].sudo().browse([row["id"] for row in rows])
        elsewhere = set(lines.filtered("is_mto").ids)
        return [row for row in rows if row["id"] not in elsewhere]
