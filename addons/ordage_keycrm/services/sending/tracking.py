from odoo.tools import SQL

from ...keycrm.catalog import CustomField, DeliveryService
from ...keycrm.client import Page
from ...keycrm.order_update_rules import TrackingUpdate
from ...keycrm.parsing import parsed_rows, to_objects
from ..common import crons
from ..common.bridge import as_bridge
from ..common.language import company_language
from ..common.list_pages import ListPages
from ..common.reference_lists import ReferenceLists
from ..orders.open_orders import open_orders_domain
from .kind import OrderKind, PreviewedKind


class TrackingKind(OrderKind, PreviewedKind):
    """The tracking numbers of deliveries."""

    name = "tracking"
    label = "Tracking numbers"
    switch = "send_tracking"

    def read_page(self, number):
        """Read KeyCRM's delivery services and custom fields.

        Both lists are short: they are the only row of one page.
        """
        services, _is_complete = self.service(ListPages).short_list("/order/delivery-service")
        # A bare list without pages (documented).
        fields = to_objects(self.client.get("/custom-fields", {"filter[model]": "order"}))
        rows = [{"services": services, "custom_fields": fields}]
        return Page(rows, number, len(rows), number, has_next=False)

    def record_page(self, page):
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
        removed = own.filtered(lambda one: one.is_active and one.keycrm_id not in listed)
        if listed and removed:
            # The account shows where it is still used.
            removed.is_active = False

    def differences(self, orders, lang):
        """Compare open orders that have tracking numbers, as they were last imported."""
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
            update = self._update_of(order)
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
        """Return the open orders that have tracking numbers."""
        Order = self.env["sale.order"].sudo()
        return Order.search(
            [
                *domain,
                *Order._keycrm_domain_with_parcels(),
                *open_orders_domain(self.account),
                ("keycrm_status_id.order_action", "!=", "cancel"),
            ],
            order="id",
            limit=limit,
        )

    @staticmethod
    def changed_orders(ids):
        """Return the query for the orders of deliveries whose tracking number changed."""
        return SQL(
            """SELECT o.*, NULL::int AS partial_id
                 FROM stock_picking p JOIN sale_order o ON o.id = p.sale_id
                WHERE p.id = ANY(%s)""",
            ids,
        )

    def plan(self, update):
        return self._update_of(update.sale_order_id)

    def _update_of(self, order):
        """Return the update with the parcels that KeyCRM's order should have.

        :param order: ``sale.order``, one
        :return: :class:`~.keycrm.order_update_rules.TrackingUpdate`
        """
        account = self.account.sudo()
        translated = account.with_context(lang=company_language(account.company_id))
        return TrackingUpdate(
            tuple(order._keycrm_parcels()),
            account.tracking_others or "",
            account.tracking_field_id.uuid or "",
            translated.env._("Further tracking numbers:"),
        )

    def record(self, order, values):
        """Record ``tracking_code``, ``delivery_service_id``, ``manager_comment``; return all numbers."""
        vals = {
            f"keycrm_{name}": values[name]
            for name in ("tracking_code", "manager_comment")
            if name in values
        }
        if number := values.get("delivery_service_id"):
            services = self.account.sudo().delivery_service_ids
            service = services.filtered(lambda one: one.keycrm_id == number)
            vals["keycrm_delivery_service"] = service.name
        changed = {name: value for name, value in vals.items() if order[name] != value}
        if changed:
            as_bridge(order).with_context(tracking_disable=True).write(changed)
        return ", ".join([values["tracking_code"], *values.get("others", ())]) if values else ""

    def retry_conflict(self, order):
        """Compare a conflicting tracking number again after KeyCRM's was changed.

        :param order: ``sale.order``, one
        """
        conflicts = [
            ("sale_order_id", "=", order.id),
            ("kind", "=", self.name),
            ("state", "=", "failed"),
            ("error_code", "=", "tracking_differs"),
        ]
        for update in self.env["keycrm.order.update"].sudo().search(conflicts):
            update._unlink_activity()
            update.write({"state": "pending", "attempts": 0, "next_try_at": self.env.cr.now()})
            crons.trigger(self.account, crons.ORDERS)

    def summary(self, order_name):
        return self.env._("Could not send the tracking number of order %s to KeyCRM", order_name)
