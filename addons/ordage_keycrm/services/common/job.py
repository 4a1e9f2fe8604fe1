from ...keycrm.errors import NotFound, Refused
from .service import Service
from .transactions import run_in_transaction


class JobService(Service):
    """Process the jobs of a model page by page, in the order in which they were started."""

    #: Model of the jobs; it inherits ``keycrm.job.mixin``.
    model = None

    def process(self):
        """Process one page of a running job.

        A request that KeyCRM refuses for good fails this job only.

        :return: True when there was a running job
        """
        job = self.next_job()
        if not job:
            return False
        try:
            self.process_page(job)
        except (NotFound, Refused) as error:
            refusal = error
            run_in_transaction(self.env.cr, lambda: job._fail(refusal))
        return True

    def next_job(self):
        """Return the job to process: the running one that was started first, or none."""
        running = [("account_id", "=", self.account.id), ("state", "=", "running")]
        return self.env[self.model].sudo().search(running, order="id", limit=1)

    def process_page(self, job):
        """Process one page of a job.

        :param job: one record of the model
        """
        raise NotImplementedError
