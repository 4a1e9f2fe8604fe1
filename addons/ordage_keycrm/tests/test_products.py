"""Which product a line becomes, and what happens to products that Odoo has."""

from .common import KeycrmCase

SHIRT = [{"name": "Колір", "value": "біла"}, {"name": "Розмір", "value": "M"}]


class ProductCase(KeycrmCase):
    @classmethod
    def come(cls, *numbers):
        """Let orders come as the worker brings them: with what it reads before.

        :return: ``{number: Outcome}``
        """
        orders = [cls.read_order(number) for number in numbers]
        with cls.account._client() as client, cls.committing(cls):
            orders = cls.account._learn_for(client, orders)
        return cls.account._import_orders(orders)

    @classmethod
    def line_of(cls, *lines, **fields):
        """Let an order with these lines come.

        :return: its lines of goods
        """
        number = cls.new_order(list(lines), **fields)
        return cls.lines_of(number)

    @classmethod
    def lines_of(cls, number):
        outcome = cls.come(number)[number]
        assert not outcome.code, (outcome.code, outcome.params, outcome.details)
        order = cls.env["sale.order"].browse(outcome.order_id)
        return order.order_line.filtered("keycrm_id").sorted("keycrm_id")

    @classmethod
    def product(cls, **vals):
        return cls.env["product.product"].create({"name": "Товар", "is_storable": True, **vals})

    def offer(self, **fields):
        return self.keycrm.create_offer(**{"name": "Сорочка", "price": 500, **fields})


