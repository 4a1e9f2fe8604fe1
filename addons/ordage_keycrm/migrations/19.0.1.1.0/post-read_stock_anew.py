"""A reading of KeyCRM's stock that is under way begins anew: its pages lie in another form now."""


def migrate(cr, version):
    cr.execute("DELETE FROM keycrm_stock_reading")
    cr.execute(
        "UPDATE keycrm_stock_comparison SET next_page = 1, done_count = 0 WHERE state = 'reading'"
    )
