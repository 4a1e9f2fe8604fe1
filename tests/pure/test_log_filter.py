"""Secrets are removed from the log lines of Odoo's web servers and RPC calls."""

import importlib.util
import logging
from pathlib import Path

import pytest

_FILE = Path(__file__).resolve().parents[2] / "addons/ordage_keycrm/controllers/log_filter.py"
_spec = importlib.util.spec_from_file_location("keycrm_log_filter", _FILE)
log_filter = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(log_filter)

TOKEN = "q7-Zr_secret0123456789"


@pytest.mark.parametrize(
    "path",
    [
        f"/keycrm/webhook/{TOKEN}",
        f"/keycrm/webhook/{TOKEN}?x=1",
        f"//keycrm//webhook/{TOKEN}",
        f"/keycrm%2Fwebhook%2f{TOKEN}",
        f"/uk/keycrm/webhook/{TOKEN}/more",
        f"http://shop.example/keycrm/webhook/{TOKEN}",
        f"/keycrm/./webhook/{TOKEN}",
        f"/./keycrm/././webhook/./{TOKEN}",
        f"/keycrm/x/../webhook/{TOKEN}",
        f"/keycrm%2F%2e%2Fwebhook/{TOKEN}",
        f"/uk_UA/keycrm//webhook//{TOKEN}",
        f"/keycrm\\webhook\\{TOKEN}",
        f"/keycrm\\\\webhook\\\\{TOKEN}",
        f"/keycrm\\x5cwebhook/{TOKEN}",
        f"/keycrm%5Cwebhook%5c{TOKEN}",
        f"/keycrm%255Cwebhook%252F{TOKEN}",
        f"/KeyCRM/Webhook/{TOKEN}",
        f"/keycrm/webhook;a=1/{TOKEN}",
        f"/keycrm;x/webhook/;/{TOKEN}",
        f"/%6beycrm/%77ebhook/{TOKEN}",
    ],
)
def test_token_is_masked_and_the_rest_is_kept(path):
    line = f'"POST {path} HTTP/1.1" 204 -'
    masked = log_filter.masked_token(line)
    assert TOKEN not in masked
    assert masked.startswith('"POST ') and masked.endswith(' HTTP/1.1" 204 -')


@pytest.mark.parametrize(
    "call",
    [
        """call keycrm.account().create([{'name': 'Shop', 'api_key': 'THE-KEY', 'enabled': True}])""",
        """call keycrm.account(3,).write({"api_key": "THE-KEY"})""",
        """call keycrm.account(3,).write({'api_key': "it's THE-KEY", 'name': 'a'})""",
        r"""call keycrm.account(3,).web_save({'api_key': 'a\'b"THE-KEY'}, {'api_key': {}})""",
        """call res.config.settings().create({'keycrm_api_key': 'THE-KEY', 'x': 1})""",
        """call keycrm.account().load(['name', 'api_key'], [['Shop', 'THE-KEY']])""",
    ],
)
def test_a_key_being_saved_is_masked(call):
    masked = log_filter.masked_key(call)
    assert "THE-KEY" not in masked
    assert masked.startswith(call[: call.index("(")])


def test_call_without_a_key_is_not_changed():
    for call in ("call res.partner(1,).write({'name': 'x'})", "call x().read(['api_key'])"):
        assert log_filter.masked_key(call) == call


def test_other_lines_are_not_changed(caplog):
    log_filter.install()
    log_filter.install()
    with caplog.at_level(logging.INFO, "werkzeug"):
        logging.getLogger("werkzeug").info('%s "GET %s" %s', "1.2.3.4", "/web/login?a=100%25", 200)
        logging.getLogger("werkzeug").info('"POST /keycrm/webhook/%s"', TOKEN)
    assert caplog.messages == [
        '1.2.3.4 "GET /web/login?a=100%25" 200',
        '"POST /keycrm/webhook/***"',
    ]
    for name in log_filter.ACCESS_LOGGERS:
        assert len(logging.getLogger(name).filters) == 1


def test_similar_words_are_kept():
    for line in (
        "File addons/ordage_keycrm/controllers/webhook.py, line 3, 100%",
        '"GET /web/webhook/x%2Fy HTTP/1.1" 404',
        '"GET /odoo/action-12?debug=%5B1%5D HTTP/1.1" 200',
    ):
        assert log_filter.masked_token(line) == line
