"""``make lint``: limit the places that re-open a model; the list may only shrink."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

#: ``{addon: {model: places beyond the first one}}``
ALLOWED = Path(__file__).with_suffix(".json")
_MESSAGE = re.compile(r'inherited to "([\w.]+)" from (.+)')


def main(addon: str) -> int:
    """Compare the findings of pylint-odoo with the list.

    :param addon: folder of an addon
    :return: 0 if they are equal
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pylint", "--load-plugins=pylint_odoo", "--score=no"),
            *("--disable=all", "--enable=consider-merging-classes-inherited"),
            *("--msg-template={msg}", addon),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = {model: places.count(".py:") for model, places in sorted(_MESSAGE.findall(done.stdout))}
    allowed = json.loads(ALLOWED.read_text()).get(Path(addon).name, {})
    for model in sorted(found.keys() | allowed.keys()):
        now, most = found.get(model, 0), allowed.get(model, 0)
        if now > most:
            print(f"{model} is re-opened in {now + 1} places, {most + 1} are allowed: merge them.")
        elif now < most:
            print(f"{model} is re-opened in {now + 1} places: lower its number in {ALLOWED.name}.")
    return 0 if found == allowed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
