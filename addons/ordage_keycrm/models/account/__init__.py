from . import account
from . import credentials
from . import bulk_jobs
from . import dashboard
from . import onboarding
