"""Fixed facts of the bridge. Durations are in seconds unless a name says otherwise."""

#: Public address of KeyCRM's Open API, one host for all accounts (confirmed).
API_URL = "https://openapi.keycrm.app/v1"
#: Where the cabinet shows an order; the host differs per account, hence only the path (assumed).
ORDER_PATH = "/app/orders/view/%s"

#: What a form shows instead of an API key that is set. Saving it changes nothing.
API_KEY_MASK = "••••••••••••"

#: Roles that read payments and bank transactions.
PAYMENT_READERS = (
    "ordage_keycrm.group_user,account.group_account_readonly,account.group_account_invoice"
)

#: Largest webhook body that is taken. KeyCRM's flat order row has about 1.5 kB.
WEBHOOK_MAX_BYTES = 1024 * 1024
#: Seconds within which the body of a webhook has to come.
WEBHOOK_SECONDS = 10
#: How the events of orders begin. Two are confirmed (``order.change_order_status`` and
#: ``order.change_payment_status``); any other one with the number of an order is read too, since only the
#: number is used. All other events but stock webhooks are kept and marked ignored.
ORDER_EVENTS = "order."
#: Codes of an order that KeyCRM answered with something that cannot be used.
UNREADABLE_ORDER = ("lines_missing", "not_a_number", "id_missing")
#: What we note ourselves in the inbox: a person pressed "Refresh", a synchronization met a fault, the
#: regular question "what was updated" found the order, or the comparison of open orders did.
EVENT_REFRESH = "odoo.refresh"
EVENT_SYNC = "odoo.synchronize"
EVENT_POLLING = "odoo.catch_up"
EVENT_RECONCILIATION = "odoo.compare_open"
#: KeyCRM's stock webhook, which names no event itself.
EVENT_STOCK = "offers.stock"

#: KeyCRM's status groups (confirmed) and what an order in them becomes by default.
STATUS_GROUPS = [
    ("1", "New"),
    ("2", "Agreement"),
    ("3", "Production"),
    ("4", "Delivery"),
    ("5", "Completed"),
    ("6", "Canceled"),
]
DEFAULT_ACTION_BY_GROUP = {
    1: "quotation",
    2: "quotation",
    3: "confirm",
    4: "confirm",
    5: "confirm",
    6: "cancel",
}

#: Parcel statuses of goods that the buyer does not keep.
COMING_BACK = ("refused", "return", "returned")

#: What an order's line says of which KeyCRM has given everything back.
HELD_NOTHING = {"keycrm_stock_status": False, "keycrm_quantity": 0.0}

#: Digits in which quantities are compared; KeyCRM's have at most three.
QUANTITY_DIGITS = 3

#: A worker looks for no new work after this long, so that two scheduler threads can serve many accounts.
WORKER_SECONDS = 8
#: What can be put off without loss waits no longer than this while it holds a scheduler thread.
WORKER_MAX_SLEEP = 2.0
#: Orders written in one transaction, about a second's work; then the inbox is looked at. What is looked
#: up once for a batch costs some thirty queries, so ten quotations at a time cost twice the queries of fifty.
IMPORT_BATCH = 50
#: Confirming makes deliveries and takes as long as writing five quotations.
CONFIRM_WEIGHT = 5
#: Up to so many orders are read one by one; more are looked for in lists of 50 first.
READ_SINGLY_UP_TO = 2
#: Pauses before a failed event is tried again by itself; after the last one it waits for a person.
RETRY_PAUSES = (60, 300, 900, 3600, 4 * 3600)
#: Pauses of the circuit breaker: of an account while KeyCRM is unavailable, and of work that fails while it
#: is available. The last one is repeated: one probe a minute costs one request, and after KeyCRM recovers
#: nobody waits longer.
CIRCUIT_PAUSES = (30, 60)
#: Pauses of bulk work, for which nobody waits.
BULK_PAUSES = (30, 60, 180, 600)
#: An order that KeyCRM could not give while it is available is tried again after so many seconds, so many
#: times: an outage may be of orders alone. Then it has the pauses of what fails.
OUTAGE_PAUSE = 60
OUTAGE_TRIES = 60
#: An order that somebody works on in Odoo is put off for so many seconds.
ROW_LOCKED_PAUSE = 10
#: By how much two looks of the catch-up overlap.
POLLING_OVERLAP = 120

#: How often the open orders are compared with KeyCRM's status lists: what changed its status without
#: changing ``updated_at``, or was deleted, is found within this time.
RECONCILIATION_SECONDS = 3600
#: How often unattached bank transactions are asked for.
TRANSACTIONS_SECONDS = 300

#: Rows of one stock PUT: as many as KeyCRM takes (confirmed), so that an inventory is one request.
STOCK_PUT_ROWS = 10000
#: SKUs or offer ids in one question: the page limit of the answer.
LOOKUP_ROWS = 50
