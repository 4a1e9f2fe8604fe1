from . import controllers
from . import models
from . import wizards


def post_init_hook(env):
    """Let quantities have the three digits that KeyCRM's have ("0.333 кг"); never fewer than before."""
    precision = env.ref("uom.decimal_product_uom")
    if precision.digits < 3:
        precision.digits = 3
