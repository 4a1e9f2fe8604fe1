import json
from http import HTTPStatus

from odoo import SUPERUSER_ID, http
from odoo.http import request


class BenchBaseline(http.Controller):
    """The minimal webhook: insert one row and trigger an empty scheduled action."""

    @http.route(
        "/bench/baseline",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
    )
    def receive(self):
        """Insert the payload, trigger the action and answer 204."""
        env = request.env(user=SUPERUSER_ID, su=True)
        env["bench.baseline"].create({"payload": json.loads(request.httprequest.get_data())})
        env.ref("bench_baseline.cron_empty")._trigger()
        return request.make_response("", status=HTTPStatus.NO_CONTENT)
