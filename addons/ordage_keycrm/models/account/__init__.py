from . import account
from . import credentials
from . import dashboard
from . import onboarding
from . import send_preview
