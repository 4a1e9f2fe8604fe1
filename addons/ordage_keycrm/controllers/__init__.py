from . import export
from . import webhook
