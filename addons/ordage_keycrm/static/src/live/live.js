import { onWillUnmount, useEffect } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { useService } from "@web/core/utils/hooks";

/** Milliseconds in which further updates are debounced before a screen is read again. */
const DEBOUNCE = 700;
/** Milliseconds until the next try while a user is working. */
const LATER = 1500;
/** Milliseconds between two refreshes without updates, in case the bus does not reach this browser. */
const SELDOM = 30000;

/**
 * Calls back when Odoo's bus reports a change of a KeyCRM account, and seldom without that. It pauses
 * while the page is hidden, and catches up when it is visible again.
 *
 * @param {(accountIds: Set<number>) => Promise<boolean|void>} refresh reads the screen again; an empty
 *   set: no update. It returns false while a user is working: the screen is read a little later.
 * @param {Object} [options]
 * @param {number} [options.debounce] milliseconds
 */
export function useKeycrmUpdates(refresh, { debounce = DEBOUNCE } = {}) {
    const bus = useService("bus_service");
    let accounts = new Set();
    let timer = null;
    let busy = false;
    let missed = false;
    let ended = false;

    async function run() {
        timer = null;
        if (document.hidden || busy) {
            missed = true;
            return;
        }
        const updated = accounts;
        accounts = new Set();
        missed = false;
        busy = true;
        try {
            if ((await refresh(updated)) === false && !ended) {
                updated.forEach((account) => accounts.add(account));
                timer ??= browser.setTimeout(run, LATER);
            }
        } finally {
            busy = false;
            if (missed && !ended && !document.hidden) {
                plan();
            }
        }
    }
    function plan() {
        timer ??= browser.setTimeout(run, debounce);
    }
    function onUpdate({ account_id: accountId }) {
        accounts.add(accountId);
        plan();
    }
    function onSeen() {
        if (!document.hidden && missed) {
            plan();
        }
    }
    useEffect(
        () => {
            bus.subscribe("keycrm/changed", onUpdate);
            bus.start();
            document.addEventListener("visibilitychange", onSeen);
            const seldom = browser.setInterval(plan, SELDOM);
            return () => {
                bus.unsubscribe("keycrm/changed", onUpdate);
                document.removeEventListener("visibilitychange", onSeen);
                browser.clearInterval(seldom);
            };
        },
        () => []
    );
    onWillUnmount(() => {
        ended = true;
        browser.clearTimeout(timer);
    });
}
