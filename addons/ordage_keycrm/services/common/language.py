"""Find the language of a company, and install Ukrainian while other threads run."""

from odoo.exceptions import ConcurrencyError

UKRAINIAN = "uk_UA"
#: Attempts at loading the terms: another thread may restore the former list of languages.
TRIES = 3


def company_language(company):
    """Return the language of texts that are stored for all users of a company, such as activities.

    :param company: ``res.company``, one
    :return: code of the language
    """
    return company.partner_id.lang or company.env.lang


def install_ukrainian(env):
    """Activate Ukrainian and load the terms of all installed modules.

    All threads share one list of active languages. A thread that does not see this transaction yet
    may restore the former list, and Odoo then skips terms without an error: half of the screens
    would stay English for good.

    :param env: Odoo's environment
    :raise ConcurrencyError: when the terms could not be loaded; Odoo retries the request
    """
    Lang = env["res.lang"].sudo()
    Lang._activate_lang(UKRAINIAN)
    modules = env["ir.module.module"].sudo().search([("state", "=", "installed")])
    for _try in range(TRIES):
        env.registry.clear_cache("stable")
        Lang._get_data(code=UKRAINIAN)  # caches the new list for all threads while terms are loaded
        modules._update_translations(UKRAINIAN)
        if Lang._get_data(code=UKRAINIAN).code == UKRAINIAN:
            return
    raise ConcurrencyError(f"{UKRAINIAN}: another thread hides the new language")
