#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A model server that speaks the OpenAI API and has no model: what a gateway is tested against.

    GET  /health                                        no key needed
    GET  /v1/models, /v1/models/<name>
    POST /v1/chat/completions, /v1/completions          plain, or streamed word by word with `"stream": true`
    POST /v1/embeddings

The same request always gets the same text: it repeats the last message. A token is a word.

Environment:
    PORT            8080
    MODELS          names served, separated by commas: lab-model
    API_KEY         wanted as `Authorization: Bearer <key>`; empty: none
    DELAY_SECONDS   pause before the answer: 0
    CHUNK_SECONDS   pause before each further chunk of a stream: 0
    ERROR_STATUS    status that every request for a completion gets: none

One request alone can ask for the same, by header or, through a gateway, by a field of the body:
    `x-lab-delay` or `"lab-delay"`, `x-lab-chunk-delay` or `"lab-chunk-delay"`: seconds
A model called `error-<status>`, such as `error-429`, always answers with that status.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST_DELAY = 3600.0  # seconds
DIMENSIONS = 8


class ApiError(Exception):
    """An answer other than 200, with the body that OpenAI would send."""

    def __init__(self, status: int, message: str, *, kind: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": code}}


def bad_request(message: str) -> ApiError:
    return ApiError(400, message, kind="invalid_request_error")


def asked_for(status: int) -> ApiError:
    kind = {429: "rate_limit_error"}.get(status, "server_error" if status >= 500 else "api_error")
    code = "rate_limit_exceeded" if status == 429 else None
    return ApiError(status, f"The lab was asked for status {status}.", kind=kind, code=code)


@dataclass(frozen=True)
class Settings:
    port: int = 8080
    models: tuple[str, ...] = ("lab-model",)
    api_key: str = ""
    delay: float = 0.0
    chunk_delay: float = 0.0
    error_status: int = 0

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Settings:
        names = (name.strip() for name in env.get("MODELS", "").split(","))
        return cls(
            port=int(env.get("PORT", "8080")),
            models=tuple(name for name in names if name) or cls.models,
            api_key=env.get("API_KEY", ""),
            delay=seconds(env.get("DELAY_SECONDS") or 0),
            chunk_delay=seconds(env.get("CHUNK_SECONDS") or 0),
            error_status=int(env.get("ERROR_STATUS") or 0),
        )


def seconds(value: Any) -> float:
    """A pause as asked for; refuses what is not a number of seconds from 0 to an hour."""
    try:
        wanted = float(value)
    except (TypeError, ValueError):
        raise bad_request(f"not a number of seconds: {value!r}") from None
    if not 0 <= wanted <= LONGEST_DELAY:
        raise bad_request(f"a delay is from 0 to {LONGEST_DELAY:.0f} seconds, not {value}")
    return wanted


def model_entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1767225600, "owned_by": "lab"}


def check_model(name: Any, settings: Settings) -> str:
    """The name of a model that is served; raises what its name asks for, or 404."""
    if not isinstance(name, str) or not name:
        raise bad_request("you must provide a model parameter")
    failing = re.fullmatch(r"error-([45]\d\d)", name)
    if failing:
        raise asked_for(int(failing[1]))
    if name not in settings.models:
        raise ApiError(
            404,
            f"The model `{name}` does not exist or you do not have access to it.",
            kind="invalid_request_error",
            code="model_not_found",
        )
    return name