class TestMatching(ProductCase):
    def test_a_sku_is_found_whatever_its_case_and_spaces(self):
        shirt = self.product(default_code="Абв-1 ")
        line = self.line_of({"offer_id": self.offer(sku=" аБВ-1")["id"]})
        self.assertEqual(line.product_id, shirt)
        self.assertEqual(shirt.keycrm_offer_ids.sku, "аБВ-1")
        self.assertEqual(shirt.default_code, "Абв-1 ", "the SKU of a product is never overwritten")

    def test_the_tie_counts_more_than_a_changed_sku(self):
        offer = self.offer(sku="T-1")
        first = self.line_of({"offer_id": offer["id"]}).product_id
        other = self.product(default_code="T-2")
        self.keycrm.patch_offer(offer["id"], sku="T-2")
        second = self.line_of({"offer_id": offer["id"]}).product_id
        self.assertEqual(second, first)
        self.assertFalse(other.keycrm_offer_ids)
        self.assertEqual(first.default_code, "T-1")
        self.assertEqual(first.keycrm_offer_ids.sku, "T-2")

    def test_a_barcode_is_the_next_to_tell_a_product(self):
        known = self.product(default_code="OURS", barcode="4820000000017")
        line = self.line_of({"offer_id": self.offer(sku="THEIRS", barcode="4820000000017")["id"]})
        self.assertEqual(line.product_id, known)
        self.assertEqual(known.default_code, "OURS")

    def test_a_barcode_of_another_offer_makes_no_two_offers_one_product(self):
        one = self.line_of({"offer_id": self.offer(sku="B-1", barcode="4820000000024")["id"]})
        two = self.line_of({"offer_id": self.offer(sku="B-2", barcode="4820000000024")["id"]})
        self.assertNotEqual(one.product_id, two.product_id)
        self.assertFalse(two.product_id.barcode)
        self.assertIn("4820000000024", two.product_id.keycrm_offer_ids.problem)
        self.assertIn("B-1", two.product_id.keycrm_offer_ids.problem)

    def test_a_new_product_is_storable_and_has_what_the_catalogue_says(self):
        offer = self.offer(
            sku="N-1",
            barcode="4820000000031",
            price="1290.50",
            purchased_price="700",
            weight="0.35",
            properties=SHIRT,
        )
        line = self.line_of({"offer_id": offer["id"], "name": "SALE!!! Сорочка топ", "price": 990})
        self.assertRecordValues(
            line.product_id,
            [
                {
                    "name": "Сорочка, біла, M",
                    "default_code": "N-1",
                    "barcode": "4820000000031",
                    "type": "consu",
                    "is_storable": True,
                    "list_price": 1290.5,
                    "standard_price": 700.0,
                    "weight": 0.35,
                    "keycrm_origin": "catalog",
                }
            ],
        )
        self.assertEqual(line.price_unit, 990)

    def test_an_archived_product_keeps_its_sku_to_itself(self):
        old = self.product(default_code="OLD-1", active=False)
        self.assertEqual(self.line_of({"offer_id": self.offer(sku="OLD-1")["id"]}).product_id, old)

    def test_a_product_of_another_company_is_not_taken(self):
        other = self.env["res.company"].create({"name": "Other shop"})
        theirs = self.product(default_code="C-1", company_id=other.id)
        line = self.line_of({"offer_id": self.offer(sku="C-1")["id"]})
        self.assertNotEqual(line.product_id, theirs)

    def test_two_lines_of_one_offer_are_one_product(self):
        offer = self.offer(sku="D-1")
        lines = self.line_of({"offer_id": offer["id"]}, {"offer_id": offer["id"], "price": 1})
        self.assertEqual(len(lines), 2)
        self.assertEqual(len(lines.product_id), 1)

    def test_a_line_without_offer_finds_the_product_by_sku(self):
        known = self.product(default_code="L-1")
        self.assertEqual(self.line_of({"name": "Щось", "sku": "l-1"}).product_id, known)

    def test_a_line_without_offer_finds_the_product_of_the_tied_offer_with_that_sku(self):
        mug = self.product(default_code="MUG")
        offer = self.offer(sku="OFFER-SKU")
        self.env["keycrm.offer"].create(
            {"account_id": self.account.id, "keycrm_id": offer["id"], "product_id": mug.id}
        )
        self.line_of({"offer_id": offer["id"]})
        line = self.line_of({"name": "Щось", "sku": "offer-sku", "raw": {"offer": None}})
        self.assertEqual(line.product_id, mug)

    def test_units_of_weight_become_the_unit_of_the_product(self):
        line = self.line_of({"name": "Кава на вагу", "unit_type": "кг", "quantity": "0.5"})
        self.assertEqual(line.product_id.uom_id, self.env.ref("uom.product_uom_kgm"))
        self.assertEqual(line.product_uom_qty, 0.5)

    # === TWO WITH ONE SKU ===#

    def failed_order(self, sku):
        """Let an order fail for a SKU that two products have, as the worker notes it."""
        both = self.product(default_code=sku, name="Перша") | self.product(
            default_code=f" {sku.lower()}", name="Друга"
        )
        number = self.new_order([{"offer_id": self.offer(sku=sku)["id"]}])
        event = self.env["keycrm.event"].create(
            {"account_id": self.account.id, "event": "test", "keycrm_order_id": number}
        )
        outcomes = self.come(number)
        event._finish(outcomes)
        return both, number, event

    def test_two_products_with_one_sku_fail_the_order_and_both_are_named(self):
        both, _number, event = self.failed_order("AMB-1")
        self.assertEqual(event.state, "failed")
        self.assertIn("Перша", event.error)
        self.assertIn("Друга", event.error)
        self.assertIn("AMB-1", event.error)
        self.assertFalse(both.keycrm_offer_ids, "no guess")

    def due_again(self, number):
        events = self.env["keycrm.event"]._due(self.account, limit=100)
        return number in events.mapped("keycrm_order_id")

    def test_once_told_apart_the_order_comes_by_itself(self):
        both, number, event = self.failed_order("AMB-2")
        event.next_try_at = False
        self.assertFalse(self.due_again(number))
        both[1].default_code = "AMB-2-b"
        self.assertTrue(self.due_again(number))
        self.assertEqual(self.lines_of(number).product_id, both[0])

    def test_told_apart_on_the_template_or_by_archiving_counts_as_well(self):
        both, number, event = self.failed_order("AMB-3")
        event.next_try_at = False
        both[1].product_tmpl_id.action_archive()
        self.assertTrue(self.due_again(number))
        self.assertEqual(self.lines_of(number).product_id, both[0])

    def test_a_person_says_once_which_of_two_it_is(self):
        both, number, event = self.failed_order("AMB-4")
        event.next_try_at = False
        self.env["keycrm.product.tie"].create(
            {"account_id": self.account.id, "sku": "amb-4", "product_id": both[1].id}
        )
        self.assertTrue(self.due_again(number))
        self.assertEqual(self.lines_of(number).product_id, both[1])


