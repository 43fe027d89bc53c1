# SPDX-License-Identifier: MIT
"""Both ends of a request through the router, as programs, so that they can run in a lab's network.

`web.py serve ADDRESS` prints its port and serves until its standard input ends: /sleep/SECONDS answers late,
/drip/COUNT/SECONDS streams that many lines at that interval, everything else answers with the request's headers as JSON.

`web.py get ADDRESS PORT HOST PATH [CA-FILE]` asks for one path, over TLS when a CA is given, and prints what came as JSON:
{"status", "headers", "body", "first", "last": seconds until the first and the last byte, "error": what cut it short}.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        what, *numbers = self.path.strip("/").split("/")
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # a client, or the router, that gave up
            if what == "drip":
                self._drip(int(numbers[0]), float(numbers[1]))
                return
            if what == "sleep":
                time.sleep(float(numbers[0]))
            self._answer(json.dumps({name.lower(): value for name, value in self.headers.items()}))

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _drip(self, count: int, seconds: float) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(count):
            line = f"data: {number}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
            time.sleep(seconds)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *arguments: object) -> None:
        """Nothing: the test says what matters."""


def serve(address: str) -> None:
    server = ThreadingHTTPServer((address, 0), Backend)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


def get(address: str, port: str, host: str, path: str, ca_file: str = "") -> None:
    start = time.monotonic()
    found: dict[str, Any] = {"status": 0, "headers": {}, "body": "", "first": 0.0, "error": ""}
    try:
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.sock = socket.create_connection((address, int(port)), 60)
        if ca_file:
            context = ssl.create_default_context(cafile=ca_file)
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        connection.request("GET", path)
        response = connection.getresponse()
        found["status"] = response.status
        found["headers"] = {name.lower(): value for name, value in response.getheaders()}
        first = response.read(1)
        found["first"] = time.monotonic() - start
        found["body"] = (first + response.read()).decode()
    except (OSError, http.client.HTTPException) as error:
        found["error"] = repr(error)
    found["last"] = time.monotonic() - start
    print(json.dumps(found))


if __name__ == "__main__":
    {"serve": serve, "get": get}[sys.argv[1]](*sys.argv[2:])
