"""What happens once: when the addon is removed. Installing changes nothing elsewhere in Odoo."""


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
    env["ir.config_parameter"].search([("key", "=like", "ordage_keycrm.%")]).unlink()
    _forget_what_people_made(env)
    _forget_what_odoo_would_keep(env)
    # Odoo keeps the docstring of whatever extended a model as its description.
    env.cr.execute(
        "UPDATE ir_model SET info = NULL WHERE info ILIKE '%keycrm%' AND model NOT LIKE 'keycrm.%'"
    )
    # Products for shipping, discount and the like stand in the lines of orders: they become ordinary ones.
    env["ir.model.data"].search(
        [("module", "=", "ordage_keycrm"), ("model", "in", ("product.template", "product.product"))]
    ).unlink()


def _forget_what_people_made(env):
    """Remove what people made for the addon's screens: Odoo clears what the addon itself brought.

    Saved searches, export lists, mail templates and windows name their model as a text, and outside
    names that an export gave to records stay behind too: they would point to models that are gone.
    """
    ours = ("ordage_keycrm", "ordage_keycrm_mrp")
    for model, field in (
        ("ir.filters", "model_id"),
        ("ir.exports", "resource"),
        ("mail.template", "model"),
        ("ir.actions.act_window", "res_model"),
        ("ir.model.data", "model"),
    ):
        found = env[model].with_context(active_test=False).search([(field, "=like", "keycrm.%")])
        if model == "ir.model.data":
            found = found.filtered(lambda data: data.module not in ours)
        else:
            known = env["ir.model.data"].search(
                [("model", "=", model), ("res_id", "in", found.ids), ("module", "in", ours)]
            )
            found -= found.browse(known.mapped("res_id"))
        found.unlink()


def _forget_what_odoo_would_keep(env):
    """Remove what Odoo notes beside an addon's models and finds no more by the addon's name.

    Foreign keys have no outside name, what a mixin brings carries the mixin's module in its own, and
    a message on the bus lies there for a day.
    """
    env.cr.execute(
        """DELETE FROM ir_model_constraint
            WHERE type = 'f'
              AND module IN (SELECT id FROM ir_module_module WHERE name = 'ordage_keycrm')"""
    )
    env.cr.execute(
        r"""DELETE FROM ir_model_data
             WHERE model IN ('ir.model.fields.selection', 'ir.model.inherit')
               AND module <> 'ordage_keycrm'
               AND name SIMILAR TO '(selection|model\_inherit)\_\_keycrm\_%'"""
    )
    env.cr.execute("DELETE FROM bus_bus WHERE message LIKE '%keycrm/changed%'")
