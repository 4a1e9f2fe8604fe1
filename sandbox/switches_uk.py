"""The switches in Ukrainian, for the page: questions and answers."""

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
    "weight_unit": (
        "одиниця ваги, якої відповіді не називають",
        {"g": "грами", "kg": "кілограми"},
    ),
    "errors_shape": (
        "ключ errors у відповіді 422",
        {
            "object": "об’єкт: поле → список речень",
            "list": "список речень",
            "missing": "ключа немає",
        },
    ),
    "errors_message": (
        "повідомлення відповіді 422",
        {
            "sentence": "речення першої помилки",
            "general": "«The given data was invalid.»",
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
    "new_in_updated": (
        "нове замовлення та filter[updated_between]",
        {"yes": "потрапляє відразу", "edit": "потрапляє після першого редагування"},
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
    "stock_put_delay": ("секунди, для stock_put_apply=late та offers_put_apply=late", {}),
    "fractional": (
        "дробова кількість у записі залишків",
        {
            "keep": "зберігається",
            "floor": "заокруглюється вниз",
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
    "offers_put_unknown": (
        "невідомий товар у PUT /offers",
        {
            "skip": "пропускається, решта записується",
            "refuse": "увесь запит відхилено з 422",
        },
    ),
    "offers_put_apply": (
        "коли PUT /offers набуває чинності",
        {"now": "до відповіді 202", "late": "через stock_put_delay секунд після 202"},
    ),
    "duplicate_sku": (
        "новий товар чи варіант з артикулом, який уже зайнято",
        {"accept": "створюється поряд з іншим", "refuse": "увесь запит відхилено з 422"},
    ),
    "first_offer": (
        "варіант без властивостей, коли товар отримує варіанти",
        {"replaced": "замінюється ними", "kept": "залишається поряд з ними"},
    ),
    "tracking_needs_service": (
        "ТТН для замовлення без служби доставки",
        {"no": "зберігається", "yes": "відхиляється з 422"},
    ),
    "shipping_date_key": (
        "ключ, у якому повертається записана shipping_date",
        {"shipping_date": "shipping_date", "shipping_date_actual": "shipping_date_actual"},
    ),
    "updated_at_on_status": (
        "updated_at замовлення, коли змінився лише статус",
        {"bumped": "стає часом зміни", "not": "залишається колишнім"},
    ),
    "create_fires_webhook": (
        "нове замовлення",
        {"yes": "надсилає Webhook про статус", "no": "не надсилає Webhook"},
    ),
    "one_off_offer": (
        "ключ offer разового товару",
        {"null": "«offer»: null", "missing": "ключа немає"},
    ),
    "line_ids": (
        "id рядків замовлення, коли його збережено знову",
        {"kept": "залишаються", "new": "стають новими"},
    ),
    "line_comment": (
        "коментар до товару, якого немає в PUT /order/{id}",
        {"kept": "залишається", "erased": "стирається"},
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
        "товари замовлень від статусу reserve_from",
        {"off": "не резервуються", "on": "у резерві, доки їх не списано"},
    ),
    "reserve_from": ("id статусу, для status_reserve=on", {}),
    "status_write_off": (
        "товари замовлень від статусу write_off_from",
        {"off": "не списуються", "on": "списуються"},
    ),
    "write_off_from": ("id статусу, для status_write_off=on", {}),
    "status_back": (
        "замовлення, повернене до статусу перед списанням чи резервом",
        {"follow": "скасовує їх", "keep": "нічого не змінює"},
    ),
    "negative_stock": (
        "товари замовлень, яких немає на складі",
        {
            "on": "резервуються та списуються, як інші",
            "off": "не резервуються та не списуються",
        },
    ),
    "warehouses": (
        "облік за складами",
        {
            "on": "увімкнено",
            "off": "вимкнено: відповіді не називають складів, а запис залишків з будь-яким "
            "warehouse_id задає загальну кількість",
        },
    ),
    "returned_line_status": (
        "stock_status рядка, товар якого повернено",
        {"null": "null", "reverted": "«reverted»"},
    ),
    "payment_delete": (
        "DELETE /order/{id}/payment/{id}",
        {"no": "не існує: 405", "yes": "прибирає оплату із замовлення"},
    ),
    "transaction_uuid": (
        "uuid банківської транзакції",
        {"string": "рядок", "integer": "ціле число, якщо складається лише з цифр"},
    ),
    "webhook_delivery": (
        "як надходять Webhook",
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
    "webhook_timeout": ("скільки секунд чекати на відповідь одержувача Webhook", {}),
    "webhook_workers": ("скільки Webhook надсилається водночас", {}),
    "stock_webhook_body": (
        "тіло Webhook про залишки",
        {
            "array": "масив усіх змінених товарів",
            "object": "один об’єкт, окремий запит на кожен товар",
        },
    ),
}
