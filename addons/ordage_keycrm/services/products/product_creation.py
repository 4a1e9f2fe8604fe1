from dataclasses import asdict

from ...keycrm.catalog import Offer
from ...keycrm.errors import KeyCrmError, NotFound
from ...keycrm.fault_isolation_rules import Isolation
from ...keycrm.naming import sku_key
from ...keycrm.offer_values import to_money
from ...keycrm.parsing import parsed_rows, to_id, to_object
from ...keycrm.product_export_rules import NewOffer, NewProduct, marker_sku, unit_text
from ...keycrm.stock_lookup_rules import sku_batches
from ..common.circuit_breaker import CircuitBreaker
from ..common.concurrency import ERRORS_OF_NO_RECORD
from ..common.job import JobService
from ..common.language import company_language
from ..common.transactions import company_lock, run_in_transaction
from ..orders.order_import import ImportResult

#: SKUs of one request, and bytes of its address.
LOOKUP_ROWS, LOOKUP_BYTES = 50, 3000


class ProductCreation(JobService):
    """Create products in KeyCRM, never twice: each is looked up by its SKU before and after.

    Each step is one request, so that live orders are processed in between. That a product is requested is
    committed before the request, so after a crash or a lost answer the lookup finds what was created.
    """

    model = "keycrm.product.export"

    def process(self):
        """Create some products; without a query where no run was started.

        :return: True when there was a running job that does not wait
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

    def next_job(self):
        """Return the first run with a product whose last request is not unclear any more."""
        running = [("account_id", "=", self.account.id), ("state", "=", "running")]
        exports = self.env[self.model].sudo().search(running, order="id")
        return next((export for export in exports if not export._unclear_until()), exports[:0])

    def process_page(self, export):
        """Do one step with some products, and end the run after the last ones.

        :param export: ``keycrm.product.export``, one
        """
        # Nothing is prepared and marked as requested before its request can be sent.
        self.client.reserve()
        lines = export._next_lines()
        if lines and not lines[0]._is_looked_up():
            self._look_up(lines, export)
        elif lines and lines[0]._has_siblings():
            self._create_variants(lines, export)
        elif lines:
            self._create_products(lines, export)

        def record():
            if not export._is_still_running():
                return
            export.invalidate_recordset()
            ended = export.line_ids.filtered(lambda line: line.state != "ready")
            export.done_count = min(export.total_count, len(ended))
            if len(ended) == len(export.line_ids):
                export._end("done")

        run_in_transaction(self.env.cr, record)

    # === LOOKING UP AND MAPPING ===#

    def _look_up(self, lines, export):
        """Map the products that KeyCRM has by their SKU; the others may be created.

        Those whose last request may still take effect, no matter who started it, are looked up again later.
        After a failure the next request has half as many, since one offer may make it fail.

        :param lines: ``keycrm.product.export.line``, of variants those of one product
        :param export: ``keycrm.product.export``, one
        :raise KeyCrmError: when KeyCRM as a whole is unavailable, or no product is at fault
        """
        isolation = Isolation(**(export.isolation or {}))
        start, end = isolation.bounds(0, len(lines), len(lines))
        lines = lines[start:end]
        skus = {line: (line.product_id.default_code or "").strip() for line in lines}
        wanted, marker = list(skus.values()), ""
        if lines[0]._has_siblings():
            marker = marker_sku(lines.product_id.product_tmpl_id.id)
            wanted.append(marker)
        # No transaction is open during the requests.
        self.env.cr.commit()
        try:
            found = self._read(wanted)
        except KeyCrmError as failure:
            self._record_failed_lookup(lines, export, isolation, self._failure_of(failure))
            return

        def record():
            if export.isolation:
                export.isolation = asdict(isolation.after_success())
            missing, mapped = lines.browse(), {}
            for line in lines.exists():
                offers = found.get(sku_key(skus[line]), [])
                if len(offers) == 1:
                    mapped[line] = offers[0]
                elif offers:
                    line._end("problem", "create_sku_in_keycrm")
                else:
                    missing |= line
            self._map(mapped)
            if marker and missing:
                missing -= self._set_product(missing, found.get(sku_key(marker), []))
            now, requested = self.env.cr.now(), missing._recent_requests()
            for line in missing:
                at = requested.get(line.product_id, False)
                line.write({"looked_up_at": now, "requested_at": at})

        with company_lock(self.account):
            run_in_transaction(self.env.cr, record)

    def _record_failed_lookup(self, lines, export, isolation, error):
        """Record that the SKUs of some products cannot be looked up.

        :param lines: ``keycrm.product.export.line``
        :param export: ``keycrm.product.export``, one
        :param isolation: :class:`~.keycrm.fault_isolation_rules.Isolation` before
        :param error: the :class:`~.keycrm.errors.KeyCrmError` of the request
        :raise KeyCrmError: the same one, when no product is at fault
        """
        isolation = isolation.after_failure(len(lines))

        def record():
            if len(lines) == 1:
                lines._record_failure(error, is_alone=True)
            export.isolation = asdict(isolation)

        run_in_transaction(self.env.cr, record)
        if isolation.is_all_failing:
            raise error

    def _set_product(self, lines, marked):
        """Record KeyCRM's product of variants, where it exists already.

        :param lines: lines of variants that KeyCRM does not have
        :param marked: offers with the marker of their template
        :return: the lines whose product was created only now, by a request whose answer was lost
        """
        variants = lines.product_id.product_tmpl_id.product_variant_ids
        known = self.env["keycrm.offer"].sudo()
        known = known.search(
            [
                ("account_id", "=", self.account.id),
                ("product_id", "in", variants.ids),
                ("keycrm_product_id", "!=", False),
            ],
            limit=1,
        )
        number = known.keycrm_product_id or (marked[0].product_id if marked else 0)
        new = lines.filtered(lambda line: not line.keycrm_product_id)
        if not number or not new:
            return lines.browse()
        new.write(
            {
                "keycrm_product_id": number,
                "looked_up_at": self.env.cr.now(),
                "requested_at": False,
                "error_code": False,
                "error_params": False,
            }
        )
        return new

    def _read(self, skus):
        """Read the offers with these SKUs.

        :return: list of :class:`~.keycrm.catalog.Offer` by the key of the SKU
        """
        found = {}
        wanted = {sku_key(sku): sku for sku in skus}
        for part in sku_batches(wanted, LOOKUP_ROWS, LOOKUP_BYTES):
            params = {"filter[sku]": ",".join(wanted[key] for key in part)}
            for page in self.client.pages("/offers", params):
                for offer in parsed_rows(Offer.parse, page.rows):
                    if offer:
                        found.setdefault(sku_key(offer.sku), {})[offer.id] = offer
        return {key: list(offers.values()) for key, offers in found.items()}

    def _map(self, found):
        """Map products to their offers, and enqueue their stock.

        :param found: ``{line: Offer}``
        """
        numbers = [offer.id for offer in found.values()]
        known = [("account_id", "=", self.account.id), ("keycrm_id", "in", numbers)]
        mapped = self.env["keycrm.offer"].sudo().search(known)
        owners = {one.keycrm_id: one.product_id for one in mapped}
        new = {}
        for line, offer in found.items():
            if offer.id not in owners:
                new[line] = self._offer_vals(line.product_id, offer)
            if owners.setdefault(offer.id, line.product_id) == line.product_id:
                line._end("done", "create_is_archived" if offer.is_archived else False)
            else:
                line._end("problem", "create_sku_in_keycrm")
        created = self._create_mappings(new).product_id
        self.env["keycrm.missing.sku"].sudo()._clear(self.account, created)
        self.env["keycrm.stock.change"].sudo()._enqueue_refresh(self.account, created.ids)

    def _create_mappings(self, new):
        """Map products at once; on failure one by one, so that the others are mapped.

        :param new: ``{line: values of keycrm.offer}``
        :return: ``keycrm.offer``
        """
        offers = self.env["keycrm.offer"].sudo()
        try:
            with self.env.cr.savepoint():
                return offers.create(list(new.values()))
        except ERRORS_OF_NO_RECORD:
            raise
        except Exception as error:
            if len(new) > 1:
                return offers.union(*(self._create_mappings({one: new[one]}) for one in new))
            result = ImportResult.failed(error)
            reason = result.params.get("reason") or result.params.get("kind", "")
            for line in new:
                line._end("problem", "create_not_linked", {"reason": reason})
            return offers

    def _offer_vals(self, product, offer):
        now = self.env.cr.now()
        return {
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

    # === CREATION ===#

    def _create_products(self, lines, export):
        """Create products without variants.

        :param lines: ``keycrm.product.export.line``
        :param export: ``keycrm.product.export``, one
        """
        self._create(lines, export, "/products/import", "products", self._product_rows)

    def _create_variants(self, lines, export):
        """Create variants of one product, or first the product, with a marker as its SKU.

        :param lines: ``keycrm.product.export.line`` of variants of one product
        :param export: ``keycrm.product.export``, one
        """
        number = lines[0].keycrm_product_id
        if number:
            self._create(lines, export, f"/products/{number}/offers", "offers", self._offer_rows)
            return
        template = lines.product_id.product_tmpl_id
        data = self._product_data(lines[0].product_id)
        body = data.body({"sku": marker_sku(template.id)})
        self._mark_requested(lines)
        try:
            made = to_id(to_object(self.client.post("/products", body)).get("id"))
        except KeyCrmError as failure:
            error = self._failure_of(failure)
            run_in_transaction(self.env.cr, lambda: lines._record_failure(error, is_alone=True))
            return
        if made:
            vals = {"keycrm_product_id": made, "requested_at": False}

            def record():
                lines.write({**vals, "looked_up_at": self.env.cr.now()})

            run_in_transaction(self.env.cr, record)

    def _create(self, lines, export, path, key, rows):
        """Create products or variants; after a failure the next request has half as many.

        :param lines: ``keycrm.product.export.line``
        :param export: ``keycrm.product.export``, one
        :param path: path of the request
        :param key: name of its list
        :param rows: called with lines for the rows of the list
        """
        isolation = Isolation(**(export.isolation or {}))
        start, end = isolation.bounds(0, len(lines), len(lines))
        lines = lines[start:end]
        body, error = {key: rows(lines)}, None
        self._mark_requested(lines)
        try:
            self.client.post(path, body)
        except KeyCrmError as failure:
            error = self._failure_of(failure)
            isolation = isolation.after_failure(len(lines))
        else:
            isolation = isolation.after_success()
        # A product that is not found is none of its variants' fault.
        is_alone = len(lines) == 1 or (key == "offers" and isinstance(error, NotFound))

        def record():
            if error:
                lines._record_failure(error, is_alone=is_alone)
            is_last = lines == export.line_ids.filtered(lambda line: line.state == "ready")
            is_new = isolation == Isolation() or (is_last and not error)
            export.isolation = False if is_new else asdict(isolation)

        run_in_transaction(self.env.cr, record)

    def _failure_of(self, error):
        """Return an error that is the fault of a request, not of KeyCRM as a whole.

        :param error: the :class:`~.keycrm.errors.KeyCrmError` of the request
        :raise KeyCrmError: the same one, when KeyCRM as a whole is unavailable
        """
        if not self.service(CircuitBreaker).is_request_at_fault(error, trusts_refusal=True):
            raise error
        return error

    def _mark_requested(self, lines):
        """Record that products are about to be requested; no transaction is open during it."""

        def record():
            lines.write({"requested_at": self.env.cr.now(), "looked_up_at": False})

        run_in_transaction(self.env.cr, record)

    # === DATA ===#

    def _product_rows(self, lines):
        """Return what KeyCRM gets of products without variants.

        :param lines: ``keycrm.product.export.line``
        """
        offers = self._offer_rows(lines)
        return [
            self._product_data(line.product_id).body(offer)
            for line, offer in zip(lines, offers, strict=True)
        ]

    def _product_data(self, product):
        """Return what KeyCRM gets of a product, the same for its variants.

        :param product: ``product.product``
        """
        categories = self.env["keycrm.category"]._for_products(self.account, product)
        unit = product.uom_id
        reference = unit.get_external_id().get(unit.id, "")
        currency = self.account.keycrm_currency_id or self.account.company_id.currency_id
        lang = company_language(self.account.company_id)
        return NewProduct(
            name=product.with_context(lang=lang).name,
            unit=unit_text(reference, unit.with_context(lang=lang).name),
            currency_code=currency.name,
            category_id=categories[product.id].keycrm_id or None,
            picture=product._keycrm_picture_url(self.account),
        )

    def _offer_rows(self, lines):
        """Return what KeyCRM gets of variants.

        :param lines: ``keycrm.product.export.line``
        """
        account, company = self.account, self.account.company_id
        own, currency = company.currency_id, account.keycrm_currency_id or company.currency_id
        rate = 1.0
        if own != currency:
            rate = own._keycrm_rate(currency, company, self.env.cr.now().date())
        products = lines.product_id.with_company(company)
        products = products.with_context(lang=company_language(company))
        costs = self.env["keycrm.offer.value"]._amounts(account, "cost", products)
        rows = []
        for line in lines:
            product = line.product_id.with_env(products.env)
            values = product.product_template_attribute_value_ids
            offer = NewOffer(
                key=line.id,
                sku=(product.default_code or "").strip(),
                barcode=product.barcode or "",
                price=None if rate is None else to_money(product.lst_price * rate),
                cost=costs[product.id],
                weight=self._weight(product),
                properties=tuple((value.attribute_id.name, value.name) for value in values),
                picture=product._keycrm_picture_url(account) if values else "",
            )
            rows.append(offer.body())
        return rows

    def _weight(self, product):
        """Return the weight in KeyCRM's unit; None while that is not chosen."""
        unit = self.account.weight_unit
        theirs = unit and self.env.ref(f"uom.{unit}", raise_if_not_found=False)
        if not theirs or not product.weight:
            return None
        ours = self.env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
        return ours._compute_quantity(product.weight, theirs, round=False)
