from odoo import api, models


class IrDefault(models.Model):
    """Ignore the defaults of guarded fields, which every internal user may store.

    Odoo adds them to the values of ``create`` after it has checked the user's rights to the fields.
    """

    _inherit = "ir.default"

    @api.model
    def _get_model_defaults(self, model_name, condition=False):
        defaults = super()._get_model_defaults(model_name, condition)
        # Odoo asks at each record that is created, mostly of models without guarded fields.
        if not model_name.startswith("keycrm.") and not any(
            name.startswith("keycrm_") for name in defaults
        ):
            return defaults
        # The super's result is cached: it is not changed.
        return {
            name: value
            for name, value in defaults.items()
            if not self._keycrm_is_guarded(self.env[model_name]._fields.get(name))
        }

    @api.model
    def _keycrm_is_guarded(self, field):
        """Return whether only the bridge writes a field.

        :param field: field; it may be inherited, by a user from the contact, by a variant from the
            template
        """
        while field and field.inherited:
            field = field.related_field
        # Also in superuser mode: the default is the user's.
        owner = field and self.env[field.model_name].sudo(False)
        return hasattr(owner, "_is_guarded") and owner._is_guarded(field.name)
