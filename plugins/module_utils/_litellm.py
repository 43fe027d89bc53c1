# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks to a LiteLLM gateway: the only place that opens a socket to one.

Internal to rhpds.litemaas: no stable interface for other collections.

Two ways lead there. Its own address (Route or Ingress) over TLS, always verified; and the API
server's service proxy, where the address cannot be used from here. The proxy strips the header
``Authorization``, so the key travels as ``x-litellm-api-key`` there.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _gateway_error,
    _pool,
    _proxy,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_error import (
    LOST,
    GatewayError,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._redaction import Redactor

CONNECT_TIMEOUT = 4.0  # seconds
TIMEOUT = 15.0  # seconds without a byte of an answer


class Request(NamedTuple):
    """What a transport sends, once."""

    method: str
    path: str  # with its query
    headers: Mapping[str, str]
    body: bytes | None
    timeout: float  # seconds without a byte of the answer
    stream: bool  # the caller reads the answer while it comes


class Transport(Protocol):
    """A way to a gateway."""

    key_header: str

    def open(self, request: Request) -> Any:
        """Return urllib3's response, whatever its status. Raises GatewayError without one."""


class AddressTransport:
    """Through the gateway's own address. One *web* serves all gateways of a run."""

    key_header = "Authorization"

    def __init__(self, url: str, web: Web) -> None:
        self._url = url.rstrip("/")
        self._web = web

    def open(self, request: Request) -> Any:
        try:
            return self._web.pool(self._url).request(
                request.method,
                self._url + request.path,
                headers=dict(request.headers),
                body=request.body,
                timeout=_timeout(request),
                retries=False,
                redirect=False,
                preload_content=not request.stream,
            )
        except _pool.urllib3().exceptions.HTTPError as error:
            raise _gateway_error.unanswered(error) from error


class Web:
    """Connections to gateways' addresses: the trusted CAs, and an HTTP proxy where one is set.

    *ca_bundle*: PEM text of further CAs beside the system's.
    """

    def __init__(self, ca_bundle: str = "", *, connections: int = 4) -> None:
        context = ssl.create_default_context()
        # On by default from Python 3.13 on, it refuses CAs that curl and browsers accept.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        if ca_bundle.strip():
            try:
                context.load_verify_locations(cadata=ca_bundle)
            except (ssl.SSLError, ValueError) as error:
                raise LitemaasError(f"A CA bundle cannot be used: {error}") from error
        self._options: dict[str, Any] = {
            "ssl_context": context,
            "maxsize": connections,
            "num_pools": 64,
        }
        self._pools: dict[str | None, Any] = {}

    def pool(self, url: str) -> Any:
        """The connections for *url*: direct, or through the proxy of the environment."""
        import urllib3

        proxy = _proxy.choose(url, None, None)
        if proxy not in self._pools:
            if proxy:
                self._pools[proxy] = urllib3.ProxyManager(proxy, **self._options)
            else:
                self._pools[proxy] = urllib3.PoolManager(**self._options)
        return self._pools[proxy]


class ProxyTransport:
    """Through the API server, which needs the permission to get ``services/proxy``."""

    key_header = "x-litellm-api-key"

    def __init__(
        self, client: Client, namespace: str, service: str = "litellm", port: str = "http"
    ) -> None:
        self._client = client
        obj = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"{service}:{port}", "namespace": namespace},
        }
        self._path = _resources.object_path(obj).replace(quote(":"), ":") + "/proxy"

    def open(self, request: Request) -> Any:
        try:
            return self._client.once(
                request.method,
                self._path + request.path,
                headers=request.headers,
                body=request.body,
                timeout=_timeout(request),
                stream=request.stream,
            )
        except _pool.urllib3().exceptions.HTTPError as error:
            raise _gateway_error.unanswered(error) from error


class Gateway:
    """One LiteLLM gateway and the key it is asked with (empty: only what needs no key)."""

    def __init__(self, transport: Transport, key: str = "", *, timeout: float = TIMEOUT) -> None:
        self._transport = transport
        self._key = key
        self._timeout = timeout
        self._redact = Redactor([key])

    def with_key(self, key: str) -> Gateway:
        """The same gateway, asked with another key."""
        return Gateway(self._transport, key, timeout=self._timeout)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send one request, once, and return the decoded JSON. Raises GatewayError."""
        response = self._open(method, path, body, query, timeout, stream=False)
        try:
            return json.loads(response.data)
        except ValueError:
            raise _gateway_error.foreign(
                path, response.status, response.data, self._redact
            ) from None

    def page(self, path: str, *, timeout: float | None = None) -> bytes:
        """What is served at *path*, be it JSON or not. Raises GatewayError."""
        data: bytes = self._open("GET", path, None, None, timeout, stream=False).data
        return data

    def stream(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        timeout: float | None = None,
    ) -> Iterator[str]:
        """Send one request and yield the data of each server-sent event, without ``[DONE]``.

        *timeout*: seconds without a byte. Raises GatewayError, also when the answer breaks off.
        """
        response = self._open(method, path, body, None, timeout, stream=True)
        try:
            rest = b""
            for chunk in _chunks(response, path):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    field, _colon, value = line.decode("utf-8", "replace").strip().partition(":")
                    data = value.strip() if field == "data" else ""
                    if data == "[DONE]":
                        return
                    if data.startswith('{"error"'):  # status 200 was sent long before
                        raise _gateway_error.refused(path, 200, data.encode(), self._redact)
                    if data:
                        yield data
            raise GatewayError(0, f"The answer to {path} broke off before its end", LOST)
        finally:
            response.release_conn()

    def _open(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, Any] | None,
        timeout: float | None,
        *,
        stream: bool,
    ) -> Any:
        headers = {"Accept": "text/event-stream" if stream else "application/json"}
        if self._key:
            headers[self._transport.key_header] = f"Bearer {self._key}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        path += f"?{urlencode(query)}" if query else ""
        response = self._transport.open(
            Request(method, path, headers, data, timeout or self._timeout, stream)
        )
        if response.status >= 300:
            # A redirect is no answer either: nothing of LiteLLM's API redirects.
            raise _gateway_error.refused(path, response.status, response.data, self._redact)
        return response


def ca_bundle(client: Client) -> str:
    """The CA certificates of OpenShift's router, PEM; empty where there are none to read."""
    obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "default-ingress-cert", "namespace": "openshift-config-managed"},
    }
    try:
        found = client.find(_resources.object_path(obj))
    except ApiError as error:
        if error.status == 403:
            return ""
        raise
    return ((found or {}).get("data") or {}).get("ca-bundle.crt", "")


def _timeout(request: Request) -> Any:
    connect = min(CONNECT_TIMEOUT, request.timeout)
    return _pool.urllib3().Timeout(connect=connect, read=request.timeout)


def _chunks(response: Any, path: str) -> Iterator[bytes]:
    try:
        yield from response.stream(4096)
    except _pool.urllib3().exceptions.HTTPError as error:
        raise GatewayError(0, f"The answer to {path} broke off: {error}", LOST) from error
