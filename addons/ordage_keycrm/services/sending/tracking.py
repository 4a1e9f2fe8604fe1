from ...const import OPEN_GROUPS
from ...keycrm.catalog import CustomField, DeliveryService
from ...keycrm.client import Page
from ...keycrm.parsing import parsed_rows, to_objects
from ..common.reference_lists import ReferenceLists
from ..common.service import Service

#: Pages of the list of delivery services that are read at most.
MAX_PAGES = 40


class TrackingKind(Service):
    """Read KeyCRM's lists for tracking numbers, and preview and enqueue the numbers.

    ``order_update_sender`` sends them.
    """

    def read_page(self, number):
        """Read KeyCRM's delivery services and custom fields.

        :param number: not used: both lists are short
        :return: :class:`~.keycrm.client.Page` with both lists in its only row
        """
        services = []
        for page in self.client.pages("/order/delivery-service"):
            services += page.rows
            if page.number >= MAX_PAGES:
                break
        # A bare list without pages (documented).
        fields = to_objects(self.client.get("/custom-fields", {"filter[model]": "order"}))
        rows = [{"services": services, "custom_fields": fields}]
        return Page(rows, number, len(rows), number, has_next=False)

    def record_page(self, page):
        """Upsert both lists.

        :param page: of :meth:`read_page`
        """
        services, fields = page.rows[0]["services"], page.rows[0]["custom_fields"]
        self.service(ReferenceLists).store(
            "keycrm.delivery.service",
            {one.id: {"name": one.name} for one in parsed_rows(DeliveryService.parse, services)},
        )
        listed = {
            one.id: {"name": one.name, "uuid": one.uuid, "type": one.type, "is_active": True}
            for one in parsed_rows(CustomField.parse, fields)
            if one.uuid
        }
        self.service(ReferenceLists).store("keycrm.custom.field", listed)
        own = self.env["keycrm.custom.field"].sudo().search([("account_id", "=", self.account.id)])
        gone = own.filtered(lambda one: one.is_active and one.keycrm_id not in listed)
        if listed and gone:
            # The account shows where it is still used.
            gone.is_active = False

    def differences(self, orders, lang):
        """Compare open orders that have tracking numbers, as they were last imported.

        :param orders: of :meth:`records`
        :param lang: not used: numbers are the same in all languages
        :return: iterator over values of ``keycrm.send.preview.line``
        """
        for order, update, decision in self._decisions(orders):
            outcome = "same"
            if decision.code:
                outcome = "problem"
            elif decision.body:
                outcome = "change"
            yield {
                "sale_order_id": order.id,
                "keycrm_value": order.keycrm_tracking_code,
                "odoo_value": ", ".join(parcel.code for parcel in update.parcels),
                "outcome": outcome,
                "error_code": decision.code or False,
                "error_params": decision.params or False,
            }

    def enqueue_all(self, domain=()):
        """Enqueue the open orders whose tracking numbers differ from KeyCRM's.

        :param domain: which ones
        """
        orders = self.env["sale.order"].sudo()
        for order, _update, decision in self._decisions(self.records(domain)):
            if decision.body or decision.code:
                orders |= order
        self.env["keycrm.order.update"]._enqueue_orders("tracking", orders)

    def _decisions(self, orders):
        """Decide about orders as they were last imported.

        KeyCRM's custom fields are known only as far as the account shows them, or Odoo has written them.

        :param orders: of :meth:`records`
        :return: iterator over (``sale.order``, update, :class:`~.keycrm.order_update_rules.Decision`)
        """
        updates = self.env["keycrm.order.update"].sudo()
        sent = updates.search_fetch(
            [
                ("sale_order_id", "in", orders.ids),
                ("kind", "=", "tracking"),
                ("state", "=", "done"),
            ],
            ["sale_order_id", "sent_value"],
            order="id",
        )
        written = {update.sale_order_id: update.sent_value or "" for update in sent}
        for order in orders:
            update = order._keycrm_tracking_update()
            texts = (order.keycrm_custom_fields or "", written.get(order, ""))
            known = {
                "shipping": {
                    "tracking_code": order.keycrm_tracking_code or "",
                    "delivery_service": order.keycrm_delivery_service,
                },
                "manager_comment": order.keycrm_manager_comment or "",
                "custom_fields": [{"uuid": update.field_uuid, "value": "\n".join(texts)}],
            }
            yield order, update, update.decide(known)

    def records(self, domain=(), limit=None):
        """Return the open orders that have tracking numbers.

        :param domain: which ones
        :param limit: their number at most
        """
        Order = self.env["sale.order"].sudo()
        return Order.search(
            [
                *domain,
                *Order._keycrm_domain_with_parcels(),
                ("keycrm_account_id", "=", self.account.id),
                ("keycrm_archived", "=", False),
                ("keycrm_deleted", "=", False),
                ("keycrm_status_id.group", "in", OPEN_GROUPS),
                ("keycrm_status_id.order_action", "!=", "cancel"),
            ],
            order="id",
            limit=limit,
        )
