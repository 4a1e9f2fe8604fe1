"""Encrypt secrets that are stored in the database.

Odoo and PostgreSQL log each statement that fails with its values, for example when two users save one
account at the same time. An encrypted value can be logged without harm: it is decrypted with another
secret of the same database, which no such statement contains. A search for the key in a backup does not
find it either.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

#: Part of the key derivation: changing it makes stored secrets unreadable.
_PURPOSE = b"ordage_keycrm sealed fields\0"


def encrypt(text: str, secret: str) -> str:
    """Encrypt a text.

    :param text: the text to encrypt
    :param secret: any long random text
    :return: plain ASCII; different each time
    """
    return _box(secret).encrypt(text.encode("utf-8", "surrogatepass")).decode()


def decrypted(encrypted: str, secret: str) -> str | None:
    """Decrypt a text.

    :param encrypted: result of :func:`encrypt`
    :param secret: the secret it was encrypted with
    :return: the text; None when it was encrypted with another secret, or is not encrypted
    """
    try:
        return _box(secret).decrypt(encrypted.encode()).decode("utf-8", "surrogatepass")
    except (InvalidToken, ValueError):
        return None


def _box(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + secret.encode()).digest()))
