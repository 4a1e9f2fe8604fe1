from collections import Counter

from ..common.job import JobService
from ..common.language import company_language
from ..common.transactions import run_in_transaction
from .kinds import KINDS

#: Differences of each outcome that a preview lists; the counts are of all of them.
EXAMPLES = 500
#: Records that are compared at once: live orders are processed in between.
COMPARED = 500


class PreviewJob(JobService):
    """Read KeyCRM's data and compare it, for the previews of what is sent."""

    model = "keycrm.send.preview"

    def process(self):
        """Process one page of a running preview; no query is needed where no preview is due.

        :return: True when there was a running preview
        """
        return bool(self.account.sudo().kinds_to_preview) and super().process()

    def process_page(self, preview):
        """Read one page of KeyCRM, or compare some records after the last one.

        :param preview: ``keycrm.send.preview``, one
        """
        kind = self.service(KINDS[preview.kind])
        page = preview.page and kind.read_page(preview.page)

        def record():
            if not preview._is_still_running():
                return
            if not page:
                self._compare(preview, kind)
                return
            kind.record_page(page)
            preview._record_unread(page.unread)
            vals = {"page": 0 if page.is_last else page.number + 1}
            if not page.is_last:
                vals.update(total_count=page.total, done_count=preview.done_count + len(page.rows))
            preview.write(vals)

        run_in_transaction(self.env.cr, record)

    def _compare(self, preview, kind):
        """List the differences of some records; after the last ones, wait for the user's choice.

        :param preview: ``keycrm.send.preview``, one
        :param kind: :class:`~.kind.PreviewedKind`
        """
        records = kind.records([("id", ">", preview.compared_id)], limit=COMPARED)
        if not records:
            preview._end("ready")
            return
        counts, lines = Counter(), []
        lang = preview.user_id.lang or company_language(self.account.company_id)
        for row in kind.differences(records, lang):
            outcome = row["outcome"]
            counts[outcome] += 1
            if outcome != "same" and preview[f"{outcome}_count"] + counts[outcome] <= EXAMPLES:
                lines.append({"preview_id": preview.id, **row})
        self.env["keycrm.send.preview.line"].create(lines)
        preview.write(
            {
                "compared_id": records[-1].id,
                **{
                    f"{outcome}_count": preview[f"{outcome}_count"] + count
                    for outcome, count in counts.items()
                },
            }
        )
