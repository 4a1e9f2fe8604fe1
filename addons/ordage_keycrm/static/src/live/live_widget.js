import { Component, useRef, xml } from "@odoo/owl";
import { serializeDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useKeycrmUpdates } from "./live";
import { isWorkingIn, refreshRecord } from "./refresh";

/**
 * Reads a form's record again when a worker changed something of its account, and waits while a user is
 * working in the form.
 *
 * In a form: `<widget name="keycrm_live"/>`
 */
export class KeycrmLive extends Component {
    static template = xml`<span class="d-none" aria-hidden="true" t-ref="root"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        this.root = useRef("root");
        useKeycrmUpdates((accounts) => this.refresh(accounts));
    }

    async refresh(accounts) {
        const { record } = this.props;
        const form = this.root.el?.closest(".o_form_view");
        if (!form || !record.resId || (accounts.size && !this.concerns(accounts))) {
            return;
        }
        if (await this.mayHaveChanged()) {
            return refreshRecord(record, () => isWorkingIn(form));
        }
    }

    /** A form that holds `write_date` is only read again when its record was written. */
    async mayHaveChanged() {
        const { resModel, resId, data, model } = this.props.record;
        if (!data.write_date) {
            return true;
        }
        const [row] = await model.orm.read(resModel, [resId], ["write_date"]);
        return row && row.write_date !== serializeDateTime(data.write_date);
    }

    concerns(accounts) {
        const { record } = this.props;
        const { account_id: account, keycrm_account_id: owner } = record.data;
        const accountId =
            record.resModel === "keycrm.account" ? record.resId : (owner || account)?.id;
        return !accountId || accounts.has(accountId);
    }
}

registry.category("view_widgets").add("keycrm_live", { component: KeycrmLive });
