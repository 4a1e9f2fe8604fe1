"""Open a screen with the calls of Odoo's web client, without rendering."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from typing import Any

import requests

from tools.odoo_server import OdooServer

from .measure import Pairs, median, seconds
from .results import Row

#: A screen of the addon may take so many times as long as one of Odoo.
GOAL = 1.5
#: Rows of a first page, and the web client's count limit.
ROWS, COUNTED = 80, 10_001


def row(key: str, what: str, pairs: Pairs, odoo: str, **details: object) -> Row:
    """Return the row of a screen that was opened in turns with one of Odoo.

    :param key: the row's key
    :param what: the operation
    :param pairs: the samples
    :param odoo: Odoo's screen
    :param details: further figures
    :return: the row
    """
    return Row(
        key=key,
        what=what,
        baseline=f"{seconds(median(pairs.baseline))} ({odoo})",
        ours=seconds(median(pairs.ours)),
        ratio=pairs.ratio,
        goal=f"≤ {GOAL} ×",
        reached=pairs.ratio <= GOAL,
        samples=f"{len(pairs.ours)} pairs",
        details={"pair_ratios_middle_half": pairs.spread, **details},
    )


class Screens:
    """A user's browser session.

    :param odoo: the Odoo
    """

    def __init__(self, odoo: OdooServer) -> None:
        self._url = odoo.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._rpc(
            "/web/session/authenticate",
            {"db": odoo.database, "login": "admin", "password": "admin"},
        )
        self._prefetched: dict[str, dict[str, Any]] = {}

    def open(self, action: str) -> float:
        """Open a window action: read the records that its first view shows.

        The web client caches views, so they are requested once and not timed.

        :param action: its external id
        :return: seconds
        """
        if action not in self._prefetched:
            self._prefetched[action] = self._prefetch(action)
        call = self._prefetched[action]
        begun = time.monotonic()
        self._call(call["model"], "web_search_read", call["options"])
        if call["record"]:
            self._call(
                call["model"],
                "web_read",
                {"specification": call["form"]},
                [[call["record"]]],
            )
        if call["has_overview"]:
            self.read("get_overview")
        return time.monotonic() - begun

    def read(self, method: str) -> None:
        """Read a part of the overview.

        :param method: of ``keycrm.account``
        """
        self._call("keycrm.account", method, {}, [[]])

    def search(self, model: str, domain: list[Any]) -> tuple[dict[str, Any], float]:
        """Filter a list, and read the names of a page.

        :param model: of the list
        :param domain: the filter
        :return: the answer, seconds
        """
        begun = time.monotonic()
        options = {
            "domain": domain,
            "specification": {"display_name": {}},
            "limit": ROWS,
            "count_limit": COUNTED,
        }
        return self._call(model, "web_search_read", options), time.monotonic() - begun

    def _prefetch(self, action: str) -> dict[str, Any]:
        found = self._rpc("/web/action/load", {"action_id": action})
        model, kind = found["res_model"], found["views"][0][1]
        views = self._call(
            model, "get_views", {"views": [[found["views"][0][0], kind], [False, "form"]]}
        )
        context = {"lang": "en_US", "uid": 2, "allowed_company_ids": [1]}
        domain = found.get("domain") or "[]"
        if isinstance(domain, str):
            domain = eval(domain, {"uid": 2, "context": context})
        form = self._specification(views, model, "form") if kind == "form" else {}
        record = 0
        if form and model == "keycrm.account":
            record = self._call(model, "search", {"limit": 1}, [[]])[0]
        return {
            "model": model,
            "record": record,
            "form": form,
            "has_overview": 'js_class="keycrm_overview"' in views["views"][kind]["arch"],
            "options": {
                "domain": domain,
                "specification": self._specification(views, model, kind),
                "limit": ROWS,
                "count_limit": COUNTED,
                "context": {**context, "bin_size": True},
            },
        }

    @staticmethod
    def _specification(views: dict[str, Any], model: str, kind: str) -> dict[str, Any]:
        """Return the web client's specification of a view: fields, names of relations."""
        types = views["models"][model]["fields"]
        specification: dict[str, Any] = {}

        def walk(node: ET.Element) -> None:
            for child in node:
                if child.tag == "field":
                    name = str(child.get("name"))
                    if types[name]["type"] == "many2one":
                        specification[name] = {"fields": {"display_name": {}}}
                    else:
                        specification[name] = {}
                else:
                    walk(child)

        walk(ET.fromstring(views["views"][kind]["arch"]))
        return specification

    def _call(
        self, model: str, method: str, options: dict[str, Any], arguments: list[Any] | None = None
    ) -> Any:
        return self._rpc(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": arguments or [], "kwargs": options},
        )

    def _rpc(self, path: str, parameters: dict[str, Any]) -> Any:
        answer = self._session.post(
            f"{self._url}{path}",
            json={"jsonrpc": "2.0", "method": "call", "params": parameters},
            timeout=120,
        ).json()
        if "error" in answer:
            raise AssertionError(answer["error"]["data"]["message"])
        return answer["result"]