class TestRemembered(ProductCase):
    def test_an_unknown_sku_of_a_marketplace_is_tied_once_and_remembered(self):
        ours = self.product(default_code="OUR-1")
        number = self.new_order([{"name": "Сорочка ROZETKA", "sku": "RZ-777"}])
        line = self.lines_of(number)
        self.assertEqual(line.product_id.keycrm_origin, "one_off")
        tie = (
            self.env["keycrm.product.tie"]
            .with_context(active_model="product.product", active_id=line.product_id.id)
            .create({"product_id": ours.id})
        )
        self.assertEqual(tie.sku, "RZ-777")
        events = self.env["keycrm.event"]._due(self.account, limit=100)
        self.assertIn(number, events.mapped("keycrm_order_id"), "the open order is put right")
        self.assertEqual(self.lines_of(number).product_id, ours)
        self.assertEqual(self.line_of({"name": "інше", "sku": " rz-777"}).product_id, ours)

    def test_a_one_off_line_is_tied_to_a_service(self):
        delivery = self.env["product.product"].create({"name": "Доставка", "type": "service"})
        self.env["keycrm.product.tie"].create(
            {"account_id": self.account.id, "name": "Доставка", "product_id": delivery.id}
        )
        line = self.line_of({"name": " доставка ", "price": 80})
        self.assertEqual(line.product_id, delivery)
        self.assertEqual(line.price_unit, 80)

    def test_the_choice_counts_for_its_account_alone(self):
        other = self.account.copy({"name": "Other", "api_key": "other"})
        mug = self.product(default_code="MUG-9")
        self.env["keycrm.product.tie"].create(
            {"account_id": other.id, "sku": "X-9", "product_id": mug.id}
        )
        self.assertNotEqual(self.line_of({"name": "Щось", "sku": "X-9"}).product_id, mug)


class TestOneOffs(ProductCase):
    def test_a_one_off_product_is_a_product_of_its_own_and_marked(self):
        line = self.line_of({"name": "Гравіювання", "price": "150.25"})
        self.assertEqual(line.product_id.keycrm_origin, "one_off")
        self.assertEqual(line.product_id.list_price, 150.25)
        self.assertEqual(line.product_id.default_code, f"KC-L{line.keycrm_id}")

    def test_edited_or_repeated_a_one_off_line_keeps_its_product(self):
        number = self.new_order([{"name": "Гравіювання", "price": 100}])
        line = self.lines_of(number)
        product, sku = line.product_id, line.product_id.default_code
        self.keycrm.patch_line(
            number, line.keycrm_id, webhook=False, name="Гравіювання імені", price=120
        )
        again = self.lines_of(number)
        self.assertEqual(again.product_id, product)
        self.assertEqual(again.name, "Гравіювання імені")
        self.assertEqual(product.default_code, sku)
        self.assertEqual(product.name, "Гравіювання")

    def test_equal_name_and_properties_are_one_product_over_orders_and_within_one(self):
        one = {"name": "Кулон", "properties": [{"name": "Метал", "value": "срібло"}]}
        two = {"name": "Кулон", "properties": [{"name": "Метал", "value": "золото"}]}
        first = self.line_of(one, one, two)
        second = self.line_of({**one, "name": "кулон "})
        self.assertEqual(first[0].product_id, first[1].product_id)
        self.assertNotEqual(first[0].product_id, first[2].product_id)
        self.assertEqual(second.product_id, first[0].product_id)
        self.assertEqual(first[2].product_id.name, "Кулон, золото")

    def test_one_offs_of_one_name_with_skus_of_their_own_stay_two(self):
        lines = self.line_of({"name": "Набір", "sku": "S-1"}, {"name": "Набір", "sku": "S-2"})
        self.assertEqual(set(lines.product_id.mapped("default_code")), {"S-1", "S-2"})

    def test_both_ways_of_saying_one_off_are_the_same(self):
        for way in ("null", "missing"):
            with self.subTest(way=way):
                self.keycrm.set_switches(one_off_offer=way)
                line = self.line_of({"name": f"Разовий {way}"})
                self.assertEqual(line.product_id.keycrm_origin, "one_off")

    def test_a_one_off_line_that_joins_the_catalogue_becomes_the_catalogue_product(self):
        number = self.new_order([{"name": "Брошка", "price": 90}])
        product = self.lines_of(number).product_id
        sku = product.default_code
        offer = self.offer(name="Брошка срібна", sku="BR-1", price=95)
        self.keycrm.patch_line(
            number, self.lines_of(number).keycrm_id, webhook=False, offer_id=offer["id"], sku="BR-1"
        )
        self.assertEqual(self.lines_of(number).product_id, product)
        self.assertEqual(product.keycrm_origin, "catalog")
        self.assertEqual(product.default_code, sku, "a generated SKU is never changed later")

    def test_a_one_off_product_found_in_the_catalogue_by_name_or_sku_becomes_that(self):
        by_name = self.line_of({"name": "Чохол", "price": 50}).product_id
        by_sku = self.line_of({"name": "Інша назва", "sku": "CV-2"}).product_id
        lines = self.line_of(
            {"offer_id": self.offer(name="Чохол", sku="CV-1")["id"]},
            {"offer_id": self.offer(name="Чохол 2", sku="cv-2")["id"]},
        )
        self.assertEqual(lines[0].product_id, by_name)
        self.assertEqual(lines[1].product_id, by_sku)
        self.assertEqual(set(lines.product_id.mapped("keycrm_origin")), {"catalog"})


