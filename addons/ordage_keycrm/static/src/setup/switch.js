import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { useService } from "@web/core/utils/hooks";
import { registry } from "@web/core/registry";
import {
    BooleanToggleField,
    booleanToggleField,
} from "@web/views/fields/boolean_toggle/boolean_toggle_field";

/**
 * A toggle that asks before it is turned off.
 *
 * In a form: `<field name="enabled" widget="keycrm_switch" confirm-title="…" confirm="…" confirm-label="…"/>`
 */
export class KeycrmSwitch extends BooleanToggleField {
    static props = {
        ...BooleanToggleField.props,
        title: { type: String, optional: true },
        body: String,
        confirmLabel: { type: String, optional: true },
    };

    setup() {
        super.setup();
        this.dialog = useService("dialog");
    }

    async onChange(newValue) {
        const { record, name, title, body, confirmLabel } = this.props;
        // What was not saved yet is turned off without a question.
        if (newValue || !record._values[name]) {
            return super.onChange(newValue);
        }
        this.state.value = false;
        this.dialog.add(ConfirmationDialog, {
            title,
            body,
            confirmLabel,
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
    extractProps({ attrs, ...rest }, dynamicInfo) {
        return {
            ...booleanToggleField.extractProps({ attrs, ...rest }, dynamicInfo),
            title: attrs["confirm-title"],
            body: attrs.confirm,
            confirmLabel: attrs["confirm-label"],
        };
    },
});
