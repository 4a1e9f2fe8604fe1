from datetime import timedelta

from odoo import fields

from ...keycrm import offer_values
from ...keycrm.catalog import Offer
from ...keycrm.errors import NotFound, Refused
from ...keycrm.naming import sku_key
from ...keycrm.parsing import parsed_rows, to_id, to_object
from ...keycrm.product_export import NewOffer, NewProduct, marker_sku, unit_text
from ...keycrm.stock_lookup import sku_batches
from ..common.job import JobService
from ..common.transactions import company_lock, run_in_transaction

#: Products that were requested so short ago and are not found may still appear: not created again.
UNCLEAR = timedelta(seconds=60)
#: SKUs of one request, and bytes of its address.
LOOKUP_ROWS, LOOKUP_BYTES = 50, 3000
MOST_REFUSALS = 40


class ProductCreation(JobService):
    """Create products in KeyCRM, never twice: each is looked up by its SKU before and after.

    That a product is requested is committed before the request, so after a crash or a lost answer the
    lookup finds what was created.
    """

    model = "keycrm.product.export"

    def process(self):
        """Create some products; without a query where no run was started.

        :return: True when there was a running job
        """
        account = self.account.sudo()
        if not account.creates_products:
            return False
        has_worked = super().process()
        if not has_worked:

            def end():
                # A user may have started one meanwhile.
                running = [("account_id", "=", account.id), ("state", "=", "running")]
                if not self.env[self.model].sudo().search_count(running, limit=1):
                    account.creates_products = False

            run_in_transaction(self.env.cr, end)
        return has_worked

    def process_page(self, export):
        """Create some products, and end the run after the last ones.

        :param export: ``keycrm.product.export``, one
        """
        lines = export._next_lines()
        if lines:
            if lines[0]._has_siblings():
                self._create_variants(lines)
            else:
                self._create_products(lines)

        def record():
            if not export._is_still_running():
                return
            export.invalidate_recordset()
            ended = export.line_ids.filtered(lambda line: line.state != "ready")
            export.done_count = min(export.total_count, len(ended))
            if len(ended) == len(export.line_ids):
                export._end("done")

        run_in_transaction(self.env.cr, record)

    # === PRODUCTS WITHOUT VARIANTS ===#

    def _create_products(self, lines):
        product_data = {line.id: self._product_data(line.product_id) for line in lines}
        offers = {line.id: self._offer_data(line) for line in lines}
        left = self._map_found(lines)
        left = self._request(left)
        if not left:
            return

        def post(part):
            rows = [product_data[line.id].body(offers[line.id].body()) for line in part]
            self.client.post("/products/import", {"products": rows})

        accepted, refused = offer_values.send_isolating(list(left), post, Refused, MOST_REFUSALS)
        self._record_refused(refused)
        self._end_missing(self._map_found(lines.browse([line.id for line in accepted])))

    # === VARIANTS ===#

    def _create_variants(self, lines):
        template = lines.product_id.product_tmpl_id
        left = self._map_found(lines)
        left = self._request(left)
        if not left:
            return
        offers = [self._offer_data(line) for line in left]
        try:
            number = self._product_number(template, left)
            self.client.post(
                f"/products/{number}/offers", {"offers": [offer.body() for offer in offers]}
            )
        except (NotFound, Refused) as error:
            self._record_refused([(line, error) for line in left])
            return
        self._end_missing(self._map_found(left))

    def _product_number(self, template, lines):
        """Return KeyCRM's product of a template; created with a marker where there is none.

        :param template: ``product.template``
        :param lines: lines of its variants
        """
        known = (
            self.env["keycrm.offer"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.account.id),
                    ("product_id", "in", template.product_variant_ids.ids),
                    ("keycrm_product_id", "!=", False),
                ],
                limit=1,
            )
        )
        if known:
            return known.keycrm_product_id
        marker = marker_sku(template.id)
        data = self._product_data(lines[0].product_id, name=template.name)
        self.env.cr.commit()
        found = self._read([marker]).get(sku_key(marker))
        if found:
            return found[0].product_id
        answer = to_object(self.client.post("/products", data.body({"sku": marker})))
        number = to_id(answer.get("id"))
        return number or self._read([marker])[sku_key(marker)][0].product_id

    # === LOOKING UP AND MAPPING ===#

    def _read(self, skus):
        """Read the offers with these SKUs.

        :return: list of :class:`~..keycrm.catalog.Offer` by the key of the SKU
        """
        found = {}
        wanted = {sku_key(sku): sku for sku in skus}
        for part in sku_batches(wanted, lambda: LOOKUP_ROWS, LOOKUP_BYTES):
            params = {"filter[sku]": ",".join(wanted[key] for key in part)}
            for page in self.client.pages("/offers", params):
                for offer in parsed_rows(Offer.parse, page.rows):
                    if offer:
                        found.setdefault(sku_key(offer.sku), {})[offer.id] = offer
        return {key: list(offers.values()) for key, offers in found.items()}

    def _map_found(self, lines):
        """Map the products that KeyCRM has by their SKU.

        :param lines: ``keycrm.product.export.line``
        :return: the lines of those that it does not have
        """
        if not lines:
            return lines
        skus = {line: (line.product_id.default_code or "").strip() for line in lines}
        # Nothing is held open during the requests.
        self.env.cr.commit()
        found = self._read(skus.values())

        def record():
            missing = lines.browse()
            for line in lines.exists():
                offers = found.get(sku_key(skus[line]), [])
                if len(offers) == 1:
                    self._map(line, offers[0])
                elif offers:
                    line._end("problem", "create_sku_in_keycrm")
                else:
                    missing |= line
            return missing

        with company_lock(self.account):
            return run_in_transaction(self.env.cr, record)

    def _map(self, line, offer):
        """Map a product to its offer, and enqueue its stock.

        :param line: ``keycrm.product.export.line``, one
        :param offer: :class:`~..keycrm.catalog.Offer`
        """
        product = line.product_id
        offers = self.env["keycrm.offer"].sudo()
        mapped = offers.search([("account_id", "=", self.account.id), ("keycrm_id", "=", offer.id)])
        if mapped and mapped.product_id != product:
            line._end("problem", "create_sku_in_keycrm")
            return
        if not mapped:
            now = self.env.cr.now()
            offers.create(
                {
                    "account_id": self.account.id,
                    "keycrm_id": offer.id,
                    "keycrm_product_id": offer.product_id or False,
                    "sku": offer.sku,
                    "product_id": product.id,
                    "price": float(offer.price or 0),
                    "price_at": now,
                    "purchased_price": float(offer.purchased_price or 0),
                    "purchased_price_at": now,
                }
            )
            self.env["keycrm.missing.sku"].sudo()._clear(self.account, product)
            self.env["keycrm.stock.change"].sudo()._queue_refresh(self.account, product.ids)
        line._end("done")

    # === RESULTS ===#

    def _request(self, lines):
        """Record that products are about to be requested.

        :return: the lines that may be requested: not those whose last request may still take effect
        """
        now = self.env.cr.now()

        def record():
            recent = lines.filtered(
                lambda line: line.requested_at and line.requested_at > now - UNCLEAR
            )
            recent._end("problem", "create_unclear")
            allowed = lines - recent
            allowed.write({"requested_at": fields.Datetime.to_string(now)})
            return allowed

        return run_in_transaction(self.env.cr, record)

    def _record_refused(self, refused):
        def record():
            for line, error in refused:
                line.requested_at = False
                line._end("problem", error.code, error.params)

        if refused:
            run_in_transaction(self.env.cr, record)

    def _end_missing(self, lines):
        if lines:
            run_in_transaction(self.env.cr, lambda: lines._end("problem", "create_unclear"))

    # === DATA ===#

    def _product_data(self, product, name=None):
        """Return what KeyCRM gets of a product.

        :param product: ``product.product``
        :param name: its name; the product's own without it
        """
        unit = product.uom_id
        reference = unit.get_external_id().get(unit.id, "")
        currency = self.account.keycrm_currency_id or self.account.company_id.currency_id
        lang = self.account.company_id.partner_id.lang or self.env.lang
        return NewProduct(
            name=name or product.with_context(lang=lang).name,
            unit=unit_text(reference, unit.with_context(lang=lang).name),
            currency_code=currency.name,
        )

    def _offer_data(self, line):
        """Return what KeyCRM gets of a variant.

        :param line: ``keycrm.product.export.line``, one
        """
        product, account = line.product_id.with_company(self.account.company_id), self.account
        lang = account.company_id.partner_id.lang or self.env.lang
        currency, company = account.keycrm_currency_id, account.company_id
        price, today = product.lst_price, self.env.cr.now().date()
        if currency and currency != company.currency_id:
            price = company.currency_id._keycrm_convert(price, currency, company, today)
        cost = self.env["keycrm.offer.value"]._amounts(account, "cost", product)[product.id]
        values = product.with_context(lang=lang).product_template_attribute_value_ids
        return NewOffer(
            key=line.id,
            sku=(product.default_code or "").strip(),
            barcode=product.barcode or "",
            price=None if price is None else offer_values.to_money(price),
            cost=cost,
            weight=self._weight(product),
            properties=tuple((value.attribute_id.name, value.name) for value in values),
        )

    def _weight(self, product):
        """Return the weight in KeyCRM's unit; None while that is not chosen."""
        unit = self.account.weight_unit
        theirs = unit and self.env.ref(f"uom.{unit}", raise_if_not_found=False)
        if not theirs or not product.weight:
            return None
        ours = self.env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
        return ours._compute_quantity(product.weight, theirs, round=False)
