"""What the parts of the importer know of the batch that they write."""

from dataclasses import dataclass, field

#: What leaves an order in its state; any other state is that of a quotation.
_ACTION_THAT_KEEPS = {"sale": "confirm", "cancel": "cancel"}


@dataclass(slots=True)
class Batch:
    """Orders of one account that are written together, and what was looked up for all of them at once.

    :param account: ``keycrm.account``
    :param orders: :class:`~.keycrm.orders.Order` to be written
    :param known: ``{KeyCRM order: sale.order}`` that were there before
    :param statuses: ``{KeyCRM status: keycrm.order.status}``
    :param sources: ``{KeyCRM source: keycrm.source}``
    :param warehouses: ``{KeyCRM warehouse: keycrm.warehouse}``
    :param partners: ``{KeyCRM order: (buyer, delivery address)}``
    :param invoice_addresses: ``{company or person: its address for invoices}``, where it has one
    :param products: ``{KeyCRM line: product.product}``
    :param created: ``{KeyCRM order: sale.order}`` that are new
    :param grown: KeyCRM numbers of orders that are new or have new lines
    :param pricelists: ``{currency code: product.pricelist}`` that were looked up
    :param shared: ``{(model or "ref", name): record}``: tags, marketing marks, products of extra lines
    :param matches: ``{KeyCRM order: {KeyCRM line: sale.order.line}}`` of known orders
    :param runs_about_gone: ``{KeyCRM order: keycrm.order.sync}`` that say what has already left
    :param remarks: ``{KeyCRM order: sentences}``: what Odoo did not accept of it
    :param touched: ids of products whose stock KeyCRM moved by itself
    """

    account: object
    orders: list
    known: dict
    statuses: dict
    sources: dict = field(default_factory=dict)
    warehouses: dict = field(default_factory=dict)
    partners: dict = field(default_factory=dict)
    invoice_addresses: dict = field(default_factory=dict)
    products: dict = field(default_factory=dict)
    created: dict = field(default_factory=dict)
    touched: set = field(default_factory=set)
    grown: set = field(default_factory=set)
    pricelists: dict = field(default_factory=dict)
    shared: dict = field(default_factory=dict)
    runs_about_gone: dict = field(default_factory=dict)
    matches: dict = field(default_factory=dict)
    remarks: dict = field(default_factory=dict)

    def remark(self, order, sentence):
        """Record what a person has to know of an order that is written all the same."""
        self.remarks.setdefault(order.id, []).append(sentence)

    def look_up(self, kind, name, find):
        """Look something up that orders share, once for all of them.

        :param kind: its model, or ``ref``
        :param name: what it is called
        :param find: called without arguments where it was not looked up yet
        :return: the record
        """
        if (kind, name) not in self.shared:
            self.shared[kind, name] = find()
        return self.shared[kind, name]

    def status(self, order):
        """:return: ``keycrm.order.status`` of the order, or None"""
        return self.statuses.get(order.status_id)

    def action(self, order):
        """Return what the order's status makes of it: quotation, confirm, cancel, skip.

        A status that KeyCRM's list does not name leaves a known order as it is.
        """
        status, known = self.status(order), self.known.get(order.id)
        if status:
            return status.order_action
        return _ACTION_THAT_KEEPS.get(known.state if known else None, "quotation")

    def invoice_address(self, partner):
        """Say who is invoiced: the company of a company's buyer, at its address for invoices; the buyer
        where the company's contact belongs to another company of the database.
        """
        payer = partner.commercial_partner_id
        if payer not in self.invoice_addresses and payer.company_id - self.account.company_id:
            return partner
        return self.invoice_addresses.get(payer, payer)

    def record(self, order):
        """:return: the ``sale.order`` of the order"""
        return self.created.get(order.id) or self.known[order.id]
