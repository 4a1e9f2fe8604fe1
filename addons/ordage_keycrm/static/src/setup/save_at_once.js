import { Component, xml } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/**
 * Saves the form as soon as one of its fields was changed, so that a pasted key is tested at once and a
 * switch works without a further button.
 *
 * In a form: `<widget name="keycrm_save_at_once" fields="api_key,enabled"/>`
 */
export class KeycrmSaveAtOnce extends Component {
    static template = xml`<span class="d-none" aria-hidden="true"/>`;
    static props = { ...standardWidgetProps, fields: { type: Array, element: String } };

    setup() {
        let seen = null;
        useRecordObserver(async (record) => {
            const now = this.props.fields.map((name) => record.data[name]);
            const changed = seen && now.some((value, index) => value !== seen[index]);
            seen = now;
            if (changed && now[0] && (await record.isDirty())) {
                await record.save();
            }
        });
    }
}

registry.category("view_widgets").add("keycrm_save_at_once", {
    component: KeycrmSaveAtOnce,
    extractProps: ({ attrs }) => ({ fields: attrs.fields.split(",") }),
});
