from . import keycrm_account
from . import keycrm_stock_terms
from . import keycrm_stock_why
from . import mrp_bom
