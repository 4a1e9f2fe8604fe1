"""The connection to the control interface of a sandbox."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import requests

Json = dict[str, Any]


class ControlError(RuntimeError):
    """The control interface refused a request; the text is the reason.

    :param status: HTTP status, 0 where there was no answer
    :param message: the error message
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Call the control interface.

    :param base_url: address of the sandbox, such as ``http://127.0.0.1:8099``
    :param token: its control token
    :param timeout: seconds to wait for an answer
    """

    def __init__(self, base_url: str, token: str, timeout: float = 120) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["X-Control-Token"] = token

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _call(self, verb: str, path: str, body: Any = None, query: Json | None = None) -> Any:
        url = f"{self.base_url}/control{path}"
        given = {k: v for k, v in (query or {}).items() if v is not None}
        try:
            answer = self._session.request(
                verb,
                url,
                json=body,
                params=given,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ControlError(0, f"{verb} /control{path}: no answer: {error}") from error
        try:
            value = answer.json()
        except ValueError:
            value = {"message": answer.text[:200]}
        if not 200 <= answer.status_code < 300:
            raise ControlError(
                answer.status_code,
                f"{verb} /control{path} answered {answer.status_code}: {value.get('message')}",
            )
        return value


def comma(ids: Iterable[int] | None) -> str | None:
    """Join ids with commas.

    :param ids: ids or None
    :return: the list, or None
    """
    return None if ids is None else ",".join(map(str, ids))


def ways(fields: Json, webhook: bool, bump: bool) -> Json:
    """Add the two options that most changes have.

    :param fields: what is changed
    :param webhook: whether webhooks fire
    :param bump: whether updated_at moves
    :return: the body of the request
    """
    return {**fields, "webhook": webhook, "bump": bump}
