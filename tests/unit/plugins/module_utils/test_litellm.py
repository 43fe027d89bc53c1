# SPDX-License-Identifier: MIT
"""The two ways to a gateway, over real sockets, and every way they can fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import (
    AddressTransport,
    Gateway,
    GatewayError,
    ProxyTransport,
    Web,
)

from .gateway_stand_in import StandIn, make_certificate, serve

KEY = "sk-canary0123456789abcdef0123456789abcdef"
PROXY = "/api/v1/namespaces/litemaas/services/litellm:http/proxy"


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return make_certificate(tmp_path_factory.mktemp("pki"))


@pytest.fixture(name="server")
def _server(certificate: tuple[Path, str]) -> Iterator[StandIn]:
    with serve(certificate[0]) as server:
        yield server


@pytest.fixture(name="gateway")
def _gateway(server: StandIn, certificate: tuple[Path, str]) -> Gateway:
    return Gateway(AddressTransport(server.url, Web(certificate[1])), KEY, timeout=2)


def failure(gateway: Gateway, path: str = "/x") -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        gateway.request("GET", path)
    assert KEY not in str(caught.value)
    return caught.value


def test_the_key_travels_as_bearer_to_the_address(server: StandIn, gateway: Gateway) -> None:
    server.answers["/v1/models?a=b"] = 200, {"data": []}
    assert gateway.request("GET", "/v1/models", query={"a": "b"}) == {"data": []}
    assert server.headers("/v1/models?a=b")["authorization"] == f"Bearer {KEY}"


def test_a_body_is_sent_as_json(server: StandIn, gateway: Gateway) -> None:
    server.answers["/model/new"] = 200, {"model_id": "m"}
    gateway.request("POST", "/model/new", {"model_name": "é"})
    method, _path, headers, body = server.seen[-1]
    assert (method, headers["content-type"]) == ("POST", "application/json")
    assert body == b'{"model_name": "\\u00e9"}'


def test_the_key_has_another_header_through_the_api_server() -> None:
    with serve() as server:
        server.answers[f"{PROXY}/v1/models"] = 200, {"data": [1]}
        token = (("Authorization", "Bearer of-the-api-server"),)
        client = Client(Connection(host=server.url, source="the test", headers=token))
        gateway = Gateway(ProxyTransport(client, "litemaas"), KEY)
        assert gateway.request("GET", "/v1/models") == {"data": [1]}
        headers = server.headers(f"{PROXY}/v1/models")
    assert headers["x-litellm-api-key"] == f"Bearer {KEY}"
    assert headers["authorization"] == "Bearer of-the-api-server"


def test_without_a_key_none_is_sent(server: StandIn, certificate: tuple[Path, str]) -> None:
    server.answers["/health/readiness"] = 200, {}
    Gateway(AddressTransport(server.url, Web(certificate[1]))).request("GET", "/health/readiness")
    assert "authorization" not in server.headers("/health/readiness")


@pytest.mark.parametrize(
    ("status", "body", "type", "message"),
    [
        (
            401,
            {"error": {"message": f"Invalid key {KEY}", "type": "auth_error", "code": "401"}},
            "auth_error",
            "Invalid key ***",
        ),
        (422, {"detail": [{"msg": "field required"}]}, "litellm", "field required"),
        (500, {"error": "boom"}, "litellm", "boom"),
        (503, b"<html><h1>Application is not available</h1></html>", "http", "not available"),
        (302, b"", "http", "empty"),
        (400, ["odd"], "http", "odd"),
        (
            403,
            {"kind": "Status", "message": 'services "litellm" is forbidden', "code": 403},
            "proxy",
            "is forbidden",
        ),
    ],
)
def test_refusals(
    server: StandIn, gateway: Gateway, *, status: int, body: object, type: str, message: str
) -> None:
    server.answers["/x"] = status, body
    error = failure(gateway)
    assert (error.status, error.type) == (status, type)
    assert message in error.message


def test_an_answer_that_is_no_json_is_not_litellms(server: StandIn, gateway: Gateway) -> None:
    server.answers["/x"] = 200, b"<html>a login page</html>"
    error = failure(gateway)
    assert (error.status, error.type) == (200, "http")
    assert "a login page" in error.message


def test_an_untrusted_certificate_is_never_accepted(server: StandIn) -> None:
    error = failure(Gateway(AddressTransport(server.url, Web()), KEY))
    assert (error.status, error.type) == (0, "untrusted")
    assert "not trusted here" in error.message
    assert not server.seen, "a request was sent"


def test_a_certificate_of_another_host_is_never_accepted(
    server: StandIn, certificate: tuple[Path, str]
) -> None:
    url = server.url.replace("127.0.0.1", "localhost")
    error = failure(Gateway(AddressTransport(url, Web(certificate[1])), KEY))
    assert (error.status, error.type) == (0, "untrusted")
    assert not server.seen


def test_a_name_that_does_not_resolve() -> None:
    error = failure(Gateway(AddressTransport("https://gateway.invalid", Web()), KEY))
    assert (error.status, error.type) == (0, "name")


def test_a_closed_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
    error = failure(Gateway(AddressTransport(url, Web()), KEY))
    assert (error.status, error.type) == (0, "refused")


def test_a_server_that_does_not_answer_in_time(certificate: tuple[Path, str]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = failure(Gateway(AddressTransport(url, Web(certificate[1])), KEY, timeout=0.2))
    assert (error.status, error.type) == (0, "lost")


def test_a_connection_that_breaks_off(server: StandIn, gateway: Gateway) -> None:
    server.answers["/x"] = 200, None
    error = failure(gateway)
    assert (error.status, error.type) == (0, "lost")


def test_a_bundle_that_is_no_certificate_is_named() -> None:
    with pytest.raises(LitemaasError, match="CA bundle cannot be used"):
        Web("no certificate")


def test_a_stream_yields_the_data_of_each_event(server: StandIn, gateway: Gateway) -> None:
    lines = b': comment\n\ndata: {"a": 1}\r\n\r\nevent: x\ndata: {"b": 2}\n\ndata: [DONE]\n\n'
    server.answers["/v1/chat/completions"] = 200, lines
    body = {"stream": True}
    chunks = list(gateway.stream("POST", "/v1/chat/completions", body))
    assert chunks == ['{"a": 1}', '{"b": 2}']
    assert server.headers("/v1/chat/completions")["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("body", "type", "received"),
    [
        (b'data: {"a": 1}\n\n', "lost", 1),
        (b'data: {"a": 1}\n\ndata: {"error": {"message": "gone", "type": "api"}}\n\n', "api", 1),
        (b"", "lost", 0),
    ],
)
def test_a_stream_without_its_end_is_an_error(
    server: StandIn, gateway: Gateway, body: bytes, type: str, received: int
) -> None:
    server.answers["/s"] = 200, body
    chunks = []
    with pytest.raises(GatewayError) as caught:
        for chunk in gateway.stream("POST", "/s", {}):
            chunks.append(chunk)
    assert caught.value.type == type
    assert len(chunks) == received


def test_a_refused_stream_has_its_reason(server: StandIn, gateway: Gateway) -> None:
    server.answers["/s"] = 429, {"error": {"message": "Budget exceeded", "type": "budget_exceeded"}}
    with pytest.raises(GatewayError) as caught:
        list(gateway.stream("POST", "/s", {}))
    assert (caught.value.status, caught.value.type) == (429, "budget_exceeded")
