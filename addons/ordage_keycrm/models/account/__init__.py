from . import account_currency
from . import account_sending
from . import account_stock
from . import account
from . import credentials
from . import onboarding
from . import overview
from . import send_preview
