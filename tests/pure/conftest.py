"""The pure tests import ``keycrm`` by itself: the addon around it needs Odoo, this package does not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "ordage_keycrm"))
