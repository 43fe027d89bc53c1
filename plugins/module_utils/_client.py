# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place that opens a socket to the API server.

Internal to rhpds.litemaas: no stable interface for other collections.

One pool of kept-open connections, used by a bounded number of threads. A module process costs
about two seconds before its first request, a request some milliseconds: so one process sends
everything, concurrently.
"""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _connection,
    _failure,
    _parallel,
    _pool,
    _retry,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

__all__ = ["ApiError", "Client", "connect"]

T = TypeVar("T")
Objects = list[dict[str, Any]]
Query = Mapping[str, "str | int | bool"]
PAGE = 500  # objects of one LIST answer: bounds the memory of API server and module
GARBAGE = 50_000  # how many more objects than at the last time have Python look for garbage
JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML
METADATA = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"


class _Request(NamedTuple):
    method: str
    path: str
    query: Query | None = None
    body: Any = None
    content_type: str = JSON
    accept: str = JSON


class Client:
    """Requests to one API server. Safe to use from several threads.

    ``timeout``: seconds without a byte of an answer. ``retries`` and ``patience`` (seconds, all
    tries together) bound what one request may cost.
    """

    def __init__(
        self,
        connection: _connection.Connection,
        *,
        threads: int = 32,
        timeout: float = 30.0,
        retries: int = 6,
        patience: float = 60.0,
    ) -> None:
        self.connection = connection
        self.threads = threads
        self._retries = retries
        self._patience = patience
        self._lock = threading.Lock()
        self._answered = False  # before the first answer, no connection means a wrong setting
        # One request spent its budget in vain: until another succeeds, the next do not wait again,
        # else a thousand objects would take as many times a minute.
        self._given_up = False
        # A module holds objects by the thousand and ends soon: to look for garbage among them as
        # often as Python does would be a third of its work.
        gc.set_threshold(GARBAGE)
        self._pool = _pool.pool(connection, size=threads, timeout=timeout)
        self._headers = _pool.headers(connection)
        self._no_answer = _pool.urllib3().exceptions.HTTPError

    def each(
        self, function: Callable[[T], Any], items: Iterable[T], *, threads: int | None = None
    ) -> list[Any]:
        """Call ``function`` for all items, ``threads`` at a time; results in the items' order.

        A LitemaasError takes its result's place; any other exception is a bug and is raised.
        """

        return _parallel.each(function, items, threads or self.threads)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = JSON,
    ) -> tuple[int, Any]:
        """Send a request and return (status, decoded JSON). Raises ApiError from status 400 on."""
        request = _Request(method, path, query, body, content_type)
        status, data = self._exchange(request)
        return status, self._decoded(request, data)

    def once(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: Any = None,
        stream: bool = False,
    ) -> Any:
        """Send one request with further headers, once: urllib3's response, whatever its status.

        For what stands behind the API server's proxy: ``request`` tries again for the API server's
        sake, and a service's 503 is news. Raises urllib3's HTTPError without an answer.
        """
        return self._pool.request(
            method,
            self.connection.host + path,
            headers={**self._headers, **headers},
            body=body,
            retries=False,
            redirect=False,
            preload_content=not stream,
            **({} if timeout is None else {"timeout": timeout}),
        )

    def text(self, path: str, **query: str | int | bool) -> str:
        """GET something that is no JSON, such as a pod's log."""
        # The API server refuses text/plain alone for logs of some releases: anything will do.
        return self._exchange(_Request("GET", path, query, accept="*/*"))[1].decode(
            "utf-8", "replace"
        )

    def get(self, path: str, **query: str | int | bool) -> dict[str, Any]:
        """GET one object. Raises ApiError, status 404 when there is none."""
        return self.request("GET", path, query=query)[1]

    def find(self, path: str, **query: str | int | bool) -> dict[str, Any] | None:
        """GET one object, or None when it (or its kind) does not exist."""
        try:
            return self.get(path, **query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def apply(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = True,
        dry_run: bool = False,
    ) -> tuple[int, dict[str, Any]]:
        """Server-side apply one object: (201, object) when it is new, else (200, object).

        Unknown and duplicate fields are refused by the server instead of dropped.
        """
        query: dict[str, str | int | bool] = {
            "fieldManager": field_manager,
            "fieldValidation": "Strict",
            "force": force,
        }
        if dry_run:
            query["dryRun"] = "All"
        return self.request("PATCH", path, query=query, body=body, content_type=APPLY_PATCH)

    def delete(
        self,
        path: str,
        *,
        dry_run: bool = False,
        propagation: str = "Background",
        uid: str | None = None,
    ) -> dict[str, Any] | None:
        """DELETE one object; None when it is absent already.

        With ``uid``, an object of the same name made since then is left alone (ApiError 409).
        """
        options: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
        }
        if uid:
            options["preconditions"] = {"uid": uid}
        # The server heeds the body alone when there is one; the query is what its audit log shows.
        query = {"dryRun": "All"} if dry_run else None
        if dry_run:
            options["dryRun"] = ["All"]
        try:
            return self.request("DELETE", path, query=query, body=options)[1]
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self,
        path: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata: bool = False,
    ) -> list[dict[str, Any]]:
        """LIST a collection. The items get the apiVersion and kind they lack.

        ``metadata``: items hold nothing but metadata, so that no Secret's data is even sent; their
        kind is then PartialObjectMetadata.
        """
        pages = self.pages(
            path, label_selector=label_selector, field_selector=field_selector, metadata=metadata
        )
        return [item for page in pages for item in page]

    def pages(
        self,
        path: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata: bool = False,
    ) -> Iterator[Objects]:
        """LIST a collection page by page, for those who keep little of it.

        Objects may come twice when the list changed so much that it had to be read again.
        """
        query: dict[str, str | int | bool] = {"limit": PAGE}
        if label_selector:
            query["labelSelector"] = label_selector
        if field_selector:
            query["fieldSelector"] = field_selector
        accept = METADATA if metadata else JSON
        while True:
            request = _Request("GET", path, query, accept=accept)
            try:
                page = self._decoded(request, self._exchange(request)[1])
            except ApiError as error:
                if error.status == 410 and "continue" in query:
                    # The snapshot that the pages are read from is gone: read all at once.
                    query = {k: v for k, v in query.items() if k not in ("continue", "limit")}
                    continue
                raise
            common = {
                "apiVersion": page.get("apiVersion", ""),
                "kind": page.get("kind", "").removesuffix("List"),
            }
            yield [{**common, **item} for item in page.get("items") or ()]
            token = page.get("metadata", {}).get("continue")
            if not token:
                return
            query["continue"] = token

    def _exchange(self, request: _Request) -> tuple[int, bytes]:
        """Send until there is an answer worth returning or the budget is spent."""
        url = self.connection.host + request.path + _query_string(request.query)
        data = None if request.body is None else json.dumps(request.body, separators=(",", ":"))
        body = data.encode() if data is not None else None
        budget = _retry.Budget(0 if self._given_up else self._retries, self._patience)
        refreshed = False
        while True:
            headers = self._headers
            sent = {**headers, "Accept": request.accept}
            if body is not None:
                sent["Content-Type"] = request.content_type
            try:
                answer = self._pool.request(
                    request.method, url, body=body, headers=sent, retries=False, redirect=False
                )
            except self._no_answer as error:
                passing = self._answered or not _failure.is_wrong_setting(error)
                passing = passing and not _failure.is_untrusted(error)
                wait = budget.delay() if passing else None
                if wait is None:
                    self._given_up = True
                    raise _failure.unreachable(
                        error, self.connection, request.method, request.path
                    ) from error
            else:
                self._answered = True
                if answer.status < 300:
                    self._given_up = False
                    return answer.status, answer.data
                if answer.status == 401 and not refreshed and self._refresh(headers):
                    refreshed = True
                    continue
                if answer.status < 400:
                    raise _failure.no_api(self.connection, request.method, request.path)
                said = _said(answer.data)
                passing = _retry.is_passing(answer.status, said)
                wait = budget.delay(_retry.retry_after(answer.headers, said)) if passing else None
                if wait is None:
                    self._given_up |= passing
                    raise _failure.refused(
                        answer.status,
                        said,
                        self.connection,
                        request.method,
                        request.path,
                        tries=budget.used + 1,
                    )
            time.sleep(wait)

    def _decoded(self, request: _Request, data: bytes) -> Any:
        """The answer's JSON. A console or a log-in page under the address answers 200 too."""
        try:
            return json.loads(data)
        except ValueError:
            raise _failure.no_api(self.connection, request.method, request.path) from None

    def _refresh(self, used: Mapping[str, str]) -> bool:
        """Read the credentials again after a 401. False when they are the same as before."""
        with self._lock:
            if self._headers is not used:
                return True  # another thread was faster
            if not self.connection.reload:
                return False
            fresh = self.connection.reload()
            if fresh.headers == self.connection.headers:
                return False
            self.connection = fresh
            self._headers = _pool.headers(fresh)
            return True


def connect(params: Mapping[str, Any]) -> Client:
    """Return a client for a module's parameters. Sends nothing yet."""
    return Client(_connection.load(params))


def _query_string(query: Query | None) -> str:
    if not query:
        return ""
    values = {k: str(v).lower() if isinstance(v, bool) else v for k, v in query.items()}
    return "?" + urlencode(values)


def _said(data: bytes) -> Any:
    """What a refusal says: a Status object, or the text of a load balancer."""
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
