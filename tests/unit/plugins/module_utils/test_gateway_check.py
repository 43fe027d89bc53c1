# SPDX-License-Identifier: MIT
"""Which way a gateway is asked, when the other way is taken, and what the answers mean."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_check import GatewayCheck

from .gateway_stand_in import StandIn, make_certificate, serve
from .readiness_cluster import instance

KEY = "sk-canary0123456789abcdef0123456789abcdef"
BUNDLE = "/api/v1/namespaces/openshift-config-managed/configmaps/default-ingress-cert"
PROXY = "/api/v1/namespaces/lab-user1/services/litellm:http/proxy"
HEALTHY = {"status": "healthy", "db": "connected"}
MODELS = {"object": "list", "data": [{"id": "a"}, {"id": "b"}]}


class Keys:
    """Stands in for the Secrets."""

    def master_key(self, namespace: str) -> str:
        if namespace == "lab-nokey":
            raise LitemaasError("Secret litellm-secret does not exist in namespace lab-nokey")
        return KEY


class Scene:
    """A router and an API server, each a server of its own."""

    def __init__(self, router: StandIn, api: StandIn, ca: str) -> None:
        self.router, self.api = router, api
        api.answers[BUNDLE] = 200, {"data": {"ca-bundle.crt": ca}}
        for stand_in, prefix in ((router, ""), (api, PROXY)):
            stand_in.answers[f"{prefix}/health/readiness"] = 200, HEALTHY
            stand_in.answers[f"{prefix}/v1/models"] = 200, MODELS

    def check(self, unusable: dict[str, str] | None = None) -> GatewayCheck:
        client = Client(Connection(host=self.api.url, source="the test"), retries=0)
        return GatewayCheck(client, Keys(), unusable or {})  # type: ignore[arg-type]

    def instance(self, **more: Any) -> dict[str, Any]:
        return instance("user1", **{"expose": "route", "url": self.router.url, **more})

    def proxied(self) -> bool:
        return any(path.startswith(PROXY) for _method, path, _headers, _body in self.api.seen)


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return make_certificate(tmp_path_factory.mktemp("pki"))


@pytest.fixture(name="scene")
def _scene(certificate: tuple[Path, str]) -> Iterator[Scene]:
    with serve(certificate[0]) as router, serve() as api:
        yield Scene(router, api, certificate[1])


def closed() -> str:
    """The address of a port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{free.getsockname()[1]}"


def test_through_the_route_where_that_works(scene: Scene) -> None:
    answer = scene.check().ask(scene.instance(), 0, 2)
    assert answer == (v.ready("gateway"), "route", "", 2)
    assert not scene.proxied(), "the API server was bothered"
    assert scene.check().ask(scene.instance(expose="ingress"), 0, 2).via == "ingress"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"expose": "none", "url": "http://litellm.lab-user1.svc:4000"}, "no address outside"),
        ({"url": "http://litellm.example.com"}, "the key is not sent in clear text"),
        ({"url": "https://litellm.invalid"}, "its host name does not resolve here"),
    ],
)
def test_through_the_api_server_at_once(scene: Scene, more: dict[str, str], reason: str) -> None:
    answer = scene.check().ask(scene.instance(**more), 0, 2)
    assert (answer.verdict.ready, answer.via, answer.models) == (True, "proxy", 2)
    assert reason in answer.via_reason


def test_an_untrusted_route_is_left_for_the_api_server(scene: Scene) -> None:
    del scene.api.answers[BUNDLE]
    answer = scene.check().ask(scene.instance(), 0, 2)
    assert (answer.verdict.ready, answer.via) == (True, "proxy")
    assert "certificate is not trusted here" in answer.via_reason
    assert not scene.router.seen, "something was sent to a server that nobody vouches for"


def test_a_bundle_that_may_not_be_read_is_no_error(scene: Scene) -> None:
    scene.api.answers[BUNDLE] = 403, {"kind": "Status", "message": "forbidden"}
    assert scene.check().ask(scene.instance(), 0, 2).via == "proxy"


