import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { registry } from "@web/core/registry";
import {
    BooleanToggleField,
    booleanToggleField,
} from "@web/views/fields/boolean_toggle/boolean_toggle_field";

/** What turning a setting off does, by its name on the account; the same in each form that shows it. */
const QUESTIONS = {
    enabled: () => ({
        title: _t("Disable the integration?"),
        body: _t(
            "Orders and stock are no longer exchanged. What changes meanwhile is read and sent when the integration is enabled again."
        ),
        confirmLabel: _t("Disable"),
    }),
    push_stock: () => ({
        title: _t("Stop sending stock?"),
        body: _t(
            "KeyCRM keeps its present quantities and may sell goods that you no longer have."
        ),
        confirmLabel: _t("Stop sending"),
    }),
    keep_product_info: () => ({
        title: _t("Allow KeyCRM to change products?"),
        body: _t(
            "Whenever a product arrives again, its name, price, barcode and weight in Odoo are replaced by those of KeyCRM. This cannot be undone."
        ),
        confirmLabel: _t("Allow changes"),
    }),
};

/**
 * A toggle that asks before it is turned off.
 *
 * In a form: `<field name="enabled" widget="keycrm_switch"/>`
 */
export class KeycrmSwitch extends BooleanToggleField {
    setup() {
        super.setup();
        this.dialog = useService("dialog");
    }

    async onChange(newValue) {
        const { record, name } = this.props;
        // What was not saved yet is turned off without a question.
        if (newValue || !record._values[name]) {
            return super.onChange(newValue);
        }
        this.state.value = false;
        this.dialog.add(ConfirmationDialog, {
            ...QUESTIONS[name.replace(/^keycrm_/, "")](),
            confirm: () => super.onChange(false),
            cancel: () => {
                this.state.value = true;
            },
        });
    }
}

registry.category("fields").add("keycrm_switch", {
    ...booleanToggleField,
    component: KeycrmSwitch,
});