def text_of(content: Any) -> str:
    """The text of a message: a string, or a list of parts of which some are text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


@dataclass(frozen=True)
class Completion:
    """What is answered to a prompt, before it takes the form of one API or the other."""

    identifier: str
    model: str
    words: tuple[str, ...]
    finish_reason: str
    prompt_tokens: int

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def chunks(self) -> list[str]:
        return [word if place == 0 else f" {word}" for place, word in enumerate(self.words)]

    @property
    def usage(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": len(self.words),
            "total_tokens": self.prompt_tokens + len(self.words),
        }


def complete(model: str, prompt: str, last: str, limit: Any) -> Completion:
    """The completion of `prompt`, which repeats `last`, its last message; `limit` is the request's max_tokens."""
    words = f"Hello from {model}. You said: {last}".split()
    finish_reason = "stop"
    if isinstance(limit, int) and 0 < limit < len(words):
        words, finish_reason = words[:limit], "length"
    identifier = hashlib.sha256(f"{model}\0{prompt}".encode()).hexdigest()[:24]
    return Completion(identifier, model, tuple(words), finish_reason, len(prompt.split()))


def chat_completion(body: Mapping[str, Any], settings: Settings) -> Completion:
    model = check_model(body.get("model"), settings)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_request("messages must be a list with at least one message")
    if not all(isinstance(message, dict) for message in messages):
        raise bad_request("each message must be an object with a role and content")
    texts = [text_of(message.get("content")) for message in messages]
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return complete(model, " ".join(texts), texts[-1], limit)


def text_completion(body: Mapping[str, Any], settings: Settings) -> Completion:
    model = check_model(body.get("model"), settings)
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and all(isinstance(part, str) for part in prompt):
        prompt = " ".join(prompt)
    if not isinstance(prompt, str):
        raise bad_request("prompt must be a string or a list of strings")
    return complete(model, prompt, prompt, body.get("max_tokens"))


def vector(text: str) -> list[float]:
    """A unit vector that depends on the text alone."""
    digest = hashlib.sha256(text.encode()).digest()
    values = [value / 127.5 - 1 for value in digest[:DIMENSIONS]]
    length = sum(value * value for value in values) ** 0.5 or 1.0
    return [value / length for value in values]


