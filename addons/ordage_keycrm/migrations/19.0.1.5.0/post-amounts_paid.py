"""What was paid is KeyCRM's own sum now; until an order is read again, what its payments said."""


def migrate(cr, version):
    cr.execute(
        """UPDATE sale_order o
              SET keycrm_amount_paid = CASE
                      WHEN o.keycrm_payment_status IN ('paid', 'overpaid')
                      THEN greatest(o.keycrm_total, rows.paid)
                      ELSE coalesce(rows.paid, 0) END
             FROM sale_order known
             LEFT JOIN (SELECT p.sale_order_id, sum(p.amount) AS paid
                          FROM keycrm_payment p JOIN sale_order ON sale_order.id = p.sale_order_id
                         WHERE p.status = 'paid' AND p.currency_id = sale_order.currency_id
                         GROUP BY p.sale_order_id) AS rows ON rows.sale_order_id = known.id
            WHERE known.id = o.id AND o.keycrm_account_id IS NOT NULL
              AND o.keycrm_amount_paid IS NULL"""
    )
