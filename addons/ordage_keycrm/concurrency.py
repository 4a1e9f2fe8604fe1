"""What another transaction being faster looks like."""

from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: The work is done again in a new transaction, which sees what the other one made. Odoo does so for
#: requests, ``keycrm.account._committed`` for scheduled actions.
OTHER_WAS_FASTER = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)
