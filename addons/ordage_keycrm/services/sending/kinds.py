"""All kinds of data that Odoo sends to KeyCRM other than stock."""

from .offers import CostKind, PriceKind
from .payments import PaymentKind
from .status import StatusKind
from .tracking import TrackingKind

#: By their names, in the order of selections.
KINDS = {kind.name: kind for kind in (StatusKind, TrackingKind, CostKind, PriceKind, PaymentKind)}


def kinds_of(base):
    """Return kinds by their names.

    :param base: :class:`~.kind.PreviewedKind`, :class:`~.kind.OrderKind` or :class:`~.offers.OfferKind`
    """
    return {name: kind for name, kind in KINDS.items() if issubclass(kind, base)}


def selection_of(base):
    """Return the values of a field ``kind``.

    :param base: as of :func:`kinds_of`
    """
    return [(name, kind.label) for name, kind in kinds_of(base).items()]
