# SPDX-License-Identifier: MIT
"""Pods behind a service, and their weights."""

from __future__ import annotations

from typing import Any

import pytest
from lablib.controllers.site import Endpoints, Server, servers

SERVICE = {
    "metadata": {"namespace": "a", "name": "web"},
    "spec": {"ports": [{"name": "http", "port": 80}, {"port": 81}]},
}


def slice_of(
    name: str, *endpoints: dict[str, Any], kind: str = "IPv4", service: str = "web"
) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": kind,
        "ports": [{"name": "http", "port": 4000}, {"name": "metrics", "port": 9000}],
        "endpoints": list(endpoints),
    }


def pod(address: str, ready: bool | None = True, name: str = "") -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "addresses": [address],
        "conditions": {} if ready is None else {"ready": ready},
    }
    if name:
        endpoint["targetRef"] = {"kind": "Pod", "name": name}
    return endpoint


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("http", [("p", "10.0.0.1", 4000)]),
        (4000, [("p", "10.0.0.1", 4000)]),
        (None, [("p", "10.0.0.1", 4000), ("p", "10.0.0.1", 9000)]),
        ("nothing", []),
        (80, []),  # a number is the pod's port, not the service's
    ],
)
def test_port(port: int | str | None, expected: list[tuple[str, str, int]]) -> None:
    endpoints = Endpoints([SERVICE], [slice_of("s", pod("10.0.0.1", name="p"))])
    assert endpoints.of("a", "web", port) == expected


def test_only_ready_endpoints_of_all_slices_each_once() -> None:
    endpoints = Endpoints(
        [SERVICE],
        [
            slice_of("s1", pod("10.0.0.2"), pod("10.0.0.3", ready=False)),
            slice_of("s2", pod("10.0.0.1", ready=None), pod("10.0.0.2")),
            slice_of("s3", pod("fd00::1"), kind="IPv6"),
            slice_of("s4", pod("10.0.0.9"), service="other"),
            {"metadata": {"namespace": "a", "name": "made-by-hand"}, "addressType": "IPv4"},
        ],
    )
    found = endpoints.of("a", "web", "http")
    assert [address for _, address, _ in found] == ["10.0.0.1", "10.0.0.2"]
    assert endpoints.of("b", "web", "http") == []


@pytest.mark.parametrize(
    ("service", "number", "name"),
    [("web", 80, "http"), ("web", 81, ""), ("web", 82, None), ("none", 80, None)],
)
def test_port_name(service: str, number: int, name: str | None) -> None:
    assert Endpoints([SERVICE], []).port_name("a", service, number) == name


def test_weights_are_shared_out_among_the_endpoints_of_a_service() -> None:
    one, two = [("p", "10.0.0.1", 1)], [("q", "10.0.0.2", 1), ("r", "10.0.0.3", 1)]
    assert [server.weight for server in servers([(100, one), (100, two)])] == [256, 128, 128]
    assert [server.weight for server in servers([(100, one), (0, two)])] == [256, 0, 0]
    assert [server.weight for server in servers([(0, one)])] == [0]
    assert servers([(100, [])]) == ()
    assert servers([(1, one)]) == (Server("p:10.0.0.1:1", "10.0.0.1", 1, 256),)
