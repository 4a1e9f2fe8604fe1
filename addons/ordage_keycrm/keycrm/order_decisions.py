"""Decide which orders wait for a decision of a user, and why."""

from dataclasses import dataclass

#: Reasons by priority: an order has one reason at a time.
REASONS = ("conflict", "unreadable", "deleted", "problem", "total_differs", "payments_differ")
#: Reasons that a user may accept.
ACCEPTABLE = ("deleted", "total_differs", "payments_differ")


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """Hold the facts of an order that decide whether it waits for a user.

    :param has_conflict: canceled in Odoo, but not in KeyCRM
    :param is_unreadable: KeyCRM's answer changed nothing
    :param is_canceled: canceled in Odoo
    :param is_unconfirmed: a quotation that KeyCRM's status would confirm
    :param problem: code of the problem that prevents the confirmation, or the shipment of added goods
    :param is_deleted: KeyCRM does not have it anymore
    :param is_archived: in the order archive
    :param total_differs: the totals differ by more than half a cent
    :param payments_differ: the payments do not add up to KeyCRM's sum
    :param amounts: what a user accepts: (KeyCRM's total, Odoo's total, KeyCRM's payments)
    :param accepted: keys of the reasons that a user accepted
    """

    has_conflict: bool = False
    is_unreadable: bool = False
    is_canceled: bool = False
    is_unconfirmed: bool = False
    problem: str = ""
    is_deleted: bool = False
    is_archived: bool = False
    total_differs: bool = False
    payments_differ: bool = False
    amounts: tuple[float, float, float] = (0.0, 0.0, 0.0)
    accepted: tuple[str, ...] = ()

    def key(self, reason):
        """Return the key of an accepted reason. It has the amounts: other amounts are a new reason.

        :param reason: one of :data:`ACCEPTABLE`
        """
        in_keycrm, in_odoo, paid = self.amounts
        if reason == "total_differs":
            return f"{reason}:{in_keycrm:.2f}:{in_odoo:.2f}"
        if reason == "payments_differ":
            return f"{reason}:{paid:.2f}"
        return reason

    def reason(self):
        """Return why the order waits for a user.

        :return: one of :data:`REASONS`; empty when it does not
        """
        found = {
            "conflict": self.has_conflict,
            "unreadable": self.is_unreadable,
            "deleted": self.is_deleted and not self.is_canceled and not self.is_archived,
            "problem": bool(self.problem),
            "total_differs": self.total_differs
            and not self.is_canceled
            and (self.is_unconfirmed or not self.is_archived),
            "payments_differ": self.payments_differ and not self.is_canceled,
        }
        for reason in REASONS:
            if found[reason] and not (
                self.may_accept(reason) and self.key(reason) in self.accepted
            ):
                return reason
        return ""

    def may_accept(self, reason):
        """Return whether a user may accept it: an unconfirmed order needs another decision.

        :param reason: one of :data:`REASONS`
        """
        return reason in ACCEPTABLE and not (reason == "total_differs" and self.is_unconfirmed)
