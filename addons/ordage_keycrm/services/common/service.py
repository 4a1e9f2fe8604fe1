import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Hold how a worker processes its queue.

    :param single_item: process one record at a time, because the process was killed in the last run
    :param deadline: ``time.monotonic()`` after which no new work starts; None for no deadline
    """

    single_item: bool = False
    deadline: float | None = None

    def is_time_up(self):
        """Return whether the deadline has passed; checked between two requests.

        Otherwise a slow KeyCRM would block a scheduler thread for as long as there is work.
        """
        return self.deadline is not None and time.monotonic() > self.deadline


class Service:
    """Part of a worker of an account: a plain class with explicit arguments.

    A service has no state of its own between two calls. Records, constraints and buttons are in
    ``models/``; services do the work. Models that other addons extend stay models.

    :param account: one ``keycrm.account``, with the environment in which the service works
    :param client: :class:`~.keycrm.client.KeyCrmClient`; None where the service sends no request
    :param options: :class:`Options`
    """

    def __init__(self, account, client=None, options=None):
        self.account = account
        self.client = client
        self.options = options or Options()

    @property
    def env(self):
        """Return the environment of the account."""
        return self.account.env

    def cursor(self, name):
        """Return how far a list of KeyCRM was read.

        :param name: a list of ``keycrm.sync.cursor``
        :return: ``keycrm.sync.cursor``, one
        """
        return self.env["keycrm.sync.cursor"]._position(self.account, name)

    def service(self, service_class):
        """Return another service with the same account, client and options.

        :param service_class: subclass of :class:`Service`
        """
        return service_class(self.account, self.client, self.options)