def embeddings(body: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    model = check_model(body.get("model"), settings)
    given = body.get("input")
    if isinstance(given, str) or (
        isinstance(given, list) and given and all(isinstance(token, int) for token in given)
    ):
        given = [given]
    if not isinstance(given, list) or not given:
        raise bad_request("input must be a string or a list with at least one text")
    texts = [item if isinstance(item, str) else json.dumps(item) for item in given]

    def encoded(values: list[float]) -> list[float] | str:
        if body.get("encoding_format") != "base64":
            return values
        return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()

    tokens = sum(len(text.split()) for text in texts)
    return {
        "object": "list",
        "model": model,
        "data": [
            {"object": "embedding", "index": place, "embedding": encoded(vector(text))}
            for place, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


class Dialect:
    """The form of answers of one of the two completion APIs."""

    def __init__(self, prefix: str, whole: str, part: str, chat: bool) -> None:
        self._prefix, self._whole, self._part, self._chat = prefix, whole, part, chat

    def _frame(self, completion: Completion, kind: str) -> dict[str, Any]:
        return {
            "id": f"{self._prefix}-{completion.identifier}",
            "object": kind,
            "created": int(time.time()),
            "model": completion.model,
        }

    def answer(self, completion: Completion) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": completion.finish_reason}
        if self._chat:
            choice["message"] = {"role": "assistant", "content": completion.text}
        else:
            choice |= {"text": completion.text, "logprobs": None}
        frame = self._frame(completion, self._whole)
        return {**frame, "choices": [choice], "usage": completion.usage}

    def chunks(self, completion: Completion, with_usage: bool) -> Iterator[dict[str, Any]]:
        """One chunk a word, one with the finish reason, and with_usage one with the usage and no choice."""
        frame = self._frame(completion, self._part)
        for place, text in enumerate(completion.chunks):
            if self._chat:
                role = {"role": "assistant"} if place == 0 else {}
                choice = {"index": 0, "delta": {**role, "content": text}, "finish_reason": None}
            else:
                choice = {"index": 0, "text": text, "finish_reason": None}
            yield {**frame, "choices": [choice]}
        last = {"delta": {}} if self._chat else {"text": ""}
        yield {
            **frame,
            "choices": [{"index": 0, **last, "finish_reason": completion.finish_reason}],
        }
        if with_usage:
            yield {**frame, "choices": [], "usage": completion.usage}


CHAT = Dialect("chatcmpl", "chat.completion", "chat.completion.chunk", chat=True)
TEXT = Dialect("cmpl", "text_completion", "text_completion", chat=False)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "lab-model-server"
    settings = Settings()

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, method: Any) -> None:
        self.started = False
        try:
            method()
        except ApiError as error:
            self._send(error.status, error.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception as error:  # the client must hear of it, whatever it is
            if self.started:
                raise
            self._send(500, ApiError(500, str(error), kind="server_error").body)

    def _get(self) -> None:
        path = self._path()
        if path == "/health":
            self._send(200, {"status": "ok"})
            return
        self._check_key()
        if path == "/models":
            models = [model_entry(name) for name in self.settings.models]
            self._send(200, {"object": "list", "data": models})
        elif path.startswith("/models/"):
            name = check_model(path.removeprefix("/models/"), self.settings)
            self._send(200, model_entry(name))
        else:
            raise self._unknown_path()

    def _post(self) -> None:
        path = self._path()
        body = self._body()
        self._check_key()
        if path not in ("/chat/completions", "/completions", "/embeddings"):
            raise self._unknown_path()
        time.sleep(self._pause(body, "delay", self.settings.delay))
        if self.settings.error_status:
            raise asked_for(self.settings.error_status)
        if path == "/embeddings":
            self._send(200, embeddings(body, self.settings))
            return
        chat = path == "/chat/completions"
        dialect = CHAT if chat else TEXT
        completion = (chat_completion if chat else text_completion)(body, self.settings)
        if body.get("stream"):
            options = body.get("stream_options")
            with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
            pause = self._pause(body, "chunk-delay", self.settings.chunk_delay)
            self._stream(dialect.chunks(completion, with_usage), pause)
        else:
            self._send(200, dialect.answer(completion))

    def _path(self) -> str:
        """Without the version, which some clients leave out, and the query."""
        return self.path.partition("?")[0].removeprefix("/v1").rstrip("/") or "/"

    def _unknown_path(self) -> ApiError:
        message = f"Invalid URL ({self.command} {self.path})"
        return ApiError(404, message, kind="invalid_request_error")

    def _check_key(self) -> None:
        if not self.settings.api_key:
            return
        if self.headers.get("Authorization") != f"Bearer {self.settings.api_key}":
            raise ApiError(
                401,
                "Incorrect API key provided.",
                kind="invalid_request_error",
                code="invalid_api_key",
            )

    def _body(self) -> dict[str, Any]:
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        except ValueError:
            raise bad_request("the body is not JSON") from None
        if not isinstance(body, dict):
            raise bad_request("the body must be an object")
        return body

    def _pause(self, body: Mapping[str, Any], name: str, otherwise: float) -> float:
        asked = self.headers.get(f"x-lab-{name}", body.get(f"lab-{name}"))
        return otherwise if asked is None else seconds(asked)

    def _send(self, status: int, document: Mapping[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.started = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, chunks: Iterator[Mapping[str, Any]], pause: float) -> None:
        self.started = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for place, chunk in enumerate(chunks):
            if place:
                time.sleep(pause)
            self._event(json.dumps(chunk))
        self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, text: str) -> None:
        data = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.path != "/health":  # probes would fill the log
            print(f"{self.command} {self.path} {int(code)}", flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    Handler.settings = Settings.load(os.environ)
    server = Server(("", Handler.settings.port), Handler)

    def stop(signal_number: int, frame: Any) -> None:
        # Not in this thread: shutdown() waits for serve_forever(), which it runs.
        threading.Thread(target=server.shutdown).start()

    # As process 1 of a container it would otherwise ignore them.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    names = ", ".join(Handler.settings.models)
    print(f"serving {names} on port {server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    sys.exit(main())
