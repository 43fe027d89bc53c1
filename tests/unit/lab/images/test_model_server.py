# SPDX-License-Identifier: MIT
"""The lab's model server, run as it runs in its container."""

from __future__ import annotations

import base64
import http.client
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from lablib.images import model_server
from lablib.images.builder import SOURCES

PROGRAM = SOURCES / "model-server/model_server.py"
HELLO = [{"role": "user", "content": "hello there"}]


class Client:
    def __init__(self, port: int) -> None:
        self.port = port

    def send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, str, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        status, text, _ = self.send(method, path, body, **headers)
        return status, json.loads(text)

    def chat(self, **fields: Any) -> tuple[int, Any]:
        body = {"model": "lab-model", "messages": HELLO, **fields}
        return self.json("POST", "/v1/chat/completions", body)

    def events(self, path: str, body: dict[str, Any]) -> list[Any]:
        status, text, headers = self.send("POST", path, body | {"stream": True})
        assert (status, headers["Content-Type"]) == (200, "text/event-stream")
        lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
        assert lines[-1] == "[DONE]"
        return [json.loads(line) for line in lines[:-1]]


Start = Callable[..., Client]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    processes = []

    def run(**env: str) -> Client:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            env={"PATH": os.environ["PATH"], "PORT": "0", **env},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        return Client(int(process.stdout.readline().rsplit(" ", 1)[1]))

    yield run
    for process in processes:
        process.terminate()
        assert process.wait(5) == 0


@pytest.fixture(scope="module")
def server(start: Start) -> Client:
    return start()


def test_health_and_models(server: Client) -> None:
    assert server.json("GET", "/health") == (200, {"status": "ok"})
    status, models = server.json("GET", "/v1/models")
    assert status == 200
    assert [model["id"] for model in models["data"]] == ["lab-model"]
    assert server.json("GET", "/v1/models/lab-model")[1]["object"] == "model"


def test_chat(server: Client) -> None:
    status, answer = server.chat()
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"] == [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "content": "Hello from lab-model. You said: hello there",
            },
        }
    ]
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 7, "total_tokens": 9}
    assert server.chat()[1]["id"] == answer["id"]


def test_chat_with_parts_and_a_limit(server: Client) -> None:
    parts = [{"type": "text", "text": "one two"}, {"type": "image_url", "image_url": {"url": "x"}}]
    answer = server.chat(messages=[{"role": "user", "content": parts}], max_tokens=2)[1]
    assert answer["choices"][0]["message"]["content"] == "Hello from"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2


def test_streamed_chat(server: Client) -> None:
    body = {"model": "lab-model", "messages": HELLO}
    events = server.events("/v1/chat/completions", body)
    texts = [event["choices"][0]["delta"].get("content", "") for event in events]
    assert "".join(texts) == server.chat()[1]["choices"][0]["message"]["content"]
    assert len(events) == 8
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [event["choices"][0]["finish_reason"] for event in events[-2:]] == [None, "stop"]
    assert {event["object"] for event in events} == {"chat.completion.chunk"}

    with_usage = server.events(
        "/v1/chat/completions", body | {"stream_options": {"include_usage": True}}
    )
    assert with_usage[-1]["choices"] == []
    assert with_usage[-1]["usage"]["total_tokens"] == 9


def test_text_completion(server: Client) -> None:
    body = {"model": "lab-model", "prompt": "once upon"}
    answer = server.json("POST", "/v1/completions", body)[1]
    assert answer["choices"][0]["text"] == "Hello from lab-model. You said: once upon"
    events = server.events("/v1/completions", body)
    assert "".join(event["choices"][0]["text"] for event in events) == answer["choices"][0]["text"]


