"""Constants of the addon; durations are in seconds unless the name has a unit."""

#: Public address of KeyCRM's Open API, one host for all accounts (confirmed).
API_URL = "https://openapi.keycrm.app/v1"

#: Value that a form shows instead of a stored API key. Saving it changes nothing.
API_KEY_MASK = "••••••••••••"

#: Groups that may read payments and bank transactions.
PAYMENT_READERS = (
    "ordage_keycrm.group_user,account.group_account_readonly,account.group_account_invoice"
)

#: Largest webhook body that is accepted. KeyCRM's flat order row has about 1.5 kB.
WEBHOOK_MAX_BYTES = 1024 * 1024
#: Seconds within which the body of a webhook has to be received.
WEBHOOK_SECONDS = 10
#: Prefix of the events of orders. Two are confirmed (``order.change_order_status`` and
#: ``order.change_payment_status``); any other one with the number of an order is processed too, since
#: only the number is used. All other events except stock webhooks are stored and marked ignored.
ORDER_EVENTS = "order."
#: Error codes of an order whose response from KeyCRM cannot be used.
UNREADABLE_ORDER = ("lines_missing", "not_a_number", "id_missing")
#: Events that Odoo itself adds to the inbox: a user clicked "Refresh from KeyCRM", a synchronization
#: failed for an order, or polling or the reconciliation of open orders found it.
EVENT_REFRESH = "odoo.refresh"
EVENT_SYNC = "odoo.synchronize"
EVENT_POLLING = "odoo.polling"
EVENT_RECONCILIATION = "odoo.reconcile"
#: KeyCRM's stock webhook, which contains no event name.
EVENT_STOCK = "offers.stock"

#: KeyCRM's status groups (confirmed) and the default action of orders in them.
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
#: Status groups of open orders: all but completed and canceled ones.
OPEN_GROUPS = ("1", "2", "3", "4")

#: Codes of the operation types that bring goods to a buyer; the second one is of Odoo's dropshipping.
DELIVERY_CODES = ("outgoing", "dropship")
#: States of transfers that are still to be done.
OPEN_TRANSFERS = ("draft", "waiting", "confirmed", "assigned")
#: Domain of the transfers with which an order's goods are still to leave.
TO_SHIP = (("state", "in", OPEN_TRANSFERS), ("picking_type_id.code", "!=", "incoming"))

#: Values of an order line whose whole quantity KeyCRM has released.
NOTHING_RESERVED = {"keycrm_stock_status": False, "keycrm_quantity": 0.0}

#: Digits in which quantities are compared; KeyCRM's have at most three.
QUANTITY_DIGITS = 3

#: A worker starts no new work after this long, so that two scheduler threads can serve many accounts.
WORKER_SECONDS = 8
#: Longest sleep of a worker that holds a scheduler thread, for work that can be deferred without loss.
WORKER_MAX_SLEEP = 2.0
#: Orders written in one transaction, about a second's work; then the inbox is polled. A batch costs some
#: 150 queries, nearly whatever its size: fifty quotations are the orders of a page.
IMPORT_BATCH = 50
#: Confirming makes deliveries: sixteen orders take about a second, as fifty quotations do.
CONFIRM_WEIGHT = 3
#: Up to this many orders are read singly; more are searched in lists of 50 first.
READ_SINGLY_UP_TO = 2
#: Backoff of a failed event; after the last retry it waits for a user.
RETRY_PAUSES = (60, 300, 900, 3600, 4 * 3600)
#: Pauses of the circuit breaker: of an account while KeyCRM is unavailable, and of work that fails
#: while it is available. The last one is repeated: one probe per minute costs one request, and no user
#: waits longer than that after KeyCRM recovers.
CIRCUIT_PAUSES = (30, 60)
#: Pauses of bulk work, which no user waits for.
BULK_PAUSES = (30, 60, 180, 600)
#: Interval and number of the retries of an order that fails while KeyCRM is available: an outage may
#: affect orders alone. Then the usual backoff applies.
OUTAGE_PAUSE = 60
OUTAGE_TRIES = 60
#: Seconds for which an order is deferred while a user's transaction holds its row.
ROW_LOCKED_PAUSE = 10
#: Overlap of two polling windows.
POLLING_OVERLAP = 120

#: Interval of the reconciliation of open orders with KeyCRM's status lists: an order that changed its
#: status without changing ``updated_at``, or was deleted, is found within this time.
RECONCILIATION_SECONDS = 3600
#: Interval at which unattached bank transactions are read.
TRANSACTIONS_SECONDS = 300

#: Rows of one stock PUT: as many as KeyCRM accepts (confirmed), so that an inventory is one request.
STOCK_PUT_ROWS = 10000
#: SKUs or offer ids in one request: the page limit of the answer.
LOOKUP_ROWS = 50
#: Seconds within which KeyCRM may still apply a request that it has accepted (assumed).
SETTLE_SECONDS = 60
