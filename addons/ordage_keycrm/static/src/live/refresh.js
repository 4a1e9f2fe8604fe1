import { toRaw } from "@odoo/owl";

/** What a user has open beside the view: menus, lists of choices, pickers, dialogs. */
const OPEN = [
    ".o-dropdown--menu",
    ".o-autocomplete--dropdown-menu",
    ".show > .dropdown-menu",
    ".o_popover:not(:has(.o-tooltip))",
    ".o_dialog",
].join(",");
/** Parts of a form that are drawn anew with its values: a row that is edited, and lists of records. */
const ROWS = ".o_selected_row, .o_field_x2many";

/**
 * Return whether new values would disturb what a user is doing in a form.
 *
 * @param {HTMLElement} root element of the form
 * @returns {boolean}
 */
export function isWorkingIn(root) {
    const dialog = root.closest(".o_dialog");
    const opened = [...document.querySelectorAll(OPEN)];
    if (opened.some((el) => el !== dialog && !el.contains(root))) {
        return true;
    }
    const selection = document.getSelection();
    const isSelecting = !selection.isCollapsed && root.contains(selection.anchorNode);
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    return Boolean(
        isSelecting || root.querySelector(".o_selected_row") || focused?.closest(`${ROWS}, select`)
    );
}

/**
 * Read the record of a form again. Odoo's own `load` would lose what a user changes while the answer is
 * on its way, so the values are taken only if nothing was changed or saved meanwhile.
 *
 * @param {Object} record of a relational model
 * @param {() => boolean} isBusy whether a user is working in the form
 * @returns {Promise<boolean>} false when the record is to be read later
 */
export async function refreshRecord(record, isBusy) {
    const { model } = record;
    if (isBusy() || (await record.isDirty())) {
        return false;
    }
    const before = toRaw(record).data;
    const values = await model._loadData({ ...record.config });
    return model.mutex.exec(() => {
        if (isBusy()) {
            return false;
        }
        if (!record.dirty && toRaw(record).data === before) {
            record._setData(values);
        }
        return true;
    });
}

/**
 * Read the records of a list or kanban again. Records that stay keep their place in the page, and with
 * it the menu that is open on them, the focus, the selection and the scroll position.
 *
 * @param {Object} model relational model of the view
 * @returns {Promise<boolean>} false when the records are to be read later
 */
export async function refreshRecords(model) {
    const list = model.root;
    if (list.isGrouped) {
        // Groups are drawn anew.
        if (document.querySelector(OPEN) || list.selection.length || list.editedRecord) {
            return false;
        }
        await model.load();
        return true;
    }
    const answer = await model._loadData({ ...list.config });
    return model.mutex.exec(() => {
        if (model.root !== list) {
            return true;
        }
        const known = new Map(list.records.map((record) => [record.resId, record]));
        list.records = answer.records.map((values) => {
            const record = known.get(values.id);
            if (!record) {
                return list._createRecordDatapoint(values);
            }
            if (!record.dirty && !record.isInEdition) {
                record._setData(values);
            }
            return record;
        });
        list._updateCount(answer);
        return true;
    });
}
