"""Refusals, each with its HTTP status and JSON body."""

from __future__ import annotations

from typing import Any

GENERAL = "The given data was invalid."
NOT_AN_OBJECT = "The {} must be an object."
TOO_MANY = "The {} may not have more than %d items."
SELECTED = "The selected {} is invalid."
NEGATIVE = "The {} must be at least 0."
REQUIRED = "The {} field is required."


class Refused(Exception):
    """A request that is answered with an error instead of its result.

    :param status: HTTP status
    :param message: the sentence of the JSON body
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        """Build the JSON body.

        :return: ``message`` alone; richer errors add to it
        """
        return {"message": self.message}


class BadQuery(Refused):
    """An unknown filter, include or sort (confirmed: 400 with the allowed names)."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class NotFound(Refused):
    """The record does not exist."""

    def __init__(self, message: str = "Not Found") -> None:
        super().__init__(404, message)


class Invalid(Refused):
    """An invalid body.

    :param errors: sentences by field path, such as ``stocks.0.quantity``
    """

    def __init__(self, errors: dict[str, list[str]]) -> None:
        self.errors = errors
        sentences = [sentence for found in errors.values() for sentence in found]
        more = len(sentences) - 1
        tail = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
        super().__init__(422, sentences[0] + tail)

    @classmethod
    def of(cls, at: str = "", /, **sentences: str) -> Invalid:
        """Refuse fields with one sentence each.

        :param at: the beginning of their paths
        :param sentences: what is wrong by field, with ``{}`` in place of its path
        :return: the error
        """
        return cls({at + name: [text.format(at + name)] for name, text in sentences.items()})

    def body(self, shape: str = "object", message: str = "sentence") -> dict[str, Any]:
        """Build the JSON body; its message and the shape of ``errors`` are switches.

        :param shape: ``object``, ``list`` or ``missing``
        :param message: ``sentence`` or ``general``
        :return: the body
        """
        body = super().body() if message == "sentence" else {"message": GENERAL}
        if shape == "list":
            body["errors"] = [s for f in self.errors.values() for s in f]
        elif shape == "object":
            body["errors"] = self.errors
        return body
