from . import delivery_service
from . import sale_order
from . import stock_picking
