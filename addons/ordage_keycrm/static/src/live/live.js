import { onWillUnmount, useEffect } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { useService } from "@web/core/utils/hooks";

/** Milliseconds in which further news are gathered before a screen is read anew. */
const GATHER = 700;
/** Milliseconds until the next try while a user is editing. */
const LATER = 1500;
/** Milliseconds between two looks where no news come, in case the bus does not reach this browser. */
const SELDOM = 30000;

/**
 * Calls back when the server says over Odoo's bus that something of a KeyCRM account changed, and seldom
 * without that. It stands still while the page is not looked at, and catches up when it is again.
 *
 * @param {(accountIds: Set<number>) => Promise<boolean|void>} look reads the screen anew; an empty set:
 *   no news. It returns false when a user is editing: the screen is read a little later.
 */
export function useKeycrmNews(look) {
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
        const news = accounts;
        accounts = new Set();
        missed = false;
        busy = true;
        try {
            if ((await look(news)) === false && !ended) {
                news.forEach((account) => accounts.add(account));
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
        timer ??= browser.setTimeout(run, GATHER);
    }
    function onNews({ account_id: accountId }) {
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
            bus.subscribe("keycrm/changed", onNews);
            bus.start();
            document.addEventListener("visibilitychange", onSeen);
            const seldom = browser.setInterval(plan, SELDOM);
            return () => {
                bus.unsubscribe("keycrm/changed", onNews);
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
