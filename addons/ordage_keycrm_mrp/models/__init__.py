from . import keycrm_account
from . import keycrm_stock_terms
from . import mrp_bom
