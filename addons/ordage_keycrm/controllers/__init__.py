from . import picture
from . import webhook
