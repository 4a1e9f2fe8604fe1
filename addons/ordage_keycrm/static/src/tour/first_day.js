import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

const menu = (name) => `.o_main_navbar [data-menu-xmlid='ordage_keycrm.${name}']`;
const entry = (name) => `.o-dropdown--menu [data-menu-xmlid='ordage_keycrm.${name}']`;

const NAME = "keycrm_first_day";

/** Start the tour of the first day for the user, on the overview. */
registry.category("actions").add(NAME, async (env) => {
    const { orm, tour_service: tours } = env.services;
    const domain = [["name", "=", NAME]];
    const [tour] = await orm.searchRead("web_tour.tour", domain, ["url", "rainbow_man_message"]);
    await tours.startTour(NAME, {
        mode: "manual",
        fromDB: true,
        url: tour.url,
        rainbowManMessage: tour.rainbow_man_message,
    });
});

/** The first day: from the overview to an order, to packing and to the stock of both sides. */
registry.category("web_tour.tours").add(NAME, {
    url: "/odoo/keycrm",
    steps: () => [
        {
            trigger: menu("menu_orders"),
            content: _t(
                "The overview shows what needs your decision, and today's orders. All orders that are not archived are here."
            ),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row .o_data_cell[name=partner_id]",
            content: _t("Open an order. Buyer, recipient, lines and total come from KeyCRM."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_notebook .nav-link[name=keycrm]",
            content: _t(
                "KeyCRM's status, payments and comments are on this page. Each change there leaves a line in the chatter."
            ),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: menu("menu_stock"),
            content: _t("Parcels and stock are in this menu."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: entry("menu_pack"),
            content: _t("Parcels whose goods are reserved wait here."),
            tooltipPosition: "right",
            run: "click",
        },
        {
            trigger: ".o_keycrm_number",
            content: _t(
                "Scan or type a tracking number, an order number or a barcode: its parcel opens. Choose rows to print their labels and slips."
            ),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: menu("menu_stock"),
            content: _t("Last, the stock of both sides."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: entry("menu_stock_levels"),
            content: _t("Odoo's and KeyCRM's quantities, and why they differ."),
            tooltipPosition: "right",
            run: "click",
        },
        {
            trigger: ".o_searchview_dropdown_toggler",
            content: _t("Filters and favorites, such as what differs, are here in each list."),
            tooltipPosition: "bottom",
            run: "click",
        },
    ],
});
