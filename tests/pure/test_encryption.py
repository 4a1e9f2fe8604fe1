"""Encrypted values are unreadable without the database's secret."""

import pytest
from keycrm.encryption import decrypted, encrypt

SECRET = "6f1d7f3e-0d8a-4c1e-9a37-5f2b1c9d7e10"


@pytest.mark.parametrize(
    "text", ["k", "a-key-of-forty-characters" * 2, "ключ", "nul\0", "half\ud800"]
)
def test_secret_is_decrypted_unchanged(text):
    encrypted = encrypt(text, SECRET)
    assert encrypted.isascii()
    assert decrypted(encrypted, SECRET) == text


def test_ciphertext_hides_the_value_and_differs_each_time():
    first, second = encrypt("the-key-of-the-shop", SECRET), encrypt("the-key-of-the-shop", SECRET)
    assert first != second
    assert "shop" not in first + second


@pytest.mark.parametrize("text", ["", "plain-key", "gAAAAA", "ключ", encrypt("x", "other")])
def test_foreign_or_plain_text_is_not_decrypted(text):
    assert decrypted(text, SECRET) is None


def test_changed_ciphertext_is_not_decrypted():
    encrypted = encrypt("the-key", SECRET)
    middle = len(encrypted) // 2
    other = "A" if encrypted[middle] != "A" else "B"
    assert decrypted(encrypted[:middle] + other + encrypted[middle + 1 :], SECRET) is None
