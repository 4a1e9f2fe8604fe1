"""The overview of a shop with 100,000 orders, compared with Odoo's own sales list."""

from __future__ import annotations

from collections.abc import Iterator

from ..environment import Environment, Shop
from ..measure import alternate, median, timed
from ..results import Row
from ..screens import Screens, row
from ..steps import catalog
from .large import HELD_BUYERS, HELD_ORDERS, HELD_PRODUCTS, OPENED, SALES_LIST, fill

OVERVIEW = "ordage_keycrm.keycrm_overview_action"
#: Orders that wait for a decision: half of them by a reason of their own, half by an activity.
DECISIONS = 30


def run(environment: Environment) -> Iterator[Row]:
    """Open the overview and the sales list in turns."""
    shop = environment.shop(sandbox={"offers": 500})
    catalog(shop)
    sizes = [environment.sized(held, 1000) for held in (HELD_ORDERS, HELD_BUYERS, HELD_PRODUCTS)]
    fill(shop, *sizes)
    _need_decisions(shop)
    browser = Screens(shop.odoo)
    pairs = alternate(
        lambda: browser.open(OVERVIEW), lambda: browser.open(SALES_LIST), OPENED, warm_up=3
    )
    after = [timed(lambda: browser.read("get_overview_figures")) for _ in range(OPENED)]
    yield row(
        "overview.open",
        f"opening Overview with {sizes[0]:,} orders, {DECISIONS} of which need a decision",
        pairs,
        "Odoo's own sales list",
        figures_of_the_last_days_afterwards_s=median(after),
    )


def _need_decisions(shop: Shop) -> None:
    """Let some of the newest orders wait for a decision."""
    shop.sql(
        """UPDATE sale_order
              SET keycrm_needs_decision = TRUE, keycrm_decision = 'total_differs',
                  keycrm_total_differs = TRUE, keycrm_decision_since = now()
            WHERE id IN (SELECT id FROM sale_order ORDER BY date_order DESC LIMIT %s)""",
        DECISIONS // 2,
    )
    # All other orders have a done activity.
    shop.sql(
        """INSERT INTO mail_activity (res_model_id, res_model, res_id, res_name, summary, note,
                  date_deadline, user_id, active, keycrm_account_id, create_date)
           SELECT m.id, m.model, o.id, o.name, 'Check it', '<ul><li>Why</li></ul>',
                  current_date, 2, o.place <= %s, o.keycrm_account_id, now()
             FROM ir_model m,
                  (SELECT *, row_number() OVER (ORDER BY date_order DESC) AS place
                     FROM sale_order WHERE keycrm_needs_decision IS NOT TRUE) o
            WHERE m.model = 'sale.order'""",
        DECISIONS // 2,
    )
    shop.sql("VACUUM ANALYZE sale_order, mail_activity")
