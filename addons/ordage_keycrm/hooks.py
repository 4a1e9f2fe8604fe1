"""What happens once: when the addon is installed, and when it is removed."""


def post_init_hook(env):
    """Let quantities have the three digits that KeyCRM's have ("0.333 кг"); never fewer than before."""
    precision = env.ref("uom.decimal_product_uom")
    if precision.digits < 3:
        precision.digits = 3


def uninstall_hook(env):
    """Leave a working Odoo: no scheduled action without its code, no product that lines still need.

    Orders, contacts, products and stock stay as they are. The scheduled actions are made per account,
    so Odoo would not remove them by itself.
    """
    crons = (
        env["ir.cron"]
        .with_context(active_test=False)
        .search([("model_id.model", "=", "keycrm.account")])
    )
    crons.unlink()
    # Products for shipping, discount and the like stand in the lines of orders: they become ordinary ones.
    env["ir.model.data"].search(
        [("module", "=", "ordage_keycrm"), ("model", "in", ("product.template", "product.product"))]
    ).unlink()
