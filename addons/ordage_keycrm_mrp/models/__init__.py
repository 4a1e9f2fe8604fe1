from . import stock_calculator
from . import stock_explanation
from . import mrp_bom
from . import offer_value
from . import order_importer
from . import sale_order_line
