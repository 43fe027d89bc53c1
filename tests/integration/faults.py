# SPDX-License-Identifier: MIT
"""A proxy in front of the real API server that makes trouble on demand.

It holds the credentials, so that the client under test talks plain HTTP to it, as to `kubectl proxy`.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _pool
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection

from .. import loopback

DROPPED = 0  # no answer: the connection is closed
LOST = -1  # the server does its work, and its answer is lost
BROKEN = -2  # the same, and the connection is reset in the middle of the answer
_PASSED_ON = ("content-type", "retry-after", "content-encoding")


@dataclass(frozen=True)
class Fault:
    """What one request meets. ``status``: one of the above, an HTTP status, or None for its real one."""

    status: int | None = None
    delay: float = 0.0  # seconds before the request is passed on
    retry_after: str = ""


class FaultyServer:
    """``fault(number, method, path)`` decides for each request; None lets it pass."""

    def __init__(self, connection: Connection) -> None:
        self.fault: Callable[[int, str, str], Fault | None] = lambda *_request: None
        self.url = ""
        self.seen: list[tuple[str, str]] = []
        self.met = 0
        self._connection = connection
        self._pool = _pool.pool(connection, size=32, timeout=30)
        self._lock = threading.Lock()

    def decide(self, method: str, path: str) -> Fault | None:
        """Count a request and return its fault."""
        with self._lock:
            self.seen.append((method, path))
            fault = self.fault(len(self.seen), method, path)
            self.met += fault is not None
            return fault

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Pass a request on with the credentials."""
        passed_on = ("Accept", "Content-Type", "User-Agent")
        sent = {
            **_pool.headers(self._connection),
            **{name: value for name, value in headers.items() if name in passed_on},
        }
        return self._pool.request(
            method,
            self._connection.host + path,
            body=body or None,
            headers=sent,
            retries=False,
            decode_content=False,
            preload_content=True,
        )


@contextmanager
def faulty(connection: Connection) -> Iterator[FaultyServer]:
    """Run the proxy for the length of a `with` block."""
    server = FaultyServer(connection)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = server.decide(self.command, self.path) or Fault()
            time.sleep(fault.delay)
            if fault.status == DROPPED:
                self.close_connection = True
                return
            if fault.status is not None and fault.status > 0:
                self.answer(
                    fault.status, {"Retry-After": fault.retry_after}, b'{"message": "injected"}'
                )
                return
            real = server.forward(self.command, self.path, dict(self.headers.items()), body)
            if fault.status == LOST:
                self.close_connection = True
                return
            headers = {name: real.headers[name] for name in _PASSED_ON if name in real.headers}
            self.answer(real.status, headers, real.data, broken=fault.status == BROKEN)

        def answer(
            self, status: int, headers: dict[str, str], data: bytes, *, broken: bool = False
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            with suppress(ConnectionError):  # the client may be gone
                self.end_headers()
                if not broken:
                    self.wfile.write(data)
            if not broken:
                return
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            # Closed without a lingering end, which the other side sees as a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        do_GET = do_PATCH = do_DELETE = do_POST = pass_on  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with loopback.serving(Handler) as server.url:
        yield server


@contextmanager
def tunnel() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Run an HTTP proxy that tunnels (CONNECT): its URL, and (target, Proxy-Authorization) asked for."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:  # noqa: N802
            asked.append((self.path, self.headers.get("Proxy-Authorization", "")))
            host, _colon, port = self.path.rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as target:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=relay, args=(target, self.connection), daemon=True)
                back.start()
                relay(self.connection, target)
                back.join(5)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    def relay(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with loopback.serving(Handler) as url:
        yield url, asked
