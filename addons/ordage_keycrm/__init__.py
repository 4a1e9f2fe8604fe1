from . import controllers
from . import log_filter
from . import models
from . import webhook_body
from . import wizards
from .hooks import uninstall_hook

log_filter.install()
webhook_body.install()
