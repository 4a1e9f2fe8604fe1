"""An XML-RPC client of Odoo, with the standard library only."""

from __future__ import annotations

import http.client
import xmlrpc.client
from typing import Any


class _Transport(xmlrpc.client.Transport):
    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = self._timeout
        return connection


class Rpc:
    """The XML-RPC session of one user.

    :param url: Odoo's address
    :param database: the database's name
    :param login: the user's login
    :param password: and password
    :param timeout: seconds to wait for an answer
    """

    def __init__(
        self, url: str, database: str, login: str, password: str, timeout: float = 180
    ) -> None:
        self.database = database
        self._password = password

        def proxy(service: str) -> xmlrpc.client.ServerProxy:
            return xmlrpc.client.ServerProxy(
                f"{url}/xmlrpc/2/{service}", transport=_Transport(timeout), allow_none=True
            )

        self.uid: int = proxy("common").authenticate(database, login, password, {})  # type: ignore
        if not self.uid:
            raise PermissionError(f"Odoo does not let {login} in")
        self._objects = proxy("object")

    def call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method.

        :param model: the model
        :param method: its public method
        :param args: arguments, the records' ids first where there are any
        :param kwargs: further arguments
        :return: what it returns
        :raise xmlrpc.client.Fault: if Odoo raises
        """
        return self._objects.execute_kw(
            self.database, self.uid, self._password, model, method, list(args), kwargs
        )

    def create(self, model: str, **values: Any) -> int:
        """Create a record.

        :param model: the model
        :param values: its fields
        :return: its id
        """
        return self.call(model, "create", [values])[0]

    def write(self, model: str, record_id: int, **values: Any) -> None:
        """Write to a record.

        :param model: the model
        :param record_id: its id
        :param values: new values
        """
        self.call(model, "write", [record_id], values)

    def search(self, model: str, *domain: Any, **options: Any) -> list[int]:
        """Search.

        :param model: the model
        :param domain: conditions, all of which must hold
        :param options: such as ``limit`` and ``order``
        :return: ids
        """
        return self.call(model, "search", list(domain), **options)

    def rows(self, model: str, *domain: Any, fields: list[str], **options: Any) -> list[dict]:
        """Search and read.

        :param model: the model
        :param domain: conditions, all of which must hold
        :param fields: what to read
        :param options: such as ``limit`` and ``order``
        :return: a dictionary for each record
        """
        return self.call(model, "search_read", list(domain), fields=fields, **options)

    def read(self, model: str, record_id: int, *fields: str) -> dict[str, Any]:
        """Read one record.

        :param model: the model
        :param record_id: its id
        :param fields: what to read
        :return: the values
        """
        return self.call(model, "read", [record_id], list(fields))[0]
