from . import controllers
from . import models
from . import wizards
from .controllers import log_filter, webhook_body
from .hooks import post_init_hook, uninstall_hook

log_filter.install()
webhook_body.install()
