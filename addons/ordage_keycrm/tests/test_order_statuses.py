"""Statuses missing in KeyCRM's list: recorded from orders, and kept in the settings."""

from ..services.common.reference_lists import ReferenceLists
from .order_common import OrderCase

STATES = {1: "draft", 2: "draft", 3: "sale", 4: "sale", 5: "sale", 6: "cancel"}


class TestUnlistedStatuses(OrderCase):
    def tearDown(self):
        self.keycrm.set_switches(status_list="active")
        for status in self.account.status_ids:
            if status.keycrm_id < 900:
                self.keycrm.put_status(id=status.keycrm_id, is_active=True)
        super().tearDown()

    def known(self, number):
        return self.account.status_ids.filtered(lambda status: status.keycrm_id == number)

    def test_unknown_status_is_recorded_with_its_first_order(self):
        for group, state in STATES.items():
            number = 900 + group
            status = self.keycrm.put_status(
                id=number, name=f"Старий {group}", group_id=group, is_active=False
            )
            self.keycrm.clear_log()
            order = self.make(status=type("Status", (), {"keycrm_id": status["id"]}))
            self.assertEqual(order.state, state)
            recorded = self.known(number)
            self.assertEqual(order.keycrm_status_id, recorded)
            self.assertEqual(
                (recorded.name, recorded.group, recorded.is_active),
                (f"Старий {group}", str(group), False),
            )
            list_reads = [row for row in self.keycrm.requests() if "/order/status" in row["path"]]
            self.assertFalse(list_reads, "the order names its status, no list is read")

    def test_known_order_in_an_unlisted_status_follows_its_group(self):
        order = self.make(self.made)
        status = self.keycrm.put_status(id=911, name="Відмова", group_id=6, is_active=False)
        self.keycrm.set_status(order.keycrm_id, status["id"], webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual((order.state, order.keycrm_status_id.name), ("cancel", "Відмова"))

    def test_group_decides_if_the_order_has_no_status_name(self):
        raw = {"status_id": 921, "status": None, "status_group_id": 6}
        order = self.make(self.new, raw=raw)
        self.assertEqual(order.state, "cancel")
        self.assertEqual((self.known(921).name, self.known(921).group), ("921", "6"))
        # Its name comes later, and a person's choice stays.
        self.known(921).order_action = "quotation"
        status = {"id": 921, "name": "Дублікат", "alias": "duplicate", "group_id": 6}
        self.keycrm.patch_order(order.keycrm_id, raw={"status_id": 921, "status": status})
        self.arrive(order.keycrm_id)
        self.assertEqual(self.known(921).name, "Дублікат")
        self.assertEqual(order.state, "draft")
        # An order that lacks the name takes it away from none.
        self.make(self.new, raw=raw)
        self.assertEqual(self.known(921).name, "Дублікат")

    def test_status_deactivated_in_keycrm_stays_in_the_settings(self):
        for switch in ("active", "all"):
            with self.subTest(status_list=switch):
                self.keycrm.set_switches(status_list=switch)
                self.account.archive_status_ids = self.done
                self.made.order_action = "quotation"
                sync = self.env["keycrm.order.sync"].create(
                    {"account_id": self.account.id, "status_ids": (self.done | self.made).ids}
                )
                self.account.delivered_status_id = self.sent
                order = self.make(self.done)
                for status in (self.done, self.made, self.sent):
                    self.keycrm.put_status(id=status.keycrm_id, is_active=False)
                self.account.action_refresh_statuses()
                self.assertFalse(any((self.done | self.made | self.sent).mapped("is_active")))
                self.assertTrue(self.new.is_active)
                self.env.invalidate_all()
                self.assertEqual(self.account.archive_status_ids, self.done)
                self.assertEqual(sync.status_ids, self.done | self.made)
                self.assertEqual(self.account.delivered_status_id, self.sent)
                self.assertIn(self.sent.display_name, self.account.reference_text)
                self.arrive(order.keycrm_id)
                self.assertTrue(order.keycrm_archived and order.locked)
                self.assertEqual(self.make(self.made).state, "draft", "a person's choice")
                self.assertNotIn(self.done.display_name, self.account.trigger_statuses)
                for status in (self.done, self.made, self.sent):
                    self.keycrm.put_status(id=status.keycrm_id, is_active=True)
                self.account.action_refresh_statuses()
                self.assertTrue(self.done.is_active)

    def test_status_deleted_in_keycrm_keeps_its_action(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.done)
        raw = {"status_id": self.done.keycrm_id, "status": None, "status_group_id": None}
        self.keycrm.patch_order(order.keycrm_id, raw=raw, webhook=False)
        self.keycrm.put_status(id=self.done.keycrm_id, is_active=False)
        self.account.action_refresh_statuses()
        self.arrive(order.keycrm_id)
        self.assertTrue(order.keycrm_archived)
        self.assertEqual(order.keycrm_status_id, self.done)

    def test_empty_list_deactivates_no_status(self):
        ReferenceLists(self.account).store_statuses([])
        self.assertTrue(all(self.account.status_ids.mapped("is_active")))
