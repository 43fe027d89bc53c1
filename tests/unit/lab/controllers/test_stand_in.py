# SPDX-License-Identifier: MIT
"""The stand-in for gateways whose pods are simulated."""

from __future__ import annotations

import base64
import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from lablib.controllers.api import ApiError
from lablib.controllers.haproxy import Listen, render
from lablib.controllers.site import Server, Site
from lablib.controllers.stand_in import StandIn, answer, divert

KEY = "sk-right"
SIMULATED = Server("p", "10.128.4.1", 4000)
REAL = Server("p", "10.244.0.7", 4000)


@pytest.mark.parametrize(
    ("url", "headers", "status", "said"),
    [
        ("/health/readiness", {}, 200, {"status": "healthy", "db": "connected"}),
        ("/health/liveliness", {}, 200, "I'm alive!"),
        ("/v1/models?x=1", {"Authorization": f"Bearer {KEY}"}, 200, {"data": [], "object": "list"}),
        ("/models", {"x-litellm-api-key": f"Bearer {KEY}"}, 200, {"data": [], "object": "list"}),
        ("/v1/models", {"x-litellm-api-key": KEY}, 200, {"data": [], "object": "list"}),
        ("/v1/models", {}, 401, "auth_error"),
        ("/v1/models", {"Authorization": "Bearer "}, 401, "auth_error"),
        ("/v1/models", {"Authorization": "Bearer sk-wrong"}, 401, "token_not_found_in_db"),
        # LiteLLM's own header is the one that counts.
        (
            "/v1/models",
            {"Authorization": f"Bearer {KEY}", "x-litellm-api-key": "sk-wrong"},
            401,
            "token_not_found_in_db",
        ),
        ("/anything", {}, 404, {"detail": "Not Found"}),
    ],
)
def test_answers(url: str, headers: dict[str, str], status: int, said: Any) -> None:
    code, body = answer(url, headers, lambda: KEY)
    assert code == status
    if status == 401:
        assert body["error"]["code"] == "401"
        assert body["error"]["message"].startswith("Authentication Error, ")
        assert body["error"]["type"] == said
        assert KEY not in str(body)
    else:
        assert body == said


def test_no_key_is_asked_for_where_none_is_needed() -> None:
    def never() -> str:
        raise AssertionError

    answer("/health/readiness", {}, never)
    answer("/v1/models", {}, never)


@pytest.mark.parametrize(("servers", "ours"), [((), False), ((REAL,), False), ((SIMULATED,), True)])
def test_only_ready_simulated_pods_are_stood_in_for(
    servers: tuple[Server, ...], ours: bool
) -> None:
    site = Site("be:ns:litellm", "a.lab", "ns", servers, secure=True)
    (found,) = divert([site], 4711)
    assert found.stand_in == ours
    text = render([found], Listen("198.18.0.2", 80, 443, Path("/pem"), Path("/503")))
    assert ("127.0.0.1:4711" in text) == ours
    assert ("http-request set-header X-Lab-Namespace ns" in text) == ours
    assert "10.128.4.1" not in text


class Api:
    """Knows the Secret of one namespace."""

    def get(self, path: str) -> dict[str, Any]:
        if path != "/api/v1/namespaces/ns/secrets/litellm-secret":
            raise ApiError(404, "not found")
        return {"data": {"LITELLM_MASTER_KEY": base64.b64encode(KEY.encode()).decode()}}


@pytest.mark.parametrize(("namespace", "status"), [("ns", 200), ("other", 503)])
def test_the_key_is_that_of_the_namespaces_secret(namespace: str, status: int) -> None:
    server = StandIn(Api())  # type: ignore[arg-type]
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"X-Lab-Namespace": namespace, "Authorization": f"Bearer {KEY}"}
    for url, expected in (("/v1/models", status), ("/health/readiness", 200)):
        connection.request("GET", url, headers=headers)
        response = connection.getresponse()
        assert response.status == expected
        json.loads(response.read())
    connection.close()
    server.stop()
