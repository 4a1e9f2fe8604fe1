import { useEffect, useRef } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { listView } from "@web/views/list/list_view";
import { KeycrmLiveKanbanController, KeycrmLiveListController } from "../live/live_views";

/** "To pack" as a list or as cards: a scanned or typed number opens its parcel. */
const withNumber = (Controller) =>
    class extends Controller {
        setup() {
            super.setup();
            this.orm = useService("orm");
            this.action = useService("action");
            this.notification = useService("notification");
            this.number = useRef("number");
            useBus(useService("barcode").bus, "barcode_scanned", ({ detail }) =>
                this.openParcel(detail.barcode)
            );
        }

        onNumberKeydown(ev) {
            if (ev.key === "Enter") {
                ev.preventDefault();
                this.openParcel(this.number.el.value);
            }
        }

        async openParcel(number) {
            if (!number.trim()) {
                return;
            }
            let action;
            try {
                action = await this.orm.call("stock.picking", "action_keycrm_open_parcel", [number]);
            } catch (error) {
                if (error.exceptionName !== "odoo.exceptions.UserError") {
                    throw error;
                }
                // No dialog: it would take the next scan.
                this.notification.add(error.data.message, { type: "danger" });
                if (this.number.el) {
                    this.number.el.value = "";
                    this.number.el.focus();
                }
                return;
            }
            await this.action.doAction(action);
        }
    };

export class KeycrmPackListController extends withNumber(KeycrmLiveListController) {
    static template = "ordage_keycrm.PackList";

    setup() {
        super.setup();
        useEffect(
            () => {
                // A checkbox would take the next scan, and the "Enter" at its end would open its row.
                const { activeElement } = document;
                if (activeElement.matches(".o_list_record_selector :not(:focus-visible)")) {
                    activeElement.blur();
                }
            },
            () => [this.model.root.selection.length]
        );
    }
}

export class KeycrmPackKanbanController extends withNumber(KeycrmLiveKanbanController) {
    static template = "ordage_keycrm.PackKanban";
}

registry.category("views").add("keycrm_pack_list", {
    ...listView,
    Controller: KeycrmPackListController,
});
registry.category("views").add("keycrm_pack_kanban", {
    ...kanbanView,
    Controller: KeycrmPackKanbanController,
});
