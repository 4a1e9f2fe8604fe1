"""A comparison of open orders that is under way begins anew: what it saw lies in another form now."""


def migrate(cr, version):
    cr.execute("UPDATE keycrm_account SET open_sweep_page = 0, open_sweep_seen = NULL")
