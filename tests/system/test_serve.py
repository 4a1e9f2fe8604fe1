"""``make serve`` has an administrator in English and one in Ukrainian."""

from __future__ import annotations

from tools import serve


def test_serve_creates_an_english_and_a_ukrainian_administrator(odoo, rpc):
    serve.add_languages(rpc)
    for login, lang, label in (
        ("admin", "en_US", "Gift message"),
        (serve.UKRAINIAN, "uk_UA", "Вітальне повідомлення"),
    ):
        user = odoo.rpc(login, login)
        context = user.call("res.users", "context_get")
        assert context["lang"] == lang
        field = "keycrm_gift_message"
        labels = user.call("sale.order", "fields_get", [field], ["string"], context=context)
        assert labels[field]["string"] == label
        assert user.rows("keycrm.account", fields=["name"]) == []
