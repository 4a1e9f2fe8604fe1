"""Hooks of the addon. Installing corrects warehouses of locations, and changes nothing else in Odoo."""


def post_init_hook(env):
    """Correct the warehouse of locations below one that was moved to another warehouse.

    Odoo updates only the moved location, not the ones below it, see ``StockLocation._compute_warehouse_id``.

    :param env: Odoo's environment
    """
    # With archived warehouses: they keep their locations.
    locations = env["stock.location"].with_context(active_test=False).search([])
    env.add_to_compute(locations._fields["warehouse_id"], locations)
    locations.flush_recordset(["warehouse_id"])


def uninstall_hook(env):
    """Remove records that would be broken or useless in Odoo without the addon.

    Orders, contacts, products and stock remain as they are. The scheduled actions are created per
    account, so Odoo would not remove them itself.

    :param env: Odoo's environment
    """
    crons = (
        env["ir.cron"]
        .with_context(active_test=False)
        .search([("model_id.model", "=", "keycrm.account")])
    )
    crons.unlink()
    env["ir.config_parameter"].search([("key", "=like", "ordage_keycrm.%")]).unlink()
    _remove_user_records(env)
    _remove_leftover_metadata(env)
    # Odoo stores the docstring of the last class that extended a model as its description.
    env.cr.execute(
        "UPDATE ir_model SET info = NULL WHERE info ILIKE '%keycrm%' AND model NOT LIKE 'keycrm.%'"
    )
    # Lines of orders use the products for shipping, discount and the like: they become ordinary
    # products.
    env["ir.model.data"].search(
        [("module", "=", "ordage_keycrm"), ("model", "in", ("product.template", "product.product"))]
    ).unlink()


def _remove_user_records(env):
    """Remove records that users created for the addon's models.

    Odoo removes what the addon itself created. Saved searches, export lists, mail templates and windows
    refer to their model by name, and external ids that an export created remain too: they would point
    to deleted models.

    :param env: Odoo's environment
    """
    ours = ("ordage_keycrm", "ordage_keycrm_delivery", "ordage_keycrm_mrp")
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


def _remove_leftover_metadata(env):
    """Remove Odoo's own records about the addon that its uninstall does not find.

    Foreign keys have no external id, records of a mixin carry the mixin's module in theirs, and a
    message on the bus is kept for a day.

    :param env: Odoo's environment
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
