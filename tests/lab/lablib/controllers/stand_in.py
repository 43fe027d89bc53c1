# SPDX-License-Identifier: MIT
"""Answers in place of the gateways whose pods are simulated: what an installer asks a LiteLLM that has just started.

The router leads there only while a service has ready endpoints, and says whose gateway is meant. The key is read from the
namespace's Secret at every request, as if each gateway had been started with it a moment ago.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from typing import Any

from lablib.controllers.api import Api, ApiError, path
from lablib.controllers.site import STAND_IN_HEADER, Server, Site
from lablib.settings import SIMULATED_POD_CIDR

log = logging.getLogger("stand-in")
SECRET, KEY = "litellm-secret", "LITELLM_MASTER_KEY"
HEALTHY = {
    "/health/readiness": {"status": "healthy", "db": "connected"},
    # Of the LiteMaaS application, whose Route leads here too: its page and its backend's health.
    "": "LiteMaaS",
    "/api/v1/health/ready": {"ready": True},
}
ALIVE = ("/health/liveliness", "/health/liveness")
SIMULATED = ip_network(SIMULATED_POD_CIDR)
Answer = tuple[int, Any]  # (status, what the JSON says)


def divert(sites: Iterable[Site], port: int) -> list[Site]:
    """The sites; one whose servers are simulated pods is served by us, at this port of the loopback address."""
    server = Server("stand-in", "127.0.0.1", port)
    return [
        replace(site, servers=(server,), stand_in=True) if _simulated(site) else site
        for site in sites
    ]


def _simulated(site: Site) -> bool:
    return bool(site.servers) and all(
        ip_address(server.address) in SIMULATED for server in site.servers
    )


def given_key(headers: Mapping[str, str]) -> str:
    """The key that a client shows, in either of LiteLLM's headers; "" when none."""
    text = headers.get("x-litellm-api-key") or headers.get("Authorization") or ""
    kind, _, rest = text.strip().partition(" ")
    return rest.strip() if kind.lower() == "bearer" else text.strip()


def answer(url: str, headers: Mapping[str, str], master_key: Callable[[], str]) -> Answer:
    """What LiteLLM says to a GET. `master_key` is called only when a key is asked for."""
    where = url.partition("?")[0].rstrip("/")
    if where in HEALTHY:
        return 200, HEALTHY[where]
    if where in ALIVE:
        return 200, "I'm alive!"
    if where not in ("/v1/models", "/models"):
        return 404, {"detail": "Not Found"}
    key = given_key(headers)
    if not key:
        return _refused("No api key passed in.", "auth_error", "None")
    if key != master_key():
        return _refused(
            "Invalid proxy server token passed. Unable to find token in cache or "
            "`LiteLLM_VerificationTokenTable`",
            "token_not_found_in_db",
            "key",
        )
    return 200, {"data": [], "object": "list"}


def _refused(text: str, kind: str, parameter: str) -> Answer:
    message = f"Authentication Error, {text}"
    return 401, {
        "error": {"message": message, "type": kind, "param": parameter, "code": "401"},
    }


class StandIn:
    """The HTTP server, on a free port of the loopback address."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="stand-in", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def master_key(self, namespace: str) -> str:
        data = self._api.get(path("Secret", namespace, SECRET)).get("data") or {}
        return base64.b64decode(data.get(KEY, "")).decode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                namespace = self.headers.get(STAND_IN_HEADER, "")
                try:
                    status, said = answer(
                        self.path, self.headers, lambda: stand_in.master_key(namespace)
                    )
                except ApiError as error:
                    log.info("%s: %s", namespace, error)
                    status, said = 503, {"error": {"message": "no master key", "code": "503"}}
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *values: object) -> None:
                """Silent: the router logs every request."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
