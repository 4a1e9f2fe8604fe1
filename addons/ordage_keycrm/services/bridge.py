"""Mark the bridge's own writes, so that model guards can recognize them."""


class _Marker:
    """Provide a marker object that no client can forge.

    A context received over RPC holds JSON and can never contain this object.
    """

    def __repr__(self):
        return "<KeyCRM bridge>"


_BRIDGE = _Marker()
_UNIT = _Marker()


def as_bridge(records):
    """Return records on which writes count as the bridge's own.

    :param records: recordset
    :return: the records in superuser mode, with the marker in their context
    """
    return records.sudo().with_context(keycrm_bridge=_BRIDGE)


def is_bridge(env):
    """Check whether the bridge is writing rather than a user.

    :param env: Odoo's environment
    :return: whether the environment is in superuser mode and holds the marker
    """
    return env.su and env.context.get("keycrm_bridge") is _BRIDGE


def changing_unit(records):
    """Mark records of a product whose unit of measure is being changed.

    :param records: recordset
    :return: the records, with the marker in their context
    """
    return records.with_context(keycrm_unit=_UNIT)


def is_changing_unit(env):
    """Check whether a product's unit is being changed, with that of its order lines.

    :param env: Odoo's environment
    """
    return env.context.get("keycrm_unit") is _UNIT
