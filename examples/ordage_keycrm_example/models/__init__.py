from . import keycrm_order_importer
from . import keycrm_product_matcher
