import { registry } from "@web/core/registry";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { useKeycrmNews } from "./live";

/** A kanban of accounts that reads itself anew when the server says that something changed. */
export class KeycrmLiveKanbanController extends KanbanController {
    setup() {
        super.setup();
        useKeycrmNews(() => this.model.load());
    }
}

registry.category("views").add("keycrm_live_kanban", {
    ...kanbanView,
    Controller: KeycrmLiveKanbanController,
});
