from ..common.job import JobService
from ..common.transactions import run_in_transaction
from ..orders.payment_sending import PaymentSending
from ..orders.tracking import TrackingSending
from .offer_sending import CostSending, PriceSending

#: What reads, compares and sends each kind.
SERVICES = {
    "tracking": TrackingSending,
    "cost": CostSending,
    "price": PriceSending,
    "payment": PaymentSending,
}
#: Differences that a preview lists; the counts are of all of them.
EXAMPLES = 500


class SendPreview(JobService):
    """Read KeyCRM for the previews of what is sent, and compare."""

    model = "keycrm.send.preview"

    def process(self):
        """Process one page of a running preview; without a query where nothing is held back.

        :return: True when there was a running preview
        """
        return bool(self.account.sudo().held_sending) and super().process()

    def process_page(self, preview):
        """Read one page of KeyCRM; after the last one compare.

        :param preview: ``keycrm.send.preview``, one
        """
        service = self.part(SERVICES[preview.kind])
        page = service.read_page(preview.page)

        def record():
            if not preview._is_still_running():
                return
            service.record_page(page)
            if page.is_last:
                self._compare(preview, service)
            else:
                preview.write(
                    {
                        "page": page.number + 1,
                        "total_count": page.total,
                        "done_count": preview.done_count + len(page.rows),
                    }
                )

        run_in_transaction(self.env.cr, record)

    def _compare(self, preview, service):
        """List what differs, problems first, and wait for the choice.

        :param preview: ``keycrm.send.preview``, one
        :param service: of :data:`SERVICES`
        """
        counts, lines = {"change": 0, "same": 0, "problem": 0}, []
        for row in service.differences():
            counts[row["outcome"]] += 1
            if row["outcome"] != "same":
                lines.append({"preview_id": preview.id, **row})
        lines.sort(key=lambda row: row["outcome"] != "problem")
        self.env["keycrm.send.preview.line"].create(lines[:EXAMPLES])
        preview._end("ready", **{f"{name}_count": count for name, count in counts.items()})
