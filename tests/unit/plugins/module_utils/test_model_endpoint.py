# SPDX-License-Identifier: MIT
"""Asking a model server over real sockets, and every way it can fail, each with its remedy."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_endpoint import (
    Answer,
    Asker,
    Endpoint,
    Unsuitable,
)

from .gateway_stand_in import StandIn, make_certificate, serve

KEY = "sk-canary-of-a-model-0123456789"
GRANITE = 200, {"object": "list", "data": [{"id": "granite"}]}
DONE = 200, {"choices": []}
NOT_CHAT = 400, {"error": {"message": "The model does not support Chat Completions API"}}


@pytest.fixture(name="server")
def _server() -> Iterator[StandIn]:
    with serve() as server:
        server.answers |= {"/v1/models": GRANITE, "/v1/chat/completions": DONE}
        yield server


def ask(url: str, *, test: bool = True, client: Any = None, **more: Any) -> Answer:
    asker = Asker(lambda: client, timeout=2, retries=0, test=test)
    return asker.ask(Endpoint("it", url, **more))


def refusal(url: str, **more: Any) -> str:
    with pytest.raises(LitemaasError) as caught:
        ask(url, **more)
    assert KEY not in str(caught.value)
    return str(caught.value)


def asked(server: StandIn, path: str) -> dict[str, Any]:
    return next(json.loads(body) for _m, where, _h, body in server.seen if where == path)


@pytest.mark.parametrize("written", ["", "/", "/v1", "/v1/", "/v1/models"])
def test_the_names_that_it_reports(server: StandIn, written: str) -> None:
    answer = ask(server.url + written, key=KEY)
    assert (answer.base, answer.via) == (f"{server.url}/v1", "address")
    assert (answer.models, answer.problems) == ({"granite": "chat"}, [])
    assert server.headers("/v1/models")["authorization"] == f"Bearer {KEY}"
    sent = asked(server, "/v1/chat/completions")
    assert (sent["model"], sent["max_tokens"]) == ("granite", 5)


@pytest.mark.parametrize("prefix", ["/openai/v1", ""])
def test_the_api_stands_elsewhere(server: StandIn, prefix: str) -> None:
    # As KServe's runtime for Hugging Face: its own protocol has a list of models at /v1/models.
    server.answers = {
        "/v1/models": (200, {"models": ["granite"]}),
        f"{prefix}/models": GRANITE,
        f"{prefix}/chat/completions": DONE,
    }
    answer = ask(server.url)
    assert (answer.base, answer.models) == (server.url + prefix, {"granite": "chat"})


def test_a_model_of_embeddings_is_found_out(server: StandIn) -> None:
    server.answers |= {"/v1/chat/completions": NOT_CHAT, "/v1/embeddings": DONE}
    assert ask(server.url).models == {"granite": "embedding"}
    server.answers["/v1/models"] = 200, {"data": [{"id": "nomic-embed"}]}
    server.seen.clear()
    assert ask(server.url).models == {"nomic-embed": "embedding"}
    assert [path for _m, path, _h, _b in server.seen] == ["/v1/models", "/v1/embeddings"]


def test_a_given_mode_is_what_is_tried(server: StandIn) -> None:
    server.answers["/v1/embeddings"] = DONE
    assert ask(server.url, mode="embedding").models == {"granite": "embedding"}
    assert ask(server.url, mode="rerank").models == {"granite": "rerank"}


def test_the_other_name_of_the_limit(server: StandIn) -> None:
    message = "Unsupported parameter: use 'max_completion_tokens' instead."
    server.answers["/v1/chat/completions"] = 400, {"error": {"message": message}}
    answer = ask(server.url, mode="chat")
    bodies = [json.loads(body) for _m, path, _h, body in server.seen if "chat" in path]
    assert ["max_completion_tokens" in body for body in bodies] == [False, True]
    assert "max_completion_tokens" in answer.problems[0]


def test_no_test_is_no_request(server: StandIn) -> None:
    assert ask(server.url, test=False).models == {"granite": "chat"}
    assert [path for _m, path, _h, _b in server.seen] == ["/v1/models"]


def test_one_model_that_fails_takes_nothing_from_the_others(server: StandIn) -> None:
    server.answers["/v1/models"] = 200, {"data": [{"id": "granite"}, {"id": "embed-x"}]}
    server.answers["/v1/embeddings"] = 500, {"error": {"message": "out of memory"}}
    answer = ask(server.url)
    assert answer.models == {"granite": "chat"}
    assert "its model embed-x does not answer a test" in answer.problems[0]
    assert "answers 500: out of memory" in answer.problems[0]


def test_a_name_that_is_not_served(server: StandIn) -> None:
    answer = ask(server.url, models=("granit", "granite"))
    assert answer.models == {"granite": "chat"}
    (said,) = answer.problems
    assert "does not serve granit; it serves granite. Did you mean granite?" in said


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_wrong_or_missing(server: StandIn, status: int) -> None:
    server.answers["/v1/models"] = status, {"error": {"message": f"Incorrect key {KEY}"}}
    assert f"refuses the key ({status}: Incorrect key ***). Give the right one" in refusal(
        server.url, key=KEY
    )
    assert "wants a key" in refusal(server.url) and "api_key_secret" in refusal(server.url)


def test_a_key_that_only_the_models_ask_for(server: StandIn) -> None:
    server.answers["/v1/chat/completions"] = 401, {"error": {"message": "no"}}
    answer = ask(server.url, key=KEY)
    assert answer.models == {} and "refuses the key (401: no)" in answer.problems[0]


def test_a_server_of_something_else(server: StandIn) -> None:
    server.answers = {"/v1/models": (200, b"<html>a console</html>")}
    with pytest.raises(
        Unsuitable, match="no list of models of the OpenAI API at /v1/models, /open"
    ):
        ask(server.url)
    server.answers = {"/v1/models": (302, b"")}
    assert "Give the url it leads to" in refusal(server.url)


def test_a_server_without_models(server: StandIn) -> None:
    server.answers["/v1/models"] = 200, {"data": []}
    answer = ask(server.url)
    assert answer.models == {} and "serves no model" in answer.problems[0]


def test_a_ca_that_is_not_known(tmp_path: Path) -> None:
    certificate, ca = make_certificate(tmp_path)
    with serve(certificate) as server:
        server.answers |= {"/v1/models": GRANITE, "/v1/chat/completions": DONE}
        said = refusal(server.url)
        assert (
            "certificate is not trusted here" in said and "Give the CA that signed it as ca" in said
        )
        assert not server.seen, "a request was sent"
        assert ask(server.url, ca=ca).models == {"granite": "chat"}


def test_a_server_that_cannot_be_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert "the connection is refused. Check its url" in refusal(url)
    assert "does not resolve here. Check its url" in refusal("https://model.invalid")


def test_a_key_does_not_travel_in_clear_text() -> None:
    assert "in clear text: use https://" in refusal("http://m.example.com", key=KEY)


class Around:
    """An API server with one Service, whose proxy leads to a model server."""

    service = "/api/v1/namespaces/genai/services/granite"

    def __init__(self, server: StandIn, cluster_ip: str) -> None:
        ports = [{"name": "http", "port": 80, "targetPort": 8080}]
        spec = {"clusterIP": cluster_ip, "ports": ports}
        metadata = {"name": "granite", "namespace": "genai"}
        server.answers = {
            self.service: (200, {"metadata": metadata, "spec": spec}),
            f"{self.service}:80/proxy/v1/models": GRANITE,
            f"{self.service}:80/proxy/v1/chat/completions": DONE,
        }
        self.client = Client(Connection(host=server.url, source="the test"))


@pytest.mark.parametrize(
    ("cluster_ip", "base"),
    [("10.0.0.1", "http://granite.genai.svc/v1"), ("None", "http://granite.genai.svc:8080/v1")],
)
def test_a_service_is_asked_through_the_api_server(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, cluster_ip: str, base: str
) -> None:
    around = Around(server, cluster_ip)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nothing leads into the cluster
    answer = ask("granite.genai.svc", client=around.client, key=KEY)
    assert (answer.via, answer.base, answer.models) == ("proxy", base, {"granite": "chat"})
    assert "cannot be used from here" in answer.via_reason
    assert KEY not in str(server.seen)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {"error": {"message": "no key"}}), "passes no key on: give its address outside"),
        (
            (403, {"kind": "Status", "message": "services is forbidden"}),
            "Allow this user to use services/proxy",
        ),
        ((404, {"kind": "Status", "message": "no endpoints"}), "no endpoints. See that"),
    ],
)
def test_what_the_api_server_may_say(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, Any], said: str
) -> None:
    around = Around(server, "10.0.0.1")
    server.answers[f"{around.service}:80/proxy/v1/models"] = answer
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert said in refusal("http://granite.genai.svc", client=around.client)
