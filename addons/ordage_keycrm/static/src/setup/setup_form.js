import { Component, useEffect, useRef, useState, useSubEnv } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { append, createElement } from "@web/core/utils/xml";
import { FormCompiler } from "@web/views/form/form_compiler";
import { FormRenderer } from "@web/views/form/form_renderer";
import { formView } from "@web/views/form/form_view";
import { toStringExpression } from "@web/views/utils";
import { SetupSteps } from "./steps";
import { ICONS } from "./tick";

/** A step of the setup: a heading that folds and unfolds it, its content, and "Next". */
export class KeycrmStep extends Component {
    static template = "ordage_keycrm.Step";
    static props = {
        name: String,
        title: String,
        number: Number,
        stateField: String,
        isLast: Boolean,
        record: Object,
        class: { type: String, optional: true },
        slots: { type: Object, optional: true },
    };

    setup() {
        this.root = useRef("root");
        this.heading = useRef("heading");
        this.body = useRef("body");
        this.steps = useState(this.env.keycrmSteps);
        this.steps.steps.push({
            name: this.props.name,
            state: () => this.state,
            show: (focus) => this.show(focus),
        });
        useEffect(
            (body) => {
                if (body) {
                    this.steps.reach(this.props.name);
                }
            },
            () => [this.body.el]
        );
        this.skipped = false;
        useEffect(
            (state) => {
                if (this.skipped && state === "done") {
                    this.skipped = false;
                    this.steps.goOn(this.props.name);
                }
            },
            () => [this.state]
        );
    }

    get state() {
        return this.props.record.data[this.props.stateField] || "todo";
    }
    get stateLabel() {
        const { selection } = this.props.record.fields[this.props.stateField];
        return Object.fromEntries(selection)[this.state] || "";
    }
    get icon() {
        return ICONS[this.state];
    }
    get isUnfolded() {
        return Boolean(this.steps.unfolded[this.props.name]);
    }
    get bodyId() {
        return `keycrm_step_${this.props.name}`;
    }

    show(focus) {
        this.root.el?.scrollIntoView({ block: "start" });
        if (focus) {
            this.heading.el?.focus({ preventScroll: true });
        }
    }
    async next() {
        const { record } = this.props;
        if (!(await record.isDirty()) || (await record.save())) {
            this.steps.goOn(this.props.name);
        }
    }
    /** A button that leaves the step out goes on as soon as the server has confirmed it. */
    onBodyClick(ev) {
        if (ev.target.closest(".o_keycrm_skip")) {
            this.skipped = true;
        }
    }
}

export class KeycrmSetupCompiler extends FormCompiler {
    setup() {
        super.setup();
        this.compilers.push({ selector: "section.o_keycrm_step", fn: this.compileStep });
    }

    compileStep(el, params) {
        const steps = [...el.parentElement.querySelectorAll("section.o_keycrm_step")];
        const step = createElement("KeycrmStep", {
            name: toStringExpression(el.getAttribute("name")),
            title: toStringExpression(el.getAttribute("string")),
            number: steps.indexOf(el) + 1,
            stateField: toStringExpression(el.getAttribute("state")),
            isLast: el === steps.at(-1),
            record: "__comp__.props.record",
        });
        for (const child of el.childNodes) {
            append(step, this.compileNode(child, params));
        }
        return step;
    }
}

export class KeycrmSetupRenderer extends FormRenderer {
    static components = { ...FormRenderer.components, KeycrmStep };

    setup() {
        const steps = new SetupSteps();
        useSubEnv({ keycrmSteps: steps });
        super.setup();
        useEffect(
            (recordId) =>
                steps.show(recordId || false, this.props.record.context.keycrm_step),
            () => [this.props.record.resId]
        );
    }
    get shouldAutoFocus() {
        return false;
    }
}

registry.category("views").add("keycrm_setup_form", {
    ...formView,
    Compiler: KeycrmSetupCompiler,
    Renderer: KeycrmSetupRenderer,
});
