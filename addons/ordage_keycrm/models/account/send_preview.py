from odoo import api, fields, models
from odoo.exceptions import UserError

from ...services.common.circuit_breaker import end_backoff
from ...services.sending.kind import PreviewedKind
from ...services.sending.kinds import KINDS, selection_of


class KeycrmSendPreview(models.Model):
    """Preview what sending one kind of data would change in KeyCRM (dry run).

    A user who turns on a kind gets a preview: until the user decides, nothing of that kind is sent, and
    changes wait. If a program turns it on, sending begins at once.
    """

    _name = "keycrm.send.preview"
    _description = "Preview of data sent to KeyCRM"
    _inherit = ["keycrm.job.mixin"]

    _pieces = ("send_preview", "orders")

    # === FIELDS ===#

    kind = fields.Selection(
        selection_of(PreviewedKind), string="Data", required=True, readonly=True
    )
    # 0 when all pages are read
    page = fields.Integer(default=1, readonly=True, copy=False)
    compared_id = fields.Integer(string="Last compared record", readonly=True, copy=False)
    change_count = fields.Integer(string="Will change", readonly=True)
    same_count = fields.Integer(string="Unchanged", readonly=True)
    problem_count = fields.Integer(string="Not sent", readonly=True)
    line_ids = fields.One2many("keycrm.send.preview.line", "preview_id", string="Examples")

    # For the workers' query for running previews.
    _running_index = models.Index("(account_id) WHERE state = 'running'")

    # === ACTION METHODS ===#

    def action_send(self):
        """Send what differs, and from now on every change.

        :return: True
        :raise UserError: when there is nothing to choose
        """
        self._check_ready()
        account = self.account_id
        self.sudo().write({"state": "done"})
        self._release(account, self.kind)
        KINDS[self.kind](account).enqueue_all()
        end_backoff(account)
        return True

    def action_not_now(self):
        """Send nothing, and switch the kind off.

        :return: True
        :raise UserError: when there is nothing to choose
        """
        self._check_ready(("ready", "failed"))
        self.sudo().write({"state": "canceled"})
        self.account_id.sudo()[KINDS[self.kind].switch] = False
        return True

    def action_cancel(self):
        """Stop reading, and switch the kind off: without a preview nothing is sent."""
        result = super().action_cancel()
        for preview in self.filtered(lambda preview: preview.state == "canceled"):
            preview.account_id.sudo()[KINDS[preview.kind].switch] = False
        return result

    # === BUSINESS METHODS ===#

    @api.model
    def _states(self):
        states = dict(super()._states())
        ready = self.env._("Needs your decision")
        return [
            *((name, states[name]) for name in ("draft", "running")),
            ("ready", ready),
            *((name, states[name]) for name in ("done", "failed", "canceled")),
        ]

    @api.model
    def _switched_off(self, ended):
        """End the sending of kinds of data.

        :param ended: ``{kind: accounts}`` that were switched off: earlier changes are not sent later
        """
        for kind, accounts in ended.items():
            for account in accounts:
                self._release(account, kind)
                self.sudo().search(
                    [
                        ("account_id", "=", account.id),
                        ("kind", "=", kind),
                        ("state", "in", ("draft", "running", "ready", "failed")),
                    ]
                ).write({"state": "canceled"})
                waiting = [("account_id", "=", account.id), ("kind", "=", kind)]
                self.env["keycrm.offer.change"].sudo().search(waiting).unlink()
                self.env["keycrm.order.update"].sudo().search(
                    [*waiting, ("state", "=", "pending")]
                ).unlink()

    @api.model
    def _start_all(self, account, kinds):
        """Start the previews of what a user switched on.

        :param account: ``keycrm.account``, one
        :param kinds: kinds of data
        """
        for kind in kinds:
            self._start(account, kind)

    @api.model
    def _start(self, account, kind):
        """Start a preview and hold back its kind.

        :param account: ``keycrm.account``, one
        :param kind: name of a :class:`~.kind.PreviewedKind`
        :return: the preview
        """
        account = account.sudo()
        account.kinds_to_preview = ",".join(sorted(account._kinds_to_preview() | {kind}))
        preview = self.sudo().create({"account_id": account.id, "kind": kind})
        preview.write({**preview._start_vals(), "user_id": self.env.uid})
        preview._begin()
        return preview

    @api.model
    def _release(self, account, kind):
        account = account.sudo()
        waiting = account._kinds_to_preview()
        if kind in waiting:
            account.kinds_to_preview = ",".join(sorted(waiting - {kind})) or False

    def _check_ready(self, states=("ready",)):
        self.ensure_one()
        self.account_id._check_manager()
        if self.state not in states:
            raise UserError(
                self.env._("There is nothing to choose, or the choice was already made.")
            )

    def _start_vals(self):
        return {
            **super()._start_vals(),
            "page": 1,
            "compared_id": 0,
            "change_count": 0,
            "same_count": 0,
            "problem_count": 0,
        }

    def _begin(self):
        self.line_ids.unlink()
        return super()._begin()

    def _title(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        return self.env._("Preview: %s", kinds[self.kind])

    def _summary(self):
        return self.env._(
            "%(count)s would change in KeyCRM. Review the list, then choose.",
            count=self.change_count,
        )


class KeycrmSendPreviewLine(models.Model):
    _name = "keycrm.send.preview.line"
    _inherit = "keycrm.error.mixin"
    _description = "Difference in a preview of data sent to KeyCRM"
    # Problems first.
    _order = "outcome desc, id"

    preview_id = fields.Many2one(
        "keycrm.send.preview", required=True, readonly=True, ondelete="cascade", index=True
    )
    sale_order_id = fields.Many2one("sale.order", string="Order", readonly=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", readonly=True, ondelete="cascade")
    outcome = fields.Selection(
        [("change", "Will change"), ("problem", "Not sent")], required=True, readonly=True
    )
    keycrm_value = fields.Char(string="In KeyCRM", readonly=True)
    odoo_value = fields.Char(string="In Odoo", readonly=True)
    error = fields.Char(string="Reason")
