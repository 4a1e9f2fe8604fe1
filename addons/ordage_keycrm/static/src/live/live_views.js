import { registry } from "@web/core/registry";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { useKeycrmUpdates } from "./live";
import { refreshRecords } from "./refresh";

/** A kanban that reads its records again when a worker changed something. */
export class KeycrmLiveKanbanController extends KanbanController {
    setup() {
        super.setup();
        useKeycrmUpdates(() => refreshRecords(this.model, this.rootRef.el));
    }
}

/** Milliseconds: a list of orders would be read every second while many arrive. */
const LIST_DEBOUNCE = 3000;

/** A list that reads its records again when a worker changed something. */
export class KeycrmLiveListController extends ListController {
    setup() {
        super.setup();
        useKeycrmUpdates(() => refreshRecords(this.model, this.rootRef.el), { debounce: LIST_DEBOUNCE });
    }
}

registry.category("views").add("keycrm_live_kanban", {
    ...kanbanView,
    Controller: KeycrmLiveKanbanController,
});
registry.category("views").add("keycrm_live_list", {
    ...listView,
    Controller: KeycrmLiveListController,
});
