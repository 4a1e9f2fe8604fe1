import { onWillUnmount, Component, xml, useEffect } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Milliseconds between two looks. */
const PAUSE = 3000;

/**
 * Reads a form's record anew every few seconds, so that work which goes on in the background is seen
 * to go on. It stands still while somebody edits, and while the page is not looked at.
 *
 * In a form: `<widget name="keycrm_auto_reload" invisible="state != 'running'"/>`
 */
export class KeycrmAutoReload extends Component {
    static template = xml`<span class="visually-hidden" aria-hidden="true"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        this.timer = null;
        useEffect(
            () => {
                this.timer = setInterval(() => this.look(), PAUSE);
                return () => clearInterval(this.timer);
            },
            () => []
        );
        onWillUnmount(() => clearInterval(this.timer));
    }

    async look() {
        const { record } = this.props;
        if (this.busy || document.hidden || !record.resId || (await record.isDirty())) {
            return;
        }
        this.busy = true;
        try {
            await record.load();
        } finally {
            this.busy = false;
        }
    }
}

registry.category("view_widgets").add("keycrm_auto_reload", { component: KeycrmAutoReload });
