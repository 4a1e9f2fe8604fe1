"""Keep the automation rules that users create in Odoo from failing the bridge's writes.

The addon does not depend on ``base_automation``, so its methods are wrapped where it is installed.
"""

import functools
import logging

from psycopg2 import Error as DatabaseError

from . import activities
from .bridge import is_bridge
from .concurrency import ERRORS_OF_NO_RECORD

_logger = logging.getLogger(__name__)


def tolerate_failures(registry):
    """Wrap the methods that run rules, so that a failing one is reported and has no effect.

    Only for the bridge's own writes: a rule may refuse what a user does.

    :param registry: registry of the database
    """
    cls = registry.get("base.automation")
    if cls is None or hasattr(cls._process, "keycrm_origin"):
        return
    _wrap(cls, "_process", _tolerate_action)
    # A condition that cannot be evaluated is not met.
    _wrap(cls, "_filter_pre", _tolerate_condition, lambda records: records.browse())
    _wrap(
        cls,
        "_filter_post_export_domain",
        _tolerate_condition,
        lambda records: (records.browse(), None),
    )


def _wrap(cls, name, tolerate, *options):
    method = getattr(cls, name)

    @functools.wraps(method)
    def wrapper(self, records, *args, **kwargs):
        def run():
            return method(self, records, *args, **kwargs)

        return tolerate(run, self, records, *options) if is_bridge(self.env) else run()

    wrapper.keycrm_origin = method
    setattr(cls, name, wrapper)


def _tolerate_action(run, rule, records):
    if not records:
        return
    # Flush the import's own pending writes first: their errors are not caused by the rule.
    rule.env.cr.flush()
    try:
        with rule.env.cr.savepoint():
            run()
    except ERRORS_OF_NO_RECORD:
        raise
    except Exception as error:
        _report(rule, records, error)


def _tolerate_condition(run, rule, records, unmet):
    # Without a savepoint: flushing would compute fields that Odoo is about to change.
    try:
        return run()
    except DatabaseError:
        raise
    except Exception as error:
        _logger.warning(
            "KeyCRM: the condition of “%s” fails: %r", rule.sudo().name, error, exc_info=True
        )
        return unmet(records)


def _report(rule, records, error):
    """Schedule an activity on the records, or on the orders to which they belong."""
    name = rule.sudo().name
    _logger.warning("KeyCRM: automation rule “%s” fails on %s", name, records, exc_info=True)
    # The activity must not run the rule again.
    done = {**records.env.context.get("__action_done", {}), rule: records}
    records = records.with_context(__action_done=done)
    if "activity_ids" not in records._fields:
        order = records._fields.get("order_id")
        if not order or order.comodel_name != "sale.order":
            return
        records = records.order_id
    code, summary = f"rule:{rule.id}", rule.env._("The automation rule “%s” failed", name)
    reason = _reason(error)
    rows = [rule.env._("KeyCRM's changes were saved without running the rule. Reason: %s", reason)]
    account = rule.env["keycrm.account"].sudo()
    account = account.search([("company_id", "=", rule.env.company.id)], limit=1)
    for record in records:
        if record._name == "sale.order":
            record._keycrm_schedule_activity(code, summary, rows, lasting=True)
        else:
            activities.schedule(account, record, code, summary, rows)


def _reason(error):
    return " ".join(str(error.args[0] if error.args else error).split())[:500]
