from odoo import api, models
from odoo.exceptions import AccessError

from ...services.common.bridge import is_bridge

#: Attributes of a field of Odoo's own model that the bridge sets, or computes from what it set. Portal
#: users, who may read their own orders over RPC, do not see it. Odoo's own reads of the record do not fetch
#: it: it has a prefetch group of its own.
BRIDGE_FIELD = {
    "copy": False,
    "readonly": True,
    "groups": "base.group_user",
    "prefetch": "keycrm",
}


class KeycrmGuardMixin(models.AbstractModel):
    """Refuse users' writes to fields that only the bridge sets, beyond readonly views.

    Models of Odoo inherit it for their fields ``keycrm_…``, models of KeyCRM for their readonly fields.
    Code of the server runs in superuser mode, which no RPC call has.
    """

    _name = "keycrm.guard.mixin"
    _description = "Fields that only the KeyCRM bridge writes"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        defaults = {
            key
            for key in self.env.context
            if key.startswith("default_") and self._is_guarded(key[8:])
        }
        if not self.env.su:
            self._check_guarded({key[8:] for key in defaults}.union(*vals_list))
        elif defaults and not is_bridge(self.env):
            context = {key: v for key, v in self.env.context.items() if key not in defaults}
            self = self.with_context(context)  # pylint: disable=context-overridden
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            self._check_guarded(vals)
        return super().write(vals)

    def copy_data(self, default=None):
        chosen = default or {}
        return [
            {n: value for n, value in vals.items() if n in chosen or not self._is_guarded(n)}
            for vals in super().copy_data(default)
        ]

    # === BUSINESS METHODS ===#

    @api.model
    def _is_guarded(self, name):
        """Return whether only the bridge may write a field.

        :param name: name of the field
        """
        return name.startswith("keycrm_")

    def _keycrm_differs(self, name, value):
        """Return whether a value that is about to be written is another one.

        :param name: name of the field
        :param value: as for ``write``
        """
        field = self._fields[name]
        return field.convert_to_cache(value, self) != field.convert_to_cache(self[name], self)

    @api.model
    def _check_guarded(self, names):
        """Check that no field is reserved for the bridge.

        :param names: names of fields
        :raise AccessError: when one is reserved
        """
        refused = sorted(name for name in names if self._is_guarded(name))
        if refused:
            labels = self.fields_get(refused, ["string"])
            raise AccessError(
                self.env._(
                    "%(fields)s (%(model)s) cannot be edited in Odoo: KeyCRM sets the value.",
                    fields=", ".join(
                        f"“{labels[name]['string'] if name in labels else name}”"
                        for name in refused
                    ),
                    model=self.env["ir.model"]._get(self._name).name,
                )
            )


class KeycrmReadonlyMixin(models.AbstractModel):
    """Refuse users' writes to fields that forms show readonly, for KeyCRM's models."""

    _name = "keycrm.readonly.mixin"
    _inherit = "keycrm.guard.mixin"
    _description = "Readonly fields of KeyCRM's models"

    @api.model
    def _is_guarded(self, name):
        field = self._fields.get(name)
        # Fields of mixins, such as activities and messages, have their own access rules.
        return bool(field) and field.readonly and str(field._module).startswith("ordage_keycrm")
