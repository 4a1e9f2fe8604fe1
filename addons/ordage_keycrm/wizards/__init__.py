from . import base_partner_merge
from . import mass_cancel_orders
from . import res_config_settings
from . import keycrm_stock_settings
