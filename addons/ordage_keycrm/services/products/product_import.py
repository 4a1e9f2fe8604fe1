from ...keycrm.catalog import offers_by_id
from ...keycrm.product_data import Goods
from ..common.job import JobService
from ..common.language import company_language
from ..common.list_pages import ListPages
from ..common.transactions import check_company_is_free, company_lock, run_in_transaction


class ProductImport(JobService):
    """Process "Load products from KeyCRM", page by page.

    The whole catalog is mapped or created. A page's products, its rows of the report and the cursor are
    one transaction, so a restart repeats nothing and counts nothing twice.
    """

    model = "keycrm.product.import"

    def process_page(self, job):
        """Read one page of the catalog, map or create its products, and report problems.

        :param job: ``keycrm.product.import``, one
        """
        check_company_is_free(self.account)
        query = {"include": "product", "sort": "id"}
        page = self.service(ListPages).read_page("load", "/offers", query, job.page)
        offers = offers_by_id(page.rows)

        def work():
            if job.state != "running":
                return
            self._import(job, list(offers.values()))
            job._record_unread(page.unread)
            # Offers that were deleted since the last page move the rest forward.
            back = page.pages_back(job.total_count)
            job.write(
                {
                    "total_count": page.total,
                    "done_count": job.done_count + len(page.rows),
                    "page": max(1, page.number + 1 - back),
                }
            )
            if page.is_last and not back:
                self._finish(job)

        with company_lock(self.account):
            run_in_transaction(self.env.cr, work)

    def _import(self, job, offers):
        """Map or create the products of offers; archived ones are only mapped.

        :param job: ``keycrm.product.import``, one
        :param offers: list of :class:`~.keycrm.catalog.Offer`
        """
        quiet = self.env["keycrm.order.importer"]._with_import_context(self.account)
        matcher = quiet.env["keycrm.product.matcher"].with_company(self.account.company_id)
        Product = quiet.env["product.product"].with_context(active_test=False)
        newest = Product.search([], order="id desc", limit=1).id or 0
        rows, mapped, created = [], 0, 0
        for archived in (False, True):
            goods = [Goods.of_offer(one) for one in offers if one.is_archived == archived]
            if not goods:
                continue
            found, problems = matcher._match(
                self.account, goods, make=job.make_missing and not archived
            )
            for one in goods:
                product = found.get(one.key)
                is_new = bool(product) and product.id > newest
                created += is_new
                mapped += bool(product) and not is_new
                if not archived:
                    rows += _report_rows(one, product, is_new, problems.get(one.key))
        job._add_rows(rows)
        job.write(
            {
                "mapped_count": job.mapped_count + mapped,
                "created_count": job.created_count + created,
            }
        )

    def _finish(self, job):
        """Report repeated SKUs and missing products, which only the whole catalog shows.

        :param job: ``keycrm.product.import``, one
        """
        seen = [("account_id", "=", self.account.id), ("catalog_at", ">=", job.started_at)]
        # The report stores the names of products.
        translated = self.account.with_context(lang=company_language(self.account.company_id)).env
        repeated = translated["keycrm.offer"]._read_group(
            [*seen, ("sku_key", "!=", False)],
            ["sku_key"],
            ["id:recordset"],
            having=[("__count", ">", 1)],
        )
        rows = [
            {
                "kind": "repeated_sku",
                "keycrm_id": offer.keycrm_id,
                "sku": offer.sku,
                "name": offer.product_id.name,
                "product_id": offer.product_id.id,
            }
            for _key, offers in repeated
            for offer in offers
        ]
        # A mapped offer that KeyCRM could not return is in KeyCRM.
        mapped = seen[:1] if job.unread else seen
        Product = translated["product.product"]
        products = Product.search(
            [
                ("is_storable", "=", True),
                *Product._check_company_domain(self.account.company_id),
                ("keycrm_origin", "!=", "one_off"),
                ("keycrm_offer_ids", "not any", mapped),
            ]
        )
        rows += [
            {
                "kind": "only_here",
                "sku": product.default_code,
                "name": product.name,
                "product_id": product.id,
            }
            for product in products
        ]
        job._add_rows(rows)
        job._end("done")


def _report_rows(goods, product, is_new, problem):
    """Return the rows of the report about one offer.

    :param goods: :class:`~.keycrm.product_data.Goods`
    :param product: ``product.product``, or None
    :param is_new: whether the product was created
    :param problem: the :class:`~.keycrm.errors.ImportProblem` that prevented a match, or None
    """
    row = {
        "keycrm_id": goods.offer_id,
        "sku": goods.sku or False,
        "name": goods.full_name,
        "product_id": product.id if product else False,
    }
    if not goods.sku:
        yield {**row, "kind": "missing_sku"}
    if problem:
        yield {
            **row,
            "kind": "repeated_sku",
            "error_code": problem.code,
            "error_params": problem.params,
        }
    elif is_new:
        yield {**row, "kind": "created"}
    elif not product:
        yield {**row, "kind": "only_there"}