class TestGeneratedSkus(ProductCase):
    def test_a_generated_sku_is_readable_and_stays_when_the_product_comes_again(self):
        offer = self.offer(name="Листівка", sku=None)
        first = self.line_of({"offer_id": offer["id"]}).product_id
        self.assertEqual(first.default_code, f"KC-{offer['id']}")
        self.keycrm.patch_offer(offer["id"], sku="NOW-IT-HAS")
        again = self.line_of({"offer_id": offer["id"]}).product_id
        self.assertEqual(again, first)
        self.assertEqual(again.default_code, f"KC-{offer['id']}")

    def test_a_generated_sku_is_never_one_that_is_taken_also_by_archived_products(self):
        offer = self.offer(name="Листівка", sku="")
        self.product(default_code=f"kc-{offer['id']}", active=False)
        self.product(default_code=f"KC-{offer['id']}-2")
        line = self.line_of({"offer_id": offer["id"]})
        self.assertEqual(line.product_id.default_code, f"KC-{offer['id']}-3")

    def test_two_accounts_of_a_company_never_give_one_sku_to_two_products(self):
        other = self.account.copy(
            {"name": "Other", "api_key": self.sandbox.key, "api_url": self.sandbox.api_url}
        )
        offer = self.offer(name="Листівка", sku="")
        number = self.new_order([{"offer_id": offer["id"]}])
        order = self.read_order(number)
        products = self.env["product.product"]
        for account in (self.account, other):
            outcome = account._import_orders([order])[number]
            record = self.env["sale.order"].browse(outcome.order_id)
            products |= record.order_line.filtered("keycrm_id").product_id
        self.assertEqual(len(products), 2, "what the two cabinets number 1 are different goods")
        self.assertEqual(len(set(products.mapped("keycrm_sku_key"))), 2)


