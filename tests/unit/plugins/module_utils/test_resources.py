# SPDX-License-Identifier: MIT
"""Paths on the API server, from the table and by discovery."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


@pytest.mark.parametrize(
    ("api_version", "kind", "namespace", "path"),
    [
        ("v1", "Secret", "a", "/api/v1/namespaces/a/secrets"),
        ("v1", "Secret", None, "/api/v1/secrets"),
        ("v1", "Namespace", None, "/api/v1/namespaces"),
        ("v1", "Node", "ignored", "/api/v1/nodes"),
        ("apps/v1", "Deployment", "a", "/apis/apps/v1/namespaces/a/deployments"),
        ("route.openshift.io/v1", "Route", "a", "/apis/route.openshift.io/v1/namespaces/a/routes"),
        ("networking.k8s.io/v1", "Ingress", None, "/apis/networking.k8s.io/v1/ingresses"),
        ("config.openshift.io/v1", "Ingress", None, "/apis/config.openshift.io/v1/ingresses"),
    ],
)
def test_collection_paths(api_version: str, kind: str, namespace: str | None, path: str) -> None:
    assert _resources.collection_path(api_version, kind, namespace) == path


def test_object_path_cannot_leave_its_collection() -> None:
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "a/b", "name": "../c"}}
    assert _resources.object_path(obj) == "/api/v1/namespaces/a%2Fb/pods/..%2Fc"


class Server:
    """Knows one group."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        if path != "/apis/example.com/v1":
            return None
        return {
            "resources": [
                {"name": "widgets/status", "kind": "Widget", "namespaced": True},
                {"name": "widgets", "kind": "Widget", "namespaced": True},
                {"name": "planets", "kind": "Planet", "namespaced": False},
            ]
        }


def test_discovery_is_for_unknown_kinds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_resources, "KINDS", dict(_resources.KINDS))
    server: Any = Server()
    assert _resources.resolve(server, "v1", "Pod").plural == "pods"
    assert server.asked == []
    assert _resources.resolve(server, "example.com/v1", "Widget") == ("widgets", True)
    assert _resources.resolve(server, "example.com/v1", "Planet") == ("planets", False)
    assert server.asked == ["/apis/example.com/v1"]
    assert _resources.collection_path("example.com/v1", "Planet") == "/apis/example.com/v1/planets"
    with pytest.raises(LitemaasError, match=r"no kind Gadget in example.com/v1"):
        _resources.resolve(server, "example.com/v1", "Gadget")
    with pytest.raises(LitemaasError, match=r"not known here"):
        _resources.lookup("example.com/v1", "Gadget")


def test_exists_asks_the_server_whatever_the_table_says() -> None:
    server: Any = Server()
    assert _resources.exists(server, "example.com/v1", "Widget")
    assert not _resources.exists(server, "route.openshift.io/v1", "Route")
    assert server.asked == ["/apis/example.com/v1", "/apis/route.openshift.io/v1"]


def test_a_definition_brings_its_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_resources, "KINDS", dict(_resources.KINDS))
    spec: dict[str, Any] = {
        "group": "example.com",
        "names": {"plural": "widgets", "kind": "Widget"},
        "scope": "Namespaced",
        "versions": [{"name": "v1"}, {"name": "v2"}],
    }
    _resources.declare({"spec": spec})
    for version in ("v1", "v2"):
        assert _resources.lookup(f"example.com/{version}", "Widget") == ("widgets", True)
    for broken in (
        {},
        {"spec": None},
        {"spec": {**spec, "versions": None}},
        {"spec": {"names": []}},
    ):
        _resources.declare(broken)
