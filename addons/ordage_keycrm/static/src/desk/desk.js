import { Component, onMounted, onWillStart, onWillUpdateProps, useRef, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { useKeycrmNews } from "../live/live";

const { DateTime } = luxon;

/** Milliseconds after a user's last movement in the list of decisions in which no row moves. */
const WORKING = 4000;
/** Milliseconds until the figures of the last days are read again, however many orders arrive. */
const FIGURES = 30000;
const LISTS = [
    [false, "kanban"],
    [false, "form"],
];

/** What a shop works with all day: decisions, today's orders, sales, products and money. */
export class KeycrmDesk extends Component {
    static template = "ordage_keycrm.Desk";
    static props = {
        accounts: { type: Array, element: Object },
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.decisions = useRef("decisions");
        this.state = useState({ account: false, measure: 0, data: null, figures: null });
        this.touched = 0;
        onWillStart(() => this.load());
        onMounted(() => this.loadFigures());
        onWillUpdateProps(({ accounts }) => {
            if (this.state.account && !accounts.some(({ id }) => id === this.state.account)) {
                return this.show(false);
            }
        });
        useKeycrmNews(() => this.refresh());
    }

    // --- reading ---

    /** Ids of the chosen account; none stands for all. */
    get accountIds() {
        return this.state.account ? [this.state.account] : [];
    }

    async load() {
        this.state.data = await this.orm.call("keycrm.account", "get_desk", [this.accountIds]);
    }

    async loadFigures() {
        const { account } = this.state;
        this.figuresAt = Date.now();
        const figures = await this.orm.call("keycrm.account", "get_desk_figures", [
            this.accountIds,
        ]);
        if (account === this.state.account) {
            this.state.figures = figures.sales ? figures : null;
        }
    }

    /** Read again, unless a user is about to click on a row, which must not move then. */
    async refresh() {
        const inList = this.decisions.el?.contains(document.activeElement);
        if (Date.now() - this.touched < WORKING && (inList || this.isOver)) {
            return false;
        }
        await this.load();
        if (Date.now() - this.figuresAt > FIGURES) {
            await this.loadFigures();
        }
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
                onClose: () => this.load(),
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

    get emptyText() {
        return _t("Nothing needs your decision.");
    }
}
