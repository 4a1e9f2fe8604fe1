import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Icons of a step's state. */
export const ICONS = {
    todo: "fa-circle-o",
    waiting: "fa-clock-o text-warning-emphasis",
    done: "fa-check-circle text-success",
    wrong: "fa-exclamation-circle text-danger",
};

/** The state of a step or of a check as an icon, with its name for screen readers. */
export class KeycrmTick extends Component {
    static template = "ordage_keycrm.Tick";
    static props = { ...standardFieldProps };

    get value() {
        return this.props.record.data[this.props.name] || "todo";
    }
    get icon() {
        return ICONS[this.value];
    }
    get label() {
        const { selection } = this.props.record.fields[this.props.name];
        return Object.fromEntries(selection)[this.value] || "";
    }
}

registry.category("fields").add("keycrm_tick", {
    component: KeycrmTick,
    displayName: _t("Tick"),
    supportedTypes: ["selection"],
});
