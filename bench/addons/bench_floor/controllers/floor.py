import json
from http import HTTPStatus

from odoo import SUPERUSER_ID, http
from odoo.http import request


class BenchFloor(http.Controller):
    """The barest webhook: one row is inserted, an empty scheduled action is woken."""

    @http.route(
        "/bench/floor", type="http", auth="none", methods=["POST"], csrf=False, save_session=False
    )
    def receive(self):
        """:return: 204"""
        env = request.env(user=SUPERUSER_ID, su=True)
        env["bench.floor"].create({"payload": json.loads(request.httprequest.get_data())})
        env.ref("bench_floor.cron_empty")._trigger()
        return request.make_response("", status=HTTPStatus.NO_CONTENT)