class TestKeepAndFollow(ProductCase):
    def known(self, **vals):
        offer = self.offer(
            sku="K-1",
            barcode="4820000000048",
            price=777,
            purchased_price=300,
            weight="1.5",
            thumbnail_url="https://cdn.example.com/1.jpg",
        )
        product = self.product(
            name="Наша назва", default_code="K-1", list_price=10, barcode=False, **vals
        )
        return offer, product

    def test_kept_product_information_is_not_changed_whatever_comes(self):
        self.account.keep_product_info = True
        offer, product = self.known()
        self.line_of({"offer_id": offer["id"]})
        names = [
            name
            for name, field in product._fields.items()
            if field.store
            and name not in ("write_date", "write_uid", "keycrm_offer_ids")
            and field.type not in ("one2many",)
        ]
        before = product.read(names)
        self.keycrm.patch_offer(offer["id"], price=1, barcode="4820000000055", sku="K-2")
        self.keycrm.patch_product(offer["product_id"], name="Геть інша")
        self.line_of({"offer_id": offer["id"], "name": "Назва з маркетплейсу", "price": 3})
        self.assertEqual(product.read(names), before)

    def test_name_price_barcode_and_weight_follow_the_catalogue(self):
        offer, product = self.known()
        self.line_of({"offer_id": offer["id"], "name": "АКЦІЯ", "price": 3})
        self.assertRecordValues(
            product,
            [
                {
                    "name": "Сорочка",
                    "list_price": 777,
                    "barcode": "4820000000048",
                    "weight": 1.5,
                    "standard_price": 300,
                    "default_code": "K-1",
                }
            ],
        )
        self.keycrm.patch_offer(offer["id"], price=800, weight=2, purchased_price=999)
        self.keycrm.patch_product(offer["product_id"], name="Сорочка лляна")
        self.line_of({"offer_id": offer["id"], "name": "АКЦІЯ", "price": 3})
        self.assertRecordValues(
            product,
            [{"name": "Сорочка лляна", "list_price": 800, "weight": 2, "standard_price": 300}],
        )

    def test_a_line_alone_changes_no_product_when_the_catalogue_cannot_be_read(self):
        offer, product = self.known()
        self.keycrm.add_fault("status", path="/offers", status=400, times=None)
        self.addCleanup(self.keycrm.clear_faults)
        self.line_of({"offer_id": offer["id"], "name": "АКЦІЯ", "price": 3})
        self.assertEqual(product.name, "Наша назва")
        self.assertEqual(product.list_price, 777, "the offer came with the order")

    def test_a_cost_that_is_there_stays(self):
        offer, product = self.known(standard_price=55)
        self.line_of({"offer_id": offer["id"]})
        self.assertEqual(product.standard_price, 55)

    def test_a_barcode_that_another_product_has_is_left_alone_and_reported(self):
        other = self.product(name="Власник", barcode="4820000000048")
        offer, product = self.known()
        line = self.line_of({"offer_id": offer["id"]})
        self.assertEqual(line.product_id, product)
        self.assertFalse(product.barcode)
        self.assertEqual(other.barcode, "4820000000048")
        self.assertIn("Власник", product.keycrm_offer_ids.problem)
        other.barcode = False
        self.line_of({"offer_id": offer["id"]})
        self.assertEqual(product.barcode, "4820000000048")
        self.assertFalse(product.keycrm_offer_ids.problem)

    def test_a_barcode_of_a_packaging_is_left_alone_too(self):
        box = self.product(name="Ящик")
        self.env["product.uom"].create(
            {
                "product_id": box.id,
                "uom_id": self.env.ref("uom.product_uom_dozen").id,
                "barcode": "4820000000048",
            }
        )
        offer, product = self.known()
        self.line_of({"offer_id": offer["id"]})
        self.assertFalse(product.barcode)

    def test_what_was_read_earlier_never_overwrites_what_was_read_later(self):
        offer, product = self.known()
        number = self.new_order([{"offer_id": offer["id"]}])
        self.keycrm.patch_offer(offer["id"], raw={"updated_at": "2026-08-01T10:00:00.000000Z"})
        old = self.read_order(number)
        self.keycrm.patch_offer(
            offer["id"], price=900, raw={"updated_at": "2026-08-01T11:00:00.000000Z"}
        )
        self.lines_of(number)
        self.account._import_orders([old])
        self.assertEqual(product.list_price, 900)

    def test_the_catalogue_is_read_fifty_offers_at_a_time_and_not_again_for_old_orders(self):
        offers = [self.offer(sku=f"Q-{index}")["id"] for index in range(60)]
        numbers = [
            self.new_order(
                [{"offer_id": offer} for offer in offers],
                created_at="2026-08-01 10:00:00",
                updated_at="2026-08-01 10:00:00",
            )
            for _again in range(2)
        ]
        self.keycrm.clear_log()
        self.come(numbers[0])
        self.assertEqual(len(self.keycrm.requests(path="/offers")), 2)
        self.come(numbers[1])
        self.assertEqual(len(self.keycrm.requests(path="/offers")), 2)

    def test_a_price_in_another_currency_is_not_taken_as_hryvnias(self):
        offer, product = self.known()
        self.keycrm.patch_product(offer["product_id"], currency_code="USD")
        dollar = self.env.ref("base.USD")
        dollar.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": dollar.id, "rate": 0.025, "company_id": self.company.id}
        )
        self.line_of({"offer_id": offer["id"]})
        self.assertAlmostEqual(product.list_price, 777 / 0.025, places=2)


