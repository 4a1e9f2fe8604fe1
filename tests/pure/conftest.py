"""Let pure tests import ``keycrm`` without the addon, which needs Odoo."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "ordage_keycrm"))
