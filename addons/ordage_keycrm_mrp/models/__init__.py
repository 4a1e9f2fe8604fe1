from . import stock_calculator
from . import stock_explanation
from . import mrp_bom
