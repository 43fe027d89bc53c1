# SPDX-License-Identifier: MIT
"""What a pod asks of a node, as the scheduler reckons."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _node

MI = 2**20


def container(cpu: str = "", memory: str = "", **more: Any) -> dict[str, Any]:
    requests = {key: text for key, text in (("cpu", cpu), ("memory", memory)) if text}
    return {"resources": {"requests": requests}, **more} if requests else {**more}


@pytest.mark.parametrize(
    ("spec", "cpu", "memory"),
    [
        ({"containers": [container()]}, 0, 0),
        ({"containers": [container("250m", "1Gi"), container("1", "512Mi")]}, 1250, 1536 * MI),
        # An init container counts only where it is larger than the rest together.
        (
            {
                "containers": [container("100m", "1Gi")],
                "initContainers": [container("10m", "32Mi"), container("2", "64Mi")],
            },
            2000,
            1024 * MI,
        ),
        # A sidecar runs beside what starts after it, and beside the containers.
        (
            {
                "containers": [container("100m", "100Mi")],
                "initContainers": [
                    container("1", "10Mi"),
                    container("500m", "50Mi", restartPolicy="Always"),
                    container("700m", "20Mi"),
                ],
            },
            1200,
            150 * MI,
        ),
        (
            {"containers": [container("100m", "100Mi")], "overhead": {"cpu": "50m"}},
            150,
            100 * MI,
        ),
        (
            {
                "containers": [container("100m", "100Mi")],
                "resources": {"requests": {"memory": "1Gi"}},
            },
            100,
            1024 * MI,
        ),
        ({"containers": [container("1.5", "1500k")]}, 1500, 1500000),
        ({"containers": [container("100u", "1m")]}, 1, 1),
    ],
)
def test_requests(spec: dict[str, Any], cpu: int, memory: int) -> None:
    assert _node.requests(spec) == _node.Amount(cpu, memory, 1)


def test_in_words() -> None:
    found = _node.Amount(1500, 3 * 2**30, 2, _node.UNLIMITED).words()
    assert found == {"cpu": "1500m", "memory": "3Gi", "pods": "2", "volumes": "no limit"}


@pytest.mark.parametrize(
    ("provisioner", "driver"),
    [
        ("ebs.csi.aws.com", "ebs.csi.aws.com"),
        ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
        ("kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"),
        ("example.com/nfs", "example.com/nfs"),
    ],
)
def test_the_driver_of_a_provisioner(provisioner: str, driver: str) -> None:
    assert _node.driver(provisioner) == driver


@pytest.mark.parametrize(
    ("drivers", "limits", "volumes"),
    [
        ({}, False, {"a": _node.UNLIMITED, "b": _node.UNLIMITED}),
        ({"a": [("other", 3)]}, False, {"a": _node.UNLIMITED, "b": _node.UNLIMITED}),
        (
            {"a": [("x", None)], "b": [("x", None)]},
            False,
            {"a": _node.UNLIMITED, "b": _node.UNLIMITED},
        ),
        ({"a": [("other", 3), ("x", 25)]}, True, {"a": 25, "b": 0}),
        ({"a": [("x", 25)], "b": [("x", None)]}, True, {"a": 25, "b": _node.UNLIMITED}),
    ],
)
def test_limits_of_volumes(
    drivers: dict[str, list[tuple[str, int | None]]], limits: bool, volumes: dict[str, int]
) -> None:
    nodes = {name: _node.Node(name, _node.Amount(volumes=_node.UNLIMITED)) for name in "ab"}
    csi_nodes = [
        {
            "metadata": {"name": name},
            "spec": {
                "drivers": [
                    {"name": each, "allocatable": {} if count is None else {"count": count}}
                    for each, count in found
                ]
            },
        }
        for name, found in drivers.items()
    ]
    # What kubelet writes before any driver is there; and a node that takes no pods.
    csi_nodes.append({"metadata": {"name": "b"}, "spec": {"drivers": None}})
    closed = [{"name": "x", "allocatable": {"count": 1}}]
    csi_nodes.append({"metadata": {"name": "closed"}, "spec": {"drivers": closed}})
    nodes["closed"] = _node.Node("closed", _node.Amount(), "tainted")
    assert _node.limit_volumes(nodes, csi_nodes, "x") is limits
    assert {name: nodes[name].allocatable.volumes for name in "ab"} == volumes
