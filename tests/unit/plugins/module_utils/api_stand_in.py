# SPDX-License-Identifier: MIT
"""An HTTP server on the loopback that answers from a script, for what the client does with answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .... import loopback


@dataclass(frozen=True)
class Answer:
    """What to send back; status 0 closes the connection without a word."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    groups: list[str]


class Server:
    """Gives the scripted answers in turn, and the last one for ever."""

    def __init__(self, *answers: Answer | Callable[[Request], Answer]) -> None:
        self.answers = list(answers) or [Answer()]
        self.requests: list[Request] = []
        self.url = ""

    def next(self, request: Request) -> Answer:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Answer) else answer(request)


@contextmanager
def serving(*answers: Answer | Callable[[Request], Answer]) -> Iterator[Server]:
    """Run a server for the length of a `with` block."""
    server = Server(*answers)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(
                self.command,
                self.path,
                dict(self.headers.items()),
                json.loads(data) if data else None,
                self.headers.get_all("Impersonate-Group") or [],
            )
            with lock:
                answer = server.next(request)
            if not answer.status:
                self.close_connection = True
                return
            body = (
                answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            )
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = do_DELETE = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with loopback.serving(Handler) as server.url:
        yield server
