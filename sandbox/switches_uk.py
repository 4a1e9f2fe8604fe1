"""The switches in Ukrainian, for the page: the question and what each answer means."""

from __future__ import annotations

SWITCHES_UK: dict[str, tuple[str, dict[str, str]]] = {
    "rate_limit": ("запитів за хвилину на один ключ API; 0 знімає обмеження", {}),
    "rate_window": (
        "як рахується хвилина обмеження",
        {
            "sliding": "за будь-які 60 секунд не більше за обмеження",
            "fixed": "хвилина починається з першого запиту, тож дві серії можуть іти поспіль",
        },
    ),
    "retry_after": (
        "заголовок Retry-After у відповіді 429",
        {"yes": "є, у секундах", "no": "немає"},
    ),
    "rate_headers": (
        "заголовки X-RateLimit-*",
        {"no": "немає", "yes": "є в кожній відповіді"},
    ),
    "numbers": (
        "як записано числа у відповідях",
        {"json": "числа JSON", "strings": "рядки: суми «12.50», кількості «3.000»"},
    ),
    "errors_shape": (
        "ключ errors у відповіді 422",
        {
            "object": "об’єкт: поле → список речень",
            "list": "список речень",
            "missing": "ключа немає",
        },
    ),
    "default_sort": (
        "порядок списку, коли сортування не задано",
        {"desc": "спочатку найбільший id", "asc": "спочатку найменший id"},
    ),
    "page_urls": (
        "адреси сторінок списку",
        {"full": "містять фільтри й обмеження", "bare": "містять лише номер сторінки"},
    ),
    "created_filter": (
        "час, який порівнює filter[created_between] замовлень",
        {"ordered_at": "ordered_at", "created_at": "created_at"},
    ),
    "stock_put_unknown": (
        "невідомий товар у записі залишків",
        {
            "skip": "пропускається, решта записується",
            "refuse": "увесь запит відхилено з 422",
        },
    ),
    "stock_put_apply": (
        "коли запис залишків набуває чинності",
        {"now": "до відповіді 202", "late": "через stock_put_delay секунд після 202"},
    ),
    "stock_put_delay": ("секунди, для stock_put_apply=late", {}),
    "fractional": (
        "дробова кількість у записі залишків",
        {
            "keep": "зберігається",
            "floor": "округлюється вниз",
            "refuse": "увесь запит відхилено з 422",
        },
    ),
    "negative": (
        "від’ємна кількість у записі залишків",
        {
            "keep": "зберігається",
            "zero": "стає нулем",
            "refuse": "увесь запит відхилено з 422",
        },
    ),
    "updated_at_on_status": (
        "updated_at замовлення, коли змінився лише статус",
        {"bumped": "стає часом зміни", "not": "залишається колишнім"},
    ),
    "create_fires_webhook": (
        "нове замовлення",
        {"yes": "надсилає вебхук про статус", "no": "не надсилає вебхука"},
    ),
    "one_off_offer": (
        "ключ offer разового товару",
        {"null": "«offer»: null", "missing": "ключа немає"},
    ),
    "line_ids": (
        "id рядків замовлення, коли його збережено знову",
        {"kept": "залишаються", "new": "стають новими"},
    ),
    "status_list": (
        "статуси, які називає GET /order/status",
        {"active": "лише активні", "all": "також неактивні"},
    ),
    "shipping_in_total": (
        "shipping_price",
        {"yes": "входить до grand_total", "no": "не входить"},
    ),
    "wrap_in_total": ("wrap_price", {"yes": "входить до grand_total", "no": "не входить"}),
    "taxes_in_total": ("taxes", {"yes": "входить до grand_total", "no": "не входить"}),
    "status_reserve": (
        "статуси з позначкою резерву",
        {"off": "нічого не резервують", "on": "резервують товари своїх замовлень"},
    ),
    "status_write_off": (
        "статуси з позначкою списання",
        {"off": "нічого не списують", "on": "списують товари своїх замовлень"},
    ),
    "status_back": (
        "замовлення, повернене зі статусу списання до статусу резерву",
        {"keep": "залишається списаним", "follow": "знову в резерві"},
    ),
    "returned_line_status": (
        "stock_status рядка, товар якого повернено",
        {"null": "null", "reverted": "«reverted»"},
    ),
    "transaction_uuid": (
        "uuid банківської транзакції",
        {"string": "рядок", "integer": "ціле число, якщо складається лише з цифр"},
    ),
    "webhook_delivery": (
        "як надходять вебхуки",
        {
            "once": "один раз і відразу",
            "repeated": "webhook_copies разів",
            "out_of_order": "збираються webhook_delay секунд, потім новіші першими",
            "late": "через webhook_delay секунд",
            "lost": "не надходять",
        },
    ),
    "webhook_copies": ("копій, для webhook_delivery=repeated", {}),
    "webhook_delay": ("секунди, для webhook_delivery=late та out_of_order", {}),
    "webhook_timeout": ("скільки секунд чекати на відповідь одержувача вебхука", {}),
    "webhook_workers": ("скільки вебхуків надсилається водночас", {}),
    "stock_webhook_body": (
        "тіло вебхука про залишки",
        {
            "array": "масив усіх змінених товарів",
            "object": "один об’єкт, окремий запит на кожен товар",
        },
    ),
}
