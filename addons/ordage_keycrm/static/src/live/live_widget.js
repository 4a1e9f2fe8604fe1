import { Component, useRef, xml } from "@odoo/owl";
import { serializeDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
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
        this.store = useService("mail.store");
        this.confirmed = null;
        useBus(this.props.record.model.bus, "FIELD_IS_DIRTY", ({ detail }) => {
            this.isTyping = detail;
        });
        useKeycrmUpdates((accounts) => this.refresh(accounts));
    }

    async refresh(accounts) {
        const { record } = this.props;
        const form = this.root.el?.closest(".o_form_view");
        if (!form || !record.resId || (accounts.size && !this.concerns(accounts))) {
            return;
        }
        const written = record.data.write_date ? await this.readWriteDate() : false;
        if (written === undefined || written === this.confirmed) {
            return;
        }
        const isRepeated = written && written === serializeDateTime(record.data.write_date);
        const isShown = await refreshRecord(record, () => this.isBusy(form));
        if (isShown && written) {
            this.confirmed = isRepeated ? written : null;
            await this.refreshChatter(form);
        }
        return isShown;
    }

    /**
     * A form that holds `write_date` is only read again when its record was written, and once more after
     * that, since a record may be written twice within a second.
     */
    async readWriteDate() {
        const { resModel, resId, model } = this.props.record;
        const [row] = await model.orm.read(resModel, [resId], ["write_date"]);
        return row?.write_date;
    }

    /** What KeyCRM changes is listed in the chatter, or is an activity. */
    async refreshChatter(form) {
        const { resModel, resId } = this.props.record;
        if (form.querySelector(".o-mail-Chatter")) {
            const thread = this.store.Thread.insert({ model: resModel, id: resId });
            await thread.fetchThreadData(["activities", "messages"]);
        }
    }

    /** A half-typed value is taken over, without a last space, when Odoo looks for changes. */
    isBusy(form) {
        return isWorkingIn(form) || (this.isTyping && form.contains(document.activeElement));
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
