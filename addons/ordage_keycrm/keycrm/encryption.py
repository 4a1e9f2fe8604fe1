"""Seal secrets that have to lie in the database.

Odoo writes every statement that fails into its log, with its values, and PostgreSQL does the same: two
people saving one account at once are enough. What is encrypted can be written there without harm; it is
opened with another secret of the same database, which no such statement holds. Backups that are
searched for the key do not show it either.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

_PURPOSE = b"ordage_keycrm sealed fields\0"


def encrypt(text: str, secret: str) -> str:
    """Make a text unreadable for whoever lacks the secret.

    :param text: what to hide
    :param secret: any long random text
    :return: plain ASCII; another one each time
    """
    return _box(secret).encrypt(text.encode("utf-8", "surrogatepass")).decode()


def decrypted(encrypted: str, secret: str) -> str | None:
    """Read a encrypted text.

    :return: the text; None when it was encrypted with another secret, or is none of ours
    """
    try:
        return _box(secret).decrypt(encrypted.encode()).decode("utf-8", "surrogatepass")
    except (InvalidToken, ValueError):
        return None


def _box(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + secret.encode()).digest()))