def test_embeddings(server: Client) -> None:
    def embed(**fields: Any) -> list[Any]:
        status, answer = server.json("POST", "/v1/embeddings", {"model": "lab-model", **fields})
        assert status == 200
        return [item["embedding"] for item in answer["data"]]

    one, two = embed(input=["a", "b"])
    assert one != two
    assert embed(input="a") == [one]
    assert sum(value * value for value in one) == pytest.approx(1)
    (packed,) = embed(input="a", encoding_format="base64")
    assert struct.unpack("<8f", base64.b64decode(packed)) == pytest.approx(one)
    assert len(embed(input=[1, 2, 3])) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/chat/completions", {"model": "gpt-none", "messages": HELLO}, 404, "model_not_found"),
        ("/v1/embeddings", {"model": "gpt-none", "input": "a"}, 404, "model_not_found"),
        ("/v1/chat/completions", {"model": "lab-model"}, 400, None),
        ("/v1/chat/completions", {"model": "lab-model", "messages": ["text"]}, 400, None),
        ("/v1/chat/completions", {"messages": HELLO}, 400, None),
        ("/v1/completions", {"model": "lab-model", "prompt": 5}, 400, None),
        ("/v1/embeddings", {"model": "lab-model", "input": []}, 400, None),
        ("/v1/chat/completions", b"{", 400, None),
        ("/v1/chat/completions", [], 400, None),
        (
            "/v1/chat/completions",
            {"model": "lab-model", "messages": HELLO, "lab-delay": "x"},
            400,
            None,
        ),
        (
            "/v1/chat/completions",
            {"model": "lab-model", "messages": HELLO, "lab-delay": -1},
            400,
            None,
        ),
        ("/v1/images/generations", {"model": "lab-model"}, 404, None),
        ("/v1/chat/completions", {"model": "error-500", "messages": HELLO}, 500, None),
        ("/v1/embeddings", {"model": "error-429", "input": "a"}, 429, "rate_limit_exceeded"),
    ],
)
def test_errors(server: Client, path: str, body: Any, status: int, code: str | None) -> None:
    found, answer = server.json("POST", path, body)
    assert (found, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]


def test_too_many_requests_says_when_to_come_back(server: Client) -> None:
    _, _, headers = server.send(
        "POST", "/v1/chat/completions", {"model": "error-429", "messages": HELLO}
    )
    assert headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("field", "header"), [({"lab-delay": 0.3}, {}), ({}, {"x_lab_delay": "0.3"})]
)
def test_delay_for_one_request(
    server: Client, field: dict[str, float], header: dict[str, str]
) -> None:
    begin = time.monotonic()
    body = {"model": "lab-model", "messages": HELLO, **field}
    assert server.json("POST", "/v1/chat/completions", body, **header)[0] == 200
    assert time.monotonic() - begin >= 0.3


def test_delay_between_chunks(server: Client) -> None:
    begin = time.monotonic()
    server.events("/v1/completions", {"model": "lab-model", "prompt": "", "lab-chunk-delay": 0.1})
    assert time.monotonic() - begin >= 0.4


def test_settings_from_the_environment(start: Start) -> None:
    client = start(MODELS="a, b,", DELAY_SECONDS="0.2", API_KEY="sk-right")
    key = {"Authorization": "Bearer sk-right"}
    assert client.json("GET", "/health")[0] == 200
    assert client.json("GET", "/v1/models")[1]["error"]["code"] == "invalid_api_key"
    assert client.json("GET", "/v1/models", Authorization="Bearer sk-wrong")[0] == 401
    assert [model["id"] for model in client.json("GET", "/models", **key)[1]["data"]] == ["a", "b"]
    begin = time.monotonic()
    assert client.json("POST", "/v1/completions", {"model": "b", "prompt": "x"}, **key)[0] == 200
    assert time.monotonic() - begin >= 0.2
    begin = time.monotonic()
    client.json("POST", "/v1/completions", {"model": "b", "prompt": "x", "lab-delay": 0}, **key)
    assert time.monotonic() - begin < 0.2


def test_error_mode(start: Start) -> None:
    client = start(ERROR_STATUS="503")
    assert client.chat()[0] == 503
    assert client.json("GET", "/v1/models")[0] == 200


def test_manifest_is_restricted_and_names_the_image() -> None:
    documents = list(yaml.safe_load_all((SOURCES / "model-server/model-server.yaml").read_text()))
    namespace, deployment, service = documents
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == model_server.IMAGE.reference
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    assert (
        service["spec"]["selector"].items()
        <= deployment["spec"]["template"]["metadata"]["labels"].items()
    )