class TestVariants(ProductCase):
    def test_properties_stand_in_name_and_line_in_keycrms_order(self):
        offer = self.offer(
            sku="P-1",
            properties=[
                {"name": "Розмір", "value": "M"},
                {"name": "Склад", "value": "льон, бавовна"},
            ],
        )
        line = self.line_of({"offer_id": offer["id"], "properties": offer["properties"]})
        self.assertEqual(line.product_id.name, "Сорочка, M, «льон, бавовна»")
        self.assertEqual(line.name, "Сорочка, M, «льон, бавовна»")

    def test_real_variants_are_found_again_and_extended(self):
        self.account.product_variants = True
        white = self.offer(sku="V-W-M", barcode="4820000000062", weight=1, properties=SHIRT)
        blue_properties = [SHIRT[0] | {"value": "синя"}, SHIRT[1]]
        blue = self.offer(product_id=white["product_id"], sku="V-B-M", properties=blue_properties)
        first = self.line_of({"offer_id": white["id"], "properties": SHIRT})
        second = self.line_of({"offer_id": blue["id"], "properties": blue_properties})
        template = first.product_id.product_tmpl_id
        self.assertEqual(second.product_id.product_tmpl_id, template)
        self.assertNotEqual(first.product_id, second.product_id)
        self.assertEqual(template.name, "Сорочка")
        self.assertEqual(
            template.attribute_line_ids.attribute_id.mapped("name"), ["Колір", "Розмір"]
        )
        self.assertEqual(len(template.product_variant_ids), 2)
        self.assertEqual(first.product_id.default_code, "V-W-M")
        self.assertEqual(first.product_id.barcode, "4820000000062")
        self.assertEqual(second.product_id.default_code, "V-B-M")
        self.assertEqual(first.name, "Сорочка, біла, M")
        self.assertEqual(second.name, "Сорочка, синя, M")
        self.assertTrue(first.product_id.is_storable)
        self.assertEqual(first.product_id.keycrm_origin, "catalog")

    def test_variants_of_one_batch_are_one_product_and_come_again_as_they_are(self):
        self.account.product_variants = True
        one = self.offer(sku="W-M", properties=SHIRT)
        large = [SHIRT[0], SHIRT[1] | {"value": "L"}]
        two = self.offer(product_id=one["product_id"], sku="W-L", properties=large)
        lines = self.line_of(
            {"offer_id": one["id"], "properties": SHIRT},
            {"offer_id": two["id"], "properties": large},
        )
        self.assertEqual(len(lines.product_id), 2)
        self.assertEqual(len(lines.product_id.product_tmpl_id), 1)
        again = self.line_of({"offer_id": two["id"], "properties": large})
        self.assertEqual(again.product_id, lines[1].product_id)
        self.assertEqual(lines.product_id.product_tmpl_id.name, "Сорочка")

    def test_the_same_properties_twice_or_others_make_no_mess(self):
        self.account.product_variants = True
        one = self.offer(sku="S-1", properties=SHIRT)
        twin = self.offer(product_id=one["product_id"], sku="S-2", properties=SHIRT)
        other = self.offer(
            product_id=one["product_id"], sku="S-3", properties=[{"name": "Колір", "value": "біла"}]
        )
        lines = self.line_of(*({"offer_id": offer["id"]} for offer in (one, twin, other)))
        self.assertEqual(
            lines.product_id.mapped("default_code"), ["S-1", "S-2", "S-3"], "three goods stay three"
        )

    def test_real_variants_made_in_odoo_are_taken_by_their_sku(self):
        attribute = self.env["product.attribute"].create({"name": "Розмір"})
        values = self.env["product.attribute.value"].create(
            [{"attribute_id": attribute.id, "name": name} for name in ("S", "M")]
        )
        template = self.env["product.template"].create(
            {
                "name": "Футболка",
                "attribute_line_ids": [
                    (0, 0, {"attribute_id": attribute.id, "value_ids": [(6, 0, values.ids)]})
                ],
            }
        )
        medium = template.product_variant_ids[1]
        medium.default_code = "FUT-M"
        offer = self.offer(
            name="Футболка", sku="FUT-M", properties=[{"name": "Розмір", "value": "M"}]
        )
        line = self.line_of({"offer_id": offer["id"]})
        self.assertEqual(line.product_id, medium)
        self.assertEqual(template.name, "Футболка", "the attribute says the size, not the name")
