"""Two people, or a double click, at the same button at the same time: nobody is told of the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tools import shop

PEOPLE = 4


def at_once(odoo, work):
    """Let each person do the same at the same time; whatever Odoo raises is raised here."""
    people = [odoo.rpc() for _ in range(PEOPLE)]
    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(work, people))


def test_settings_saved_at_once_for_the_first_time_make_one_account(odoo, rpc, sandbox):
    def save(person):
        settings = person.create(
            "res.config.settings", keycrm_api_key=sandbox.key, keycrm_public_url=odoo.url
        )
        person.call("res.config.settings", "execute", [settings])

    # The key is tried against KeyCRM's own address, which cannot be reached here: that is said beside
    # the key and keeps nobody from saving.
    at_once(odoo, save)
    (account,) = rpc.rows("keycrm.account", fields=["public_url", "key_text"])
    assert account["public_url"] == odoo.url
    assert account["key_text"]


def test_statuses_refreshed_at_once_while_the_workers_begin_are_there_once(odoo, rpc, sandbox):
    account = shop.make_account(rpc, odoo, sandbox)
    rpc.write("keycrm.account", account, enabled=True)
    answers = at_once(
        odoo, lambda person: person.call("keycrm.account", "action_refresh_statuses", [account])
    )
    assert [answer["tag"] for answer in answers] == ["display_notification"] * PEOPLE
    numbers = [
        row["keycrm_id"]
        for row in rpc.rows(
            "keycrm.order.status", ("account_id", "=", account), fields=["keycrm_id"]
        )
    ]
    assert numbers
    assert len(numbers) == len(set(numbers))
