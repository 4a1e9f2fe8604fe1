"""Decide from a parcel's status where the parcel, and the money of its order, is."""

#: Statuses of goods that come back: the buyer does not keep them.
COMING_BACK = ("refused", "return", "returned")
_NOT_SHIPPED = ("", "invoice")
_NOTHING_TO_COLLECT = (*COMING_BACK, "disposal")
_ARRIVED = ("delivered", "cash_on_delivery", "cash_received")


def place_of_money(shipping_status):
    """Return the place of an order's amount to collect.

    :param shipping_status: status of its parcel in KeyCRM; empty when there is none
    :return: ``to_ship``, ``on_the_way``, ``arrived``, or empty where nothing is collected
    """
    status = shipping_status or ""
    if status in _NOTHING_TO_COLLECT:
        return ""
    if status in _NOT_SHIPPED:
        return "to_ship"
    return "arrived" if status in _ARRIVED else "on_the_way"


def statuses_of_place(place, statuses):
    """Return the statuses of parcels at a place; False stands for no status.

    :param place: one of :func:`place_of_money`
    :param statuses: all statuses of parcels
    """
    return [status for status in (False, *statuses) if place_of_money(status) == place]
