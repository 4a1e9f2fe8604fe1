from . import account
from . import credentials
from . import onboarding
from . import overview
from . import send_preview
