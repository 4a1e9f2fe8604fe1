import { useRef } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { listView } from "@web/views/list/list_view";
import { KeycrmLiveListController } from "../live/live_views";

/** The list "To pack": a scanned or typed number opens its parcel. */
export class KeycrmPackListController extends KeycrmLiveListController {
    static template = "ordage_keycrm.PackList";

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.action = useService("action");
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
        if (number.trim()) {
            const action = await this.orm.call("stock.picking", "action_keycrm_open_parcel", [number]);
            await this.action.doAction(action);
        }
    }
}

registry.category("views").add("keycrm_pack_list", {
    ...listView,
    Controller: KeycrmPackListController,
});
