import { toRaw } from "@odoo/owl";

/** What a user has open beside the view: menus, lists of choices, pickers, dialogs. */
const OPEN = [
    ".o-dropdown--menu",
    ".o-autocomplete--dropdown-menu",
    ".show > .dropdown-menu",
    ".o_popover:not(:has(.o-tooltip))",
    ".o_dialog",
].join(",");
/** Parts of a form that are redrawn with its values: a row that is edited, and lists of records. */
const ROWS = ".o_selected_row, .o_field_x2many";

/**
 * Return whether a user has selected text.
 *
 * @param {HTMLElement} root element of the view
 * @returns {boolean}
 */
export function isSelectingIn(root) {
    const selection = document.getSelection();
    return !selection.isCollapsed && root.contains(selection.anchorNode);
}

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
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    return Boolean(
        isSelectingIn(root) || root.querySelector(".o_selected_row") || focused?.closest(`${ROWS}, select`)
    );
}

/**
 * Read the record of a form again. Odoo's own `load` would lose what a user changes while the answer is
 * on its way, so the values are taken only if nothing was changed or saved meanwhile. Lists in the form
 * keep the order and the page that their user chose.
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
    const lists = Object.entries(before).filter(
        ([, value]) => value instanceof model.constructor.StaticList
    );
    const orderBys = Object.fromEntries(lists.map(([name, { orderBy }]) => [name, orderBy]));
    const paged = lists.filter(([, { offset }]) => offset);
    const places = placesOf(lists);
    const values = await model._loadData({
        ...record.config,
        activeFields: withOrderAndPages(record.activeFields, lists),
    });
    return model.mutex.exec(async () => {
        if (isBusy() || places !== placesOf(lists)) {
            return false;
        }
        if (!record.dirty && toRaw(record).data === before) {
            record._setData(values, { orderBys });
            for (const [name, { offset, limit }] of paged) {
                await showPage(record.data[name], values[name], offset, limit);
            }
        }
        return true;
    });
}

/** Return the pages and orders that lists show. */
function placesOf(lists) {
    return JSON.stringify(lists.map(([, { offset, limit, orderBy }]) => [offset, limit, orderBy]));
}

/** Return the fields of a form such that its lists are read in their order, up to the page they show. */
function withOrderAndPages(activeFields, lists) {
    const changed = lists.map(([name, { offset, limit, orderBy }]) => {
        const field = { ...activeFields[name], defaultOrderBy: orderBy };
        return [name, offset ? { ...field, limit: offset + limit } : field];
    });
    return { ...activeFields, ...Object.fromEntries(changed) };
}

/** Show a page of a list that was just read, unless it no longer has that page. */
async function showPage(list, rows, offset, limit) {
    if (offset < list.count) {
        rows.slice(offset, offset + limit).forEach((row) => list._createRecordDatapoint(row));
        await list._load({ offset, limit });
    }
}

/**
 * Read the records of a list or kanban again. Records and groups that stay keep their place in the page,
 * and with it the menu that is open on them, the focus, the selection and the scroll position.
 *
 * @param {Object} model relational model of the view
 * @param {HTMLElement} root element of the view
 * @returns {Promise<boolean>} false when the records are to be read later
 */
export async function refreshRecords(model, root) {
    const list = model.root;
    const loads = loadsOf(list);
    const config = copyOf(list.config);
    const answer = await model._loadData(config);
    return model.mutex.exec(() => {
        if (model.root !== list) {
            return true;
        }
        if (loads !== loadsOf(list) || isSelectingIn(root) || isLosing(list, answer, usedIn(root))) {
            return false;
        }
        takeOver(list, config, answer);
        list._selectDomain(list.isDomainSelected);
        return true;
    });
}

/** Return which answers a list and its groups show: they change when a user pages, sorts or unfolds. */
function loadsOf(list) {
    const groups = list.isGrouped ? list.groups.map((group) => loadsOf(group.list)) : [];
    return [list.config.loadId, ...groups].join();
}

/** Return a copy of a list's config: an answer writes into it which groups are folded. */
function copyOf(config) {
    const groups = Object.entries(config.groups || {}).map(([value, group]) => [
        value,
        { ...group, list: copyOf(group.list) },
    ]);
    return config.groups ? { ...config, groups: Object.fromEntries(groups) } : { ...config };
}

/** Return the ids of the elements that a keyboard has focused or that have an open menu. */
function usedIn(root) {
    const places = [...root.querySelectorAll(":focus-visible, [aria-expanded=true]")];
    return new Set(places.map((place) => place.closest("[data-id]")?.dataset.id));
}

/**
 * Return whether an answer lacks a record that a user works with.
 *
 * @param {Object} list of a relational model
 * @param {Object} answer its new records or groups
 * @param {Set<string>} used ids of elements
 */
function isLosing(list, answer, used) {
    if (list.isGrouped) {
        const found = new Map(answer.groups.map((values) => [String(values.value), values]));
        return list.groups.some(
            (group) =>
                !group.isFolded &&
                isLosing(
                    group.list,
                    found.get(String(group.value)) ?? { groups: [], records: [] },
                    used
                )
        );
    }
    const found = new Set(answer.records.map(({ id }) => id));
    return list.records.some(
        (record) =>
            !found.has(record.resId) &&
            (record.isInEdition || record.dirty || record.selected || used.has(record.id))
    );
}

/**
 * Show an answer in a list.
 *
 * @param {Object} list of a relational model
 * @param {Object} config with which the answer was read
 * @param {Object} answer its new records or groups
 */
function takeOver(list, config, answer) {
    if (!list.isGrouped) {
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
        return;
    }
    const known = new Map(list.groups.map((group) => [String(group.value), group]));
    list.config.currentGroups = config.currentGroups;
    list.groups = answer.groups.map((values) => {
        const group = known.get(String(values.value));
        const { isFolded, list: listConfig } = config.groups[values.value];
        if (!group) {
            list.config.groups[values.value] = config.groups[values.value];
            return list._createGroupDatapoint(values);
        }
        const { count, aggregates, displayName } = values;
        Object.assign(group, { count, aggregates, displayName });
        if (!isFolded && !group.isFolded) {
            takeOver(group.list, listConfig, values);
            group._useGroupCountForList();
        }
        return group;
    });
    list.count = answer.length;
}
