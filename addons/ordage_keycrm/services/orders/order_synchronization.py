from odoo import fields

from ...const import EVENT_SYNC
from ...keycrm import rate_limit_rules
from ...keycrm.parsing import utc_text
from ..common.api_gateway import open_client
from ..common.job import JobService
from ..common.list_pages import ListPages
from ..common.transactions import check_company_is_free, run_in_transaction
from .order_import import ImportOptions, ImportResult
from .order_inbox import order_query, parse_order
from .order_pages import OrderPages

#: Maximum number of passes over a list that returns fewer rows than it counts.
MAX_PASSES = 3


class OrderSynchronization(JobService):
    """Process "Synchronize orders": the orders of selected statuses, page by page.

    The cursor is committed with the counts of its page, so a restart repeats at most one page, which
    changes nothing that is imported already.
    """

    model = "keycrm.order.sync"

    def process_page(self, job):
        """Read one page and write its orders.

        :param job: ``keycrm.order.sync``, one
        """
        number, total_before = job.page, job.total_count
        check_company_is_free(self.account)
        page = self.service(ListPages).read_page(
            "sync", "/order", self._query(job), number, is_flat=True
        )
        imported = self._imported_before(job, page)
        read = {
            order_id: parse_order(row)
            for order_id, row in page.numbered.items()
            if order_id not in imported and not page.is_flat
        }
        # Without its includes an order is read by the inbox, which reports its result.
        listed = page.numbered if page.is_flat else ()
        unread = [one for one in listed if one not in imported]
        # The number of a row that the page lacks may be the only one between two others.
        unknown = [rows for rows in page.unread if not rows.numbers(rows.count)]
        unread += [number for rows in page.unread for number in rows.numbers(rows.count)]
        processed = {}

        def record(results):
            processed.update(results)
            self.env["keycrm.event"]._enqueue_failed(self.account, EVENT_SYNC, results, job)

        options = ImportOptions(
            shipped_status_ids=tuple(job.shipped_status_ids.ids),
            shipped_if_written_off=job.shipped_if_written_off,
        )
        with open_client(self.account, rate_limit_rules.LIVE) as live_client:
            self.service(OrderPages).write_page(read, live_client, record, options)

        def turn_page():
            # Counted with the cursor: a page that is repeated after a restart is counted once.
            if job.state == "running":
                self.env["keycrm.event"]._enqueue(self.account, EVENT_SYNC, unread, job)
                processed.update((one, ImportResult(skipped=True)) for one in unread)
                job._record_unread(unknown)
                job.write(
                    {**_counts(job, processed.values()), **_cursor_vals(job, page, total_before)}
                )
                if not job.page:
                    job._end("done")

        run_in_transaction(self.env.cr, turn_page)

    def _query(self, job):
        query = {
            **order_query(self.account),
            "filter[status_id]": ",".join(str(status.keycrm_id) for status in job.status_ids),
            "sort": "id",
        }
        if job.date_from or job.date_to:
            first = job.date_from or fields.Datetime.to_datetime("2000-01-01")
            last = job.date_to or fields.Datetime.now()
            query["filter[created_between]"] = f"{utc_text(first)},{utc_text(last)}"
        return query

    def _imported_before(self, job, page):
        """Return the orders that a second pass skips.

        It imports what the first one missed.

        :return: set of KeyCRM's numbers
        """
        if job.pass_number == 1:
            return set()
        orders = self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", self.account.id),
                ("keycrm_id", "in", list(page.numbered)),
            ]
        )
        return set(orders.mapped("keycrm_id"))


def _cursor_vals(job, page, total_before):
    """Return where the job continues.

    Orders that left the selected statuses since the last page move the rest forward, across the
    beginning of this page too: the job steps back by as many pages as may have moved, so that none is
    missed. Where as many were added as left, the total does not show it: at the end, fewer different
    rows than KeyCRM counts cause one more pass.
    """
    back = page.pages_back(total_before)
    numbers = [number for number in page.numbered if number > job.last_seen]
    vals = {
        "total_count": page.total,
        "page": max(1, page.number - back) if back else page.number + 1,
        "seen_count": job.seen_count + len(numbers) + sum(rows.count for rows in page.unread),
        "last_seen": max([job.last_seen, *numbers]),
    }
    is_last = page.is_last and not back
    if is_last and vals["seen_count"] < page.total and job.pass_number < MAX_PASSES:
        vals.update(page=1, pass_number=job.pass_number + 1, seen_count=0, last_seen=0)
    elif is_last:
        vals["page"] = 0
    return vals


def _counts(job, results):
    created = sum(result.created for result in results)
    failed = sum(result.is_failure for result in results)
    imported = sum(bool(result.order_id) for result in results if not result.is_failure)
    return {
        "done_count": job.done_count + len(results),
        "created_count": job.created_count + created,
        "updated_count": job.updated_count + imported - created,
        "failed_count": job.failed_count + failed,
    }
