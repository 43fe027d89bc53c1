# SPDX-License-Identifier: MIT
"""What an application answers, which way it is asked, and what its log tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _application_check
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v

from .gateway_stand_in import make_certificate, serve
from .test_gateway_check import Scene

PODS = "/api/v1/namespaces/lab-user1/pods"
LISTED = f"{PODS}?limit=500&labelSelector=app%3Dbackend"
LOG = f"{PODS}/backend-1/log?container=backend&limitBytes=65536"
FRONTEND = "/api/v1/namespaces/lab-user1/services/frontend:http/proxy"
HEALTH = _application_check.HEALTH


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return make_certificate(tmp_path_factory.mktemp("pki"))


@pytest.fixture(name="scene")
def _scene(certificate: tuple[Path, str]) -> Iterator[Scene]:
    with serve(certificate[0]) as router, serve() as api:
        scene = Scene(router, api, certificate[1])
        for stand_in, prefix in ((router, ""), (api, FRONTEND)):
            stand_in.answers[f"{prefix}/"] = 200, b"<title>LiteMaaS</title>"
            stand_in.answers[f"{prefix}{HEALTH}"] = 200, {"ready": True}
        api.answers[LISTED] = 200, {"items": [], "metadata": {}}
        yield scene


def ask(scene: Scene, url: str = "") -> Any:
    instance = scene.instance(frontend={"host": "x", "url": url or scene.router.url})
    return scene.check().ask(instance, 60, 2)


def test_it_is_asked_after_the_gateway_through_its_own_address(scene: Scene) -> None:
    answer = ask(scene)
    assert answer == (v.ready("gateway"), "route", "", 2)
    paths = [path for _method, path, _headers, _body in scene.router.seen]
    assert paths == ["/health/readiness", "/v1/models", "/", HEALTH]
    assert not any("Authorization" in headers for _m, path, headers, _b in scene.router.seen[2:])


def test_without_one_nothing_more_is_asked(scene: Scene) -> None:
    assert scene.check().ask(scene.instance(frontend=None), 0, 2).verdict.ready
    assert len(scene.router.seen) == 2


def test_through_the_api_server_where_its_address_cannot_be_used(scene: Scene) -> None:
    assert ask(scene, "https://litemaas.invalid").verdict.ready
    assert any(path.startswith(FRONTEND) for _method, path, _h, _b in scene.api.seen)


@pytest.mark.parametrize(
    ("path", "status", "body", "severity", "fragment"),
    [
        (
            "/",
            503,
            b"<h1>Application is not available</h1>",
            "TROUBLE",
            "answers 503: the frontend",
        ),
        (HEALTH, 502, b"<h1>502 Bad Gateway</h1>", "TROUBLE", "or the backend behind it"),
        (HEALTH, 503, {"ready": False}, "TROUBLE", "is not up yet"),
        (HEALTH, 200, {"ready": False}, "TROUBLE", "is not up yet"),
        (HEALTH, 404, {"error": "x"}, "PERMANENT", "something else than the application"),
        (HEALTH, 500, {"error": {"message": "boom"}}, "TROUBLE", "answers 500: boom"),
    ],
)
def test_answers_that_are_not_ready(
    scene: Scene, *, path: str, status: int, body: Any, severity: str, fragment: str
) -> None:
    scene.router.answers[path] = status, body
    verdict = ask(scene).verdict
    assert (verdict.component, verdict.severity) == ("application", v.Severity[severity])
    assert fragment in verdict.reason


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("a\nb\n", ""),
        ('x\n{"level":50,"msg":"Failed to apply database migrations: y"}\nz', "y"),
        ("❌ Database migration failed: relation is a view", "is a view"),
    ],
)
def test_a_log_that_tells_of_a_failed_migration(log: str, line: str) -> None:
    found = _application_check.failure(log)
    assert line in found and bool(found) is bool(line)


def test_a_migration_that_failed_is_named(scene: Scene) -> None:
    pod = {"metadata": {"name": "backend-1", "namespace": "lab-user1"}}
    scene.api.answers[LISTED] = 200, {"items": [pod], "metadata": {}}
    scene.api.answers[LOG] = 200, b"Failed to apply database migrations: boom"
    verdict = ask(scene).verdict
    assert verdict.patience == 30
    assert "was not migrated: Failed to apply database migrations: boom" in verdict.reason


def test_who_may_not_read_logs_is_not_held_up(scene: Scene) -> None:
    scene.api.answers[LISTED] = 403, {"kind": "Status", "message": "forbidden"}
    assert ask(scene).verdict.ready
