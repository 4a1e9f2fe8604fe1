import { Component, toRaw, xml } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useKeycrmNews } from "./live";

/** What a user edits in a form without having changed it yet. */
const EDITED = ".o_form_view .o_selected_row, .o-autocomplete--dropdown-menu, .o_form_view .show > .dropdown-menu";

/**
 * Reads a form's record anew when work on its account goes on in the background, so that it is seen to
 * go on. It stands still while somebody edits.
 *
 * In a form: `<widget name="keycrm_live"/>`
 */
export class KeycrmLive extends Component {
    static template = xml`<span class="d-none" aria-hidden="true"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        useKeycrmNews((accounts) => this.look(accounts));
    }

    async look(accounts) {
        const { record } = this.props;
        if (!record.resId || (accounts.size && !this.concerns(accounts))) {
            return;
        }
        if (this.isEditing()) {
            return false;
        }
        if (!(await record.isDirty())) {
            return this.readAnew(record);
        }
    }

    /** A row that is edited or a list of choices that is open would be closed by reading anew. */
    isEditing() {
        return Boolean(document.querySelector(EDITED));
    }

    /**
     * Odoo's own ``load`` would forget what somebody changes while the answer is on its way, so the
     * answer is taken only if nothing was changed or saved meanwhile.
     *
     * @returns {Promise<boolean>} false when a user began to edit meanwhile
     */
    async readAnew(record) {
        const { model } = record;
        const before = toRaw(record).data;
        const values = await model._loadData({ ...record.config });
        return model.mutex.exec(() => {
            if (this.isEditing()) {
                return false;
            }
            if (!record.dirty && toRaw(record).data === before) {
                record._setData(values);
            }
            return true;
        });
    }

    concerns(accounts) {
        const { record } = this.props;
        const accountId =
            record.resModel === "keycrm.account" ? record.resId : record.data.account_id?.id;
        return !accountId || accounts.has(accountId);
    }
}

registry.category("view_widgets").add("keycrm_live", { component: KeycrmLive });
