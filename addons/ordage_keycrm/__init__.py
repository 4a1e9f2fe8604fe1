from . import controllers
from . import log_filter
from . import models
from . import wizards
from .hooks import post_init_hook, uninstall_hook

log_filter.install()
