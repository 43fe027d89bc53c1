#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for LiteMaaS' frontend, an nginx that serves pages and hands /api/ to the backend.

As the image does it, it writes its configuration into its own root at start and looks up the backend's name once.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

CONFIG = Path("/opt/app-root/etc/nginx.default.d/default.conf")
TEMPLATE = Path("/tmp/nginx.conf.template")  # noqa: S108 - where the image has it
PAGE = b"<!doctype html><title>LiteMaaS</title><div id=root></div>"
DROPPED = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class Handler(BaseHTTPRequestHandler):
    backend: tuple[str, int]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self.path.startswith("/api"):
            self.answer(200, {"Content-Type": "text/html"}, PAGE)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection(*self.backend, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = {n: v for n, v in answer.getheaders() if n.lower() not in DROPPED}
            self.answer(answer.status, kept, answer.read())
        except (OSError, http.client.HTTPException):
            self.answer(502, {"Content-Type": "text/html"}, b"<h1>502 Bad Gateway</h1>")
        finally:
            connection.close()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        pass


def main() -> int:
    url = urlsplit(os.environ.get("BACKEND_URL", ""))
    if url.scheme != "http" or not url.hostname or not url.port:
        print("ERROR: BACKEND_URL must be http://host:port", file=sys.stderr)
        return 1
    try:
        socket.getaddrinfo(url.hostname, url.port)
    except OSError:
        print(f"ERROR: host not found in upstream {url.hostname}", file=sys.stderr)
        return 1
    CONFIG.write_text(TEMPLATE.read_text().replace("${BACKEND_URL}", url.geturl()))
    Handler.backend = (url.hostname, url.port)
    server = ThreadingHTTPServer(("0.0.0.0", 8080), Handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
