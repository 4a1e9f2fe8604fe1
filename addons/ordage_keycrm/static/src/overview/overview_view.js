import { registry } from "@web/core/registry";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { KeycrmLiveKanbanController } from "../live/live_views";
import { refreshRecords } from "../live/refresh";
import { KeycrmOverview } from "./overview";

/** The overview: decisions, orders and sales above the cards of the accounts. */
export class KeycrmOverviewRenderer extends KanbanRenderer {
    static template = "ordage_keycrm.OverviewRenderer";
    static components = { ...KanbanRenderer.components, KeycrmOverview };

    refreshCards() {
        return refreshRecords(this.props.list.model, this.rootRef.el);
    }

    /** Accounts that exchange data already; before that, their cards lead to the setup. */
    get accounts() {
        const { fields, records } = this.props.list;
        const labels = Object.fromEntries(fields.overview_state.selection);
        return records
            .map(({ resId, data }) => ({
                id: resId,
                name: data.name,
                state: data.overview_state,
                label: labels[data.overview_state],
            }))
            .filter(({ state }) => state !== "new");
    }
}

/** Only the empty overview offers a new account; further accounts are added in the configuration. */
export class KeycrmOverviewController extends KeycrmLiveKanbanController {
    get canCreate() {
        return super.canCreate && this.model.isReady && !this.model.root.count;
    }
}

registry.category("views").add("keycrm_overview", {
    ...kanbanView,
    Controller: KeycrmOverviewController,
    Renderer: KeycrmOverviewRenderer,
});
