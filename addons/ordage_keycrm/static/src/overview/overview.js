import {
    Component,
    onMounted,
    onPatched,
    onWillPatch,
    onWillStart,
    onWillUpdateProps,
    useRef,
    useState,
} from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { useKeycrmUpdates } from "../live/live";
import { isSelectingIn } from "../live/refresh";

const { DateTime } = luxon;

/** Milliseconds after a user's last movement on the page in which no row or card moves. */
const WORKING = 4000;
/** Milliseconds until the figures of the last days are read again, however many orders arrive. */
const FIGURES = 30000;
const LISTS = [
    [false, "kanban"],
    [false, "form"],
];

/** What a shop works with all day: decisions, today's orders, sales, products and money. */
export class KeycrmOverview extends Component {
    static template = "ordage_keycrm.Overview";
    static props = {
        accounts: { type: Array, element: Object },
        onDecided: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.root = useRef("root");
        this.state = useState({ account: false, measure: 0, data: null, figures: null });
        this.touched = 0;
        onWillStart(() => this.load());
        onMounted(() => this.loadFigures());
        onWillUpdateProps(({ accounts }) => {
            if (this.state.account && !accounts.some(({ id }) => id === this.state.account)) {
                return this.show(false);
            }
        });
        onWillPatch(() => this.rememberFocus());
        onPatched(() => this.restoreFocus());
        useKeycrmUpdates(() => this.refresh());
    }

    // --- reading ---

    /** Ids of the chosen account; none stands for all. */
    get accountIds() {
        return this.state.account ? [this.state.account] : [];
    }

    /**
     * Read decisions and today's orders.
     *
     * @param {() => boolean} [isBusy] whether nothing may move now
     * @returns {Promise<boolean>} whether the answer is shown
     */
    async load(isBusy = () => false) {
        const { account } = this.state;
        const data = await this.orm.call("keycrm.account", "get_overview", [this.accountIds]);
        if (account !== this.state.account || isBusy()) {
            return false;
        }
        this.state.data = data;
        return true;
    }

    async loadFigures() {
        const { account } = this.state;
        this.figuresAt = Date.now();
        const figures = await this.orm.call("keycrm.account", "get_overview_figures", [
            this.accountIds,
        ]);
        if (account === this.state.account) {
            this.state.figures = figures.sales ? figures : null;
        }
    }

    /** Read again, unless a user is about to click on something, which must not move then. */
    async refresh() {
        if (this.isBusy() || !(await this.load(() => this.isBusy()))) {
            return false;
        }
        if (Date.now() - this.figuresAt > FIGURES) {
            await this.loadFigures();
        }
    }

    isBusy() {
        const root = this.root.el;
        const isUsing = this.isOver || root.contains(document.activeElement);
        return isSelectingIn(root) || (isUsing && Date.now() - this.touched < WORKING);
    }

    rememberFocus() {
        const element = document.activeElement;
        const row = this.root.el.contains(element) && element.closest("[data-key]");
        this.focused = row && { element, row, section: row.closest("section") };
        if (row) {
            this.focused.place = rowsOf(this.focused.section).indexOf(row);
        }
    }

    /** Focus the same row, or the next one, where the focused button is gone. */
    restoreFocus() {
        const { element, row, section, place } = this.focused || {};
        if (!element || element.isConnected) {
            return;
        }
        const rows = rowsOf(section);
        const same = rows.find(({ dataset }) => dataset.key === row.dataset.key);
        const next = same || rows[Math.min(place, rows.length - 1)];
        const button = next?.matches("button") ? next : next?.querySelector("button");
        (button || section.querySelector("h2")).focus();
    }

    onTouch() {
        this.touched = Date.now();
        this.isOver = true;
    }

    onLeave() {
        this.isOver = false;
    }

    show(account) {
        this.state.account = account;
        this.loadFigures();
        return this.load();
    }

    // --- actions ---

    run(row, button) {
        if (!button.method) {
            return this.openRecord(row.model, row.id);
        }
        const call = () =>
            this.action.doActionButton({
                type: "object",
                name: button.method,
                resModel: row.model,
                resId: row.id,
                resIds: [row.id],
                context: user.context,
                onClose: () => Promise.all([this.load(), this.props.onDecided()]),
            });
        if (!button.confirm) {
            return call();
        }
        this.dialog.add(ConfirmationDialog, {
            body: button.confirm,
            confirmLabel: button.label,
            confirm: call,
            cancel: () => {},
        });
    }

    openRecord(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    openOrders(name, domain) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: "sale.order",
            views: [[this.data.list_view, "list"], ...LISTS],
            domain,
        });
    }

    openColumn(column) {
        return this.openOrders(column.name, [
            ...this.data.today_domain,
            ["keycrm_status_id", "=", column.id],
        ]);
    }

    // --- what the template shows ---

    get data() {
        return this.state.data;
    }

    get measure() {
        const { measures } = this.state.figures.sales;
        return measures[Math.min(this.state.measure, measures.length - 1)];
    }

    get hasSales() {
        return this.measure.series.length > 0;
    }

    /** The bars of each day: parts of the scale's height, from the bottom. */
    get bars() {
        const { series, totals, scale } = this.measure;
        const top = scale.at(-1).value;
        return this.state.figures.sales.days.map((day, place) => ({
            day,
            text: `${day}: ${totals[place]}`,
            parts: series
                .map(({ values }, number) => ({ number, height: (100 * values[place]) / top }))
                .filter(({ height }) => height > 0),
        }));
    }

    get spoken() {
        const { name, totals } = this.measure;
        const days = this.state.figures.sales.days.map((day, place) => `${day} ${totals[place]}`);
        return `${name}: ${days.join(", ")}`;
    }

    share(value) {
        return (100 * value) / this.measure.scale.at(-1).value;
    }

    since(row) {
        return DateTime.fromISO(row.since, { zone: "utc" }).setZone("default").toRelative();
    }

    at(row) {
        return formatDateTime(DateTime.fromISO(row.since, { zone: "utc" }).setZone("default"));
    }

    /** What is shown where there is no decision, and whether it is good. */
    get emptyState() {
        if (!this.data.is_enabled) {
            return {
                text: _t("The integration is disabled: nothing arrives and nothing is sent."),
            };
        }
        if (this.data.others_decide) {
            return { text: _t("Waiting for colleagues' decisions: %s.", this.data.others_decide) };
        }
        return { text: _t("Nothing needs your decision."), isDone: true };
    }
}

function rowsOf(section) {
    return [...section.querySelectorAll("[data-key]")];
}
