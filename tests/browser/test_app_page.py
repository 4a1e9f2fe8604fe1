"""What Odoo's list of apps shows of the addon: its page with its pictures, its words in Ukrainian."""


def test_page_in_the_list_of_apps_shows_its_pictures(rpc, screen):
    (module,) = rpc.search("ir.module.module", ("name", "=", "ordage_keycrm"))
    screen.open_record("ir.module.module", module)
    screen.sees("автоматично")  # the summary, translated
    screen.sees("Keep KeyCRM and Odoo in sync automatically")
    screen.picture("app-page")
    pictures = screen.page.locator(".o_field_widget[name=description_html] img")
    pictures.first.wait_for()
    assert pictures.count() >= 8
    assert (
        pictures.evaluate_all(
            "all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth > 0)))"
        )
        == [True] * pictures.count()
    )
