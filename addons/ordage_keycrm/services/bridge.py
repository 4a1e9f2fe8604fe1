"""How the bridge identifies itself to the guards of models."""


class _Marker:
    """One object of this process: a context that comes over RPC holds JSON and can never hold it."""

    def __repr__(self):
        return "<KeyCRM bridge>"


_BRIDGE = _Marker()
_UNIT = _Marker()


def as_bridge(records):
    """:return: the records in superuser mode, marked as written by the bridge"""
    return records.sudo().with_context(keycrm_bridge=_BRIDGE)


def is_bridge(env):
    """:return: whether the bridge writes, and not a person"""
    return env.su and env.context.get("keycrm_bridge") is _BRIDGE


def changing_unit(records):
    """:return: the records, marked as those of a product whose unit of measure is being changed"""
    return records.with_context(keycrm_unit=_UNIT)


def is_changing_unit(env):
    """:return: whether the unit of a product is being changed, and with it that of its order lines"""
    return env.context.get("keycrm_unit") is _UNIT
