"""What is sealed tells nothing; with the database's own secret it is read again."""

import pytest
from keycrm.encryption import seal, unsealed

SECRET = "6f1d7f3e-0d8a-4c1e-9a37-5f2b1c9d7e10"


@pytest.mark.parametrize(
    "text", ["k", "a-key-of-forty-characters" * 2, "ключ", "nul\0", "half\ud800"]
)
def test_a_secret_is_read_again_as_it_was(text):
    sealed = seal(text, SECRET)
    assert sealed.isascii()
    assert unsealed(sealed, SECRET) == text


def test_nothing_of_it_is_seen_and_two_of_one_look_different():
    first, second = seal("the-key-of-the-shop", SECRET), seal("the-key-of-the-shop", SECRET)
    assert first != second
    assert "shop" not in first + second


@pytest.mark.parametrize("text", ["", "plain-key", "gAAAAA", "ключ", seal("x", "other")])
def test_what_was_sealed_elsewhere_or_not_at_all_is_no_secret(text):
    assert unsealed(text, SECRET) is None


def test_a_changed_one_is_none():
    sealed = seal("the-key", SECRET)
    middle = len(sealed) // 2
    other = "A" if sealed[middle] != "A" else "B"
    assert unsealed(sealed[:middle] + other + sealed[middle + 1 :], SECRET) is None
