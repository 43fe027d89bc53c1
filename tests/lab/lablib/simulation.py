# SPDX-License-Identifier: MIT
"""Simulated nodes: objects that look like a cluster's workers, whose kubelets KWOK plays.

Beside the real node they carry a taint, so that pods go there only when somebody wants it; alone they are open to all.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lablib.errors import LabError
from lablib.kubectl import Kubectl
from lablib.kwok import NODE_ANNOTATION
from lablib.settings import SIMULATED_NODE, SIMULATED_POD_CIDR

LABEL = "lab.test/simulated"  # of the nodes; the taint has the same name
POD_PREFIX = 22  # each node has a /22 for its pods
MOST_NODES = 2 ** (POD_PREFIX - ipaddress.ip_network(SIMULATED_POD_CIDR).prefixlen)
DISKS = "ebs.csi.aws.com"  # the driver whose disks a node can only have so many of
RULES = Path(__file__).resolve().parent.parent / "manifests" / "simulation" / "rules.yaml"


def parse_size(text: str) -> dict[str, str]:
    """`cpu=8,pods=110` → what a simulated node offers, the rest by default. ValueError."""
    size = dict(SIMULATED_NODE)
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in size or not value:
            raise ValueError(f"{part!r} is not one of {', '.join(f'{key}=…' for key in size)}")
        size[name] = value
    return size


def name_of(number: int) -> str:
    """The name of the node of this number (from 1)."""
    return f"simulated-{number}"


def node(number: int, size: Mapping[str, str]) -> dict[str, Any]:
    """The node of this number. `size`: as in SIMULATED_NODE."""
    name, zone = name_of(number), "abc"[number % 3]
    first = int(ipaddress.ip_network(SIMULATED_POD_CIDR).network_address)
    pods = f"{ipaddress.ip_address(first + (number << 32 - POD_PREFIX))}/{POD_PREFIX}"
    offered = {resource: size[resource] for resource in ("cpu", "memory", "pods")}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {NODE_ANNOTATION: "fake"},
            "labels": {
                LABEL: "true",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node-role.kubernetes.io/worker": "",
                "topology.kubernetes.io/region": "us-east-2",
                "topology.kubernetes.io/zone": f"us-east-2{zone}",
            },
        },
        "spec": {"podCIDR": pods, "podCIDRs": [pods]},
        "status": {"allocatable": offered, "capacity": offered},
    }


def csi_node(number: int, size: Mapping[str, str]) -> dict[str, Any]:
    """How many disks that node takes: the scheduler and a careful installer read it here."""
    name = name_of(number)
    driver = {
        "name": DISKS,
        "nodeID": name,
        "topologyKeys": ["topology.kubernetes.io/zone"],
        "allocatable": {"count": int(size["volumes"])},
    }
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": name, "labels": {LABEL: "true"}},
        "spec": {"drivers": [driver]},
    }


def ensure(kubectl: Kubectl, count: int, size: Mapping[str, str], *, tainted: bool) -> None:
    """Make exactly this many nodes of this size; none when `count` is 0."""
    numbers = range(1, count + 1)
    _remove_surplus(kubectl, {name_of(number) for number in numbers})
    if not count:
        return
    nodes = [node(number, size) for number in numbers]
    _apply(kubectl, nodes)
    _apply(kubectl, nodes, "--subresource=status")
    disks = [csi_node(number, size) for number in numbers]
    try:
        _apply(kubectl, disks)
    except LabError:  # a driver's limit cannot be changed
        kubectl(["delete", "csinodes", "-l", LABEL])
        _apply(kubectl, disks)
    taint = f"{LABEL}=true:NoSchedule" if tainted else f"{LABEL}-"
    try:
        kubectl(["taint", "nodes", "-l", LABEL, "--overwrite", taint])
    except LabError as error:
        if "not found" not in str(error):  # there was none to take away
            raise
    kubectl(["apply", "--server-side", "--force-conflicts", "-f", str(RULES)])


def ready(kubectl: Kubectl) -> bool:
    """Whether all simulated nodes are ready."""
    path = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
    states = kubectl(["get", "nodes", "-l", LABEL, "-o", path]).split()
    count = len(kubectl(["get", "nodes", "-l", LABEL, "-o", "name"]).split())
    return len(states) == count and set(states) <= {"True"}


def _remove_surplus(kubectl: Kubectl, wanted: set[str]) -> None:
    for kind in ("nodes", "csinodes"):
        present = kubectl(["get", kind, "-l", LABEL, "-o", "name"]).split()
        surplus = [name for name in present if name.partition("/")[2] not in wanted]
        if surplus:
            kubectl(["delete", "--wait=false", *surplus])


def _apply(kubectl: Kubectl, objects: list[dict[str, Any]], *options: str) -> None:
    document = {"apiVersion": "v1", "kind": "List", "items": objects}
    command = ["apply", "--server-side", "--force-conflicts", "--field-manager=lab", *options]
    kubectl([*command, "-f", "-"], json.dumps(document))
