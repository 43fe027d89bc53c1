# SPDX-License-Identifier: MIT
"""An HTTP server for the length of a `with` block: what every stand-in of the tests starts and stops."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up, or refuses the certificate, does so on purpose.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler],
    *,
    address: str = "127.0.0.1",
    context: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve on a free port; the URL. *context*: over TLS."""
    server = _Server((address, 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://{address}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
