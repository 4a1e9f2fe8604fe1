"""Countries by whatever name shops give them."""

import pytest
from keycrm.countries import country_code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Україна", "UA"),
        ("ukraine", "UA"),
        ("Украина", "UA"),
        ("UA", "UA"),
        ("  Польща ", "PL"),
        ("Polska", "PL"),
        ("Deutschland", "DE"),
        ("США", "US"),
        ("Чехія", "CZ"),
        ("Велика  Британія", "GB"),
        ("", ""),
        ("Нарнія", ""),
    ],
)
def test_country_is_found_by_its_name(name, code):
    assert country_code(name) == code
