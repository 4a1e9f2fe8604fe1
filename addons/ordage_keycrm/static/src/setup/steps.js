import { markRaw, reactive } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";

/** States in which a step needs its user. */
const OPEN_STATES = ["todo", "wrong"];

/**
 * Which steps of a setup form are unfolded, and which one comes next.
 *
 * The step that was unfolded last is kept for the browser's tab, so that a user who comes back from a
 * list finds the same step.
 */
export class SetupSteps {
    constructor() {
        this.steps = markRaw([]);
        this.unfolded = {};
        this.recordId = undefined;
        // The step that comes to the top of the window as soon as it is drawn unfolded.
        this.goal = null;
        return reactive(this);
    }

    get storageKey() {
        return `ordage_keycrm.setup.${this.recordId}`;
    }

    /**
     * Show a record: unfold the wanted step, else the one its user came from, else the first one that
     * is not done.
     *
     * @param {number|false} recordId false for a new record
     * @param {string} [wanted] name of the step that a link leads to
     */
    show(recordId, wanted) {
        if (this.recordId === recordId) {
            return;
        }
        const wasNew = this.recordId === false;
        this.recordId = recordId;
        if (wasNew && recordId) {
            // The same form, saved for the first time: nothing moves.
            this.remember(this.steps.find(({ name }) => this.unfolded[name])?.name);
            return;
        }
        const remembered =
            wanted || (recordId && browser.sessionStorage.getItem(this.storageKey));
        const step = this.steps.find(({ name }) => name === remembered) || this.nextAfter(-1);
        this.unfolded = { [step.name]: true };
        if (step.name === remembered) {
            this.goal = { step, focus: false };
        }
    }

    /**
     * @param {number} index of a step
     * @returns the first step after it that needs its user, else the first of all, else the last step
     */
    nextAfter(index) {
        const isOpen = (step) => OPEN_STATES.includes(step.state());
        return this.steps.slice(index + 1).find(isOpen) || this.steps.find(isOpen) || this.steps.at(-1);
    }

    toggle(name) {
        this.unfolded[name] = !this.unfolded[name];
        if (this.unfolded[name]) {
            this.remember(name);
        }
    }

    /** Fold a step, unfold the next one and move the focus there. */
    goOn(name) {
        const index = this.steps.findIndex((step) => step.name === name);
        const next = this.nextAfter(index);
        this.unfolded = { [next.name]: true };
        this.remember(next.name);
        this.goal = { step: next, focus: true };
        // It may have been unfolded before: then nothing of it is redrawn.
        browser.setTimeout(() => this.reach(next.name), 300);
    }

    /** A step is drawn unfolded: bring it to the top of the window if that is where its user goes. */
    reach(name) {
        if (this.goal?.step.name === name) {
            const { step, focus } = this.goal;
            this.goal = null;
            // Steps are drawn one after another: one above that folds after this one would move it away.
            browser.requestAnimationFrame(() => step.show(focus));
        }
    }

    remember(name) {
        if (this.recordId && name) {
            browser.sessionStorage.setItem(this.storageKey, name);
        }
    }
}
