from . import common
from . import account
from . import products
from . import orders
from . import stock
