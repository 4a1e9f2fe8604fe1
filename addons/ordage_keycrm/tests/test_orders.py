from .common import KeycrmCase


class TestOrders(KeycrmCase):
    def test_an_order_arrives_with_every_line_to_the_cent(self):
        number = self.keycrm.create_sample_order(webhook=False)["id"]
        order = self.arrive(number)
        told = self.keycrm.order(number)
        self.assertEqual(f"{order.amount_total:.2f}", f"{float(told['answer']['grand_total']):.2f}")
        self.assertIn("Сорочка, біла, M", order.order_line.mapped("name"))
