import { registry } from "@web/core/registry";
import {
    JournalDashboardGraphField,
    journalDashboardGraphField,
} from "@web/views/fields/journal_dashboard_graph/journal_dashboard_graph_field";

/** Odoo's small bar graph, redrawn at every refresh, with a text for screen readers. */
export class KeycrmGraphField extends JournalDashboardGraphField {
    static template = "ordage_keycrm.Graph";

    renderChart() {
        this.data = JSON.parse(this.props.record.data[this.props.name]);
        super.renderChart();
    }

    /** Bars in Odoo's own color, and only as many days below them as can be read. */
    getBarChartConfig() {
        const config = super.getBarChartConfig();
        const style = getComputedStyle(document.documentElement);
        config.data.datasets[0].backgroundColor =
            style.getPropertyValue("--primary").trim() || "#714b67";
        const { x } = config.options.scales;
        x.grid = { ...x.grid, display: false };
        x.ticks = { ...x.ticks, maxTicksLimit: 3, maxRotation: 0 };
        return config;
    }

    get spoken() {
        const { key, values } = this.data[0];
        return `${key}: ${values.map(({ label, value }) => `${label} ${value}`).join(", ")}`;
    }
}

registry.category("fields").add("keycrm_graph", {
    ...journalDashboardGraphField,
    component: KeycrmGraphField,
});
