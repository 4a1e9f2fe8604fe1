"""Mark the bridge's own writes, so that model guards can recognize them.

The marks are in the context, because Odoo's own methods lie between a write and the guards of other
models. They are objects: a context received over RPC holds JSON and can never contain them.
"""

_KEY = "keycrm_marks"


class _Mark:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<KeyCRM {self.name}>"


_BRIDGE = _Mark("bridge")
_UNIT = _Mark("unit")
_STOCK_WORKER = _Mark("stock worker")


def _marked(records, mark):
    marks = _marks(records.env)
    return records if mark in marks else records.with_context(**{_KEY: (*marks, mark)})


def _marks(env):
    marks = env.context.get(_KEY)
    return marks if isinstance(marks, tuple) else ()


def as_bridge(records):
    """Return records on which writes count as the bridge's own.

    :param records: recordset
    :return: the records in superuser mode, marked
    """
    return _marked(records.sudo(), _BRIDGE)


def is_bridge(env):
    """Check whether the bridge is writing rather than a user.

    :param env: Odoo's environment
    :return: whether the environment is in superuser mode and marked
    """
    return env.su and _BRIDGE in _marks(env)


def changing_unit(records):
    """Mark records of a product whose unit of measure is being changed.

    :param records: recordset
    :return: the records, marked
    """
    return _marked(records, _UNIT)


def is_changing_unit(env):
    """Check whether a product's unit is being changed, with that of its order lines.

    :param env: Odoo's environment
    """
    return _UNIT in _marks(env)


def as_stock_worker(records):
    """Return records on which writes count as those of the stock queue.

    The stock queue sends the result itself.

    :param records: recordset
    :return: the records in superuser mode, marked
    """
    return _marked(records.sudo(), _STOCK_WORKER)


def is_stock_worker(env):
    """Check whether the stock queue is writing.

    :param env: Odoo's environment
    """
    return env.su and _STOCK_WORKER in _marks(env)
