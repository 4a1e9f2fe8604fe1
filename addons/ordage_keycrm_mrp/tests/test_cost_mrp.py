"""The cost of a kit follows its components."""

from odoo.fields import Command

from odoo.addons.ordage_keycrm.tests.test_send_cost import CostCase


class TestCostMrp(CostCase):
    def kit(self):
        kit = self.mapped()
        cup, plate = self.env["product.product"].create(
            [{"name": name, "is_storable": True} for name in ("Чашка", "Блюдце")]
        )
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "product_qty": 2,
                "bom_line_ids": [
                    Command.create({"product_id": cup.id, "product_qty": 4}),
                    Command.create({"product_id": plate.id, "product_qty": 2}),
                ],
            }
        )
        return kit, cup, plate

    def test_cost_of_a_kit_follows_its_components(self):
        kit, cup, plate = self.kit()
        self.send()
        cup.standard_price = 10
        plate.standard_price = 5
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.in_keycrm(kit), 25)
        cup.standard_price = 11
        self.send()
        self.assertEqual(self.in_keycrm(kit), 27)

    def test_changed_bill_of_materials_sends_the_new_cost(self):
        kit, cup, plate = self.kit()
        cup.standard_price = plate.standard_price = 10
        self.send()
        kit.bom_ids.bom_line_ids.filtered(lambda line: line.product_id == cup).product_qty = 8
        self.send()
        self.assertEqual(self.in_keycrm(kit), 50)

    def test_cost_of_a_manufactured_product_is_its_own(self):
        product = self.mapped()
        self.env["mrp.bom"].create({"product_tmpl_id": product.product_tmpl_id.id})
        product.standard_price = 33
        self.send()
        self.assertEqual(self.in_keycrm(product), 33)