def test_a_refused_connection_may_be_a_router_that_reloads(scene: Scene) -> None:
    check, target = scene.check(), scene.instance(url=closed())
    answer = check.ask(target, 0, 2)
    assert (answer.verdict.severity, answer.via) == (v.Severity.TROUBLE, "route")
    assert "refused" in answer.verdict.reason
    assert not scene.proxied()
    answer = check.ask(target, 10, 2)
    assert (answer.verdict.ready, answer.via) == (True, "proxy")


def test_what_one_host_showed_holds_for_its_domain(scene: Scene) -> None:
    check = scene.check()
    check.ask(scene.instance(url="https://a.apps.invalid"), 0, 2)
    assert list(check.unusable) == ["apps.invalid"]
    # The next slice, another process, does not try again.
    answer = scene.check(check.unusable).ask(scene.instance(url="https://b.apps.invalid"), 0, 2)
    assert "https://a.apps.invalid cannot be used" in answer.via_reason


def test_a_domain_that_worked_is_not_given_up_for_one_host(scene: Scene) -> None:
    check = scene.check()
    check.ask(scene.instance(), 0, 2)
    check.ask(scene.instance(url=closed()), 10, 2)
    assert not check.unusable


ROUTER_PAGE = b"<html><h1>Application is not available</h1></html>"
WRONG_KEY = {"error": {"message": f"Invalid proxy key {KEY}", "type": "auth_error"}}


@pytest.mark.parametrize(
    ("path", "status", "body", "severity", "patience", "fragments"),
    [
        ("/health/readiness", 503, ROUTER_PAGE, "TROUBLE", None, ["does not lead to the gateway"]),
        (
            "/health/readiness",
            503,
            {"status": "unhealthy", "db": "disconnected"},
            "TROUBLE",
            None,
            ["is not healthy", "disconnected"],
        ),
        (
            "/health/readiness",
            200,
            {"status": "healthy", "db": "Not connected"},
            "TROUBLE",
            None,
            ["runs without its database (db: Not connected)"],
        ),
        (
            "/v1/models",
            401,
            WRONG_KEY,
            "PERMANENT",
            30,
            ["refuses the master key of Secret litellm-secret (401", "restart the Deployment"],
        ),
        ("/v1/models", 500, {"error": {"message": "boom"}}, "TROUBLE", None, ["answers 500: boom"]),
        ("/v1/models", 200, {"no": "list"}, "PERMANENT", 30, ["not a list of models"]),
        ("/health/readiness", 404, {"detail": "Not Found"}, "PERMANENT", 30, ["something else"]),
        ("/health/readiness", 302, b"", "PERMANENT", 30, ["something else"]),
    ],
)
def test_answers_that_are_not_ready(
    scene: Scene,
    *,
    path: str,
    status: int,
    body: Any,
    severity: str,
    patience: float | None,
    fragments: list[str],
) -> None:
    scene.router.answers[path] = status, body
    answer = scene.check().ask(scene.instance(), 60, 2)
    assert (answer.verdict.severity, answer.verdict.patience) == (v.Severity[severity], patience)
    for fragment in fragments:
        assert fragment in answer.verdict.reason
    assert KEY not in str(answer)
    assert not scene.proxied(), "a Route that answers is not gone around"


@pytest.mark.parametrize(
    ("status", "body", "patience", "fragment"),
    [
        (403, {"kind": "Status", "message": "User x cannot get"}, 0, "to get services/proxy"),
        (503, {"kind": "Status", "message": "no endpoints available"}, None, "no endpoints"),
        (401, WRONG_KEY, 30, "refuses the master key"),
    ],
)
def test_the_api_servers_own_refusals(
    scene: Scene, status: int, body: Any, patience: float | None, fragment: str
) -> None:
    scene.api.answers[f"{PROXY}/health/readiness"] = status, body
    answer = scene.check().ask(scene.instance(url="https://litellm.invalid"), 0, 2)
    assert answer.verdict.patience == patience
    assert fragment in answer.verdict.reason
    if "kind" in body:
        assert "does not resolve here" in answer.verdict.reason, "why the proxy was asked"


def test_without_a_key_nothing_is_asked(scene: Scene) -> None:
    answer = scene.check().ask({**scene.instance(), "namespace": "lab-nokey"}, 0, 2)
    assert (answer.verdict.patience, answer.via) == (10, "")
    assert "litellm-secret does not exist" in answer.verdict.reason
    assert not scene.router.seen
