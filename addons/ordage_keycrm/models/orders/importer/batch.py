"""Define the batch of orders that the parts of the importer write."""

from dataclasses import dataclass, field

from ....services.orders.order_import import ImportOptions

#: Actions that leave an order in its state; any other state is that of a quotation.
_ACTION_BY_STATE = {"sale": "confirm", "cancel": "cancel"}


@dataclass(slots=True)
class Batch:
    """Hold orders of one account that are written together, and records read for all of them.

    :param account: ``keycrm.account``
    :param orders: :class:`~.keycrm.orders.Order` to be written
    :param known: ``{KeyCRM order: sale.order}`` that existed before
    :param statuses: ``{KeyCRM status: keycrm.order.status}``
    :param sources: ``{KeyCRM source: keycrm.source}``
    :param warehouses: ``{KeyCRM warehouse: keycrm.warehouse}``
    :param options: how the orders are imported
    :param has_analytic_rules: whether Odoo may set the analytic distribution of a line
    :param partners: ``{KeyCRM order: (buyer, delivery address)}``
    :param invoice_addresses: ``{company or person: its address for invoices}``, where it has one
    :param products: ``{KeyCRM line: product.product}``
    :param created: ``{KeyCRM order: sale.order}`` that are new
    :param changed_orders: KeyCRM numbers of orders that are new or have new lines
    :param pricelists: ``{currency code: product.pricelist}`` that were read
    :param shared: ``{(model, name): record}``: tags, marketing marks, products of extra lines
    :param matches: ``{KeyCRM order: {KeyCRM line: sale.order.line}}`` of known orders
    :param shipped_syncs: ``{KeyCRM order: keycrm.order.sync}`` whose settings decide whether a new order was
        shipped already
    :param remarks: ``{KeyCRM order: {fact: sentence}}`` about values that Odoo refused
    :param affected_products: ids of products whose stock KeyCRM moved by itself
    """

    account: object
    orders: list
    known: dict
    statuses: dict
    sources: dict = field(default_factory=dict)
    warehouses: dict = field(default_factory=dict)
    options: ImportOptions = field(default_factory=ImportOptions)
    has_analytic_rules: bool = True
    partners: dict = field(default_factory=dict)
    invoice_addresses: dict = field(default_factory=dict)
    products: dict = field(default_factory=dict)
    created: dict = field(default_factory=dict)
    affected_products: set = field(default_factory=set)
    changed_orders: set = field(default_factory=set)
    pricelists: dict = field(default_factory=dict)
    shared: dict = field(default_factory=dict)
    shipped_syncs: dict = field(default_factory=dict)
    matches: dict = field(default_factory=dict)
    remarks: dict = field(default_factory=dict)

    def remark(self, order, fact, sentence):
        """Record a sentence for users about an order that is written nevertheless.

        :param order: :class:`~.keycrm.orders.Order`
        :param fact: text that is the same in all languages
        :param sentence: text
        """
        self.remarks.setdefault(order.id, {})[fact] = sentence

    def look_up(self, kind, name, find):
        """Look up what orders share, once for the batch.

        :param kind: its model
        :param name: its name
        :param find: called without arguments when it is not cached yet
        :return: what was found
        """
        if (kind, name) not in self.shared:
            self.shared[kind, name] = find()
        return self.shared[kind, name]

    def status(self, order):
        """Return the ``keycrm.order.status`` of an order, or None.

        :param order: :class:`~.keycrm.orders.Order`
        """
        return self.statuses.get(order.status_id)

    def action(self, order):
        """Return the result of an order's status: quotation, confirm, cancel, skip.

        An unknown status leaves a known order in its state.

        :param order: :class:`~.keycrm.orders.Order`
        """
        status, known = self.status(order), self.known.get(order.id)
        if status:
            return status.order_action
        return _ACTION_BY_STATE.get(known.state if known else None, "quotation")

    def invoice_address(self, partner):
        """Return the invoice address: of the buyer's company, if it has one.

        The buyer is invoiced where the company's contact belongs to another company of the database.

        :param partner: ``res.partner`` of the buyer
        """
        payer = partner.commercial_partner_id
        if payer not in self.invoice_addresses and payer._keycrm_of_another_company(
            self.account.company_id
        ):
            return partner
        return self.invoice_addresses.get(payer, payer)

    def record(self, order):
        """Return the ``sale.order`` of an order.

        :param order: :class:`~.keycrm.orders.Order`
        """
        return self.created.get(order.id) or self.known[order.id]
