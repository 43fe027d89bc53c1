# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes with the room on them, as the scheduler reckons it.

Internal to rhpds.litemaas: no stable interface for other collections.

Pure: takes objects of the API as they are. Whole numbers, because there may be thousands of pods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _quantity, _sizing

UNLIMITED = 10**9  # volumes of a node whose driver sets no limit
_CONTROL_PLANE = {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}
# A class of the drivers that Kubernetes had built in is served by the CSI driver that took over.
_MIGRATED = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}


@dataclass(frozen=True)
class Amount:
    """What a pod asks for, or a node has: CPU in thousandths of a core, memory in bytes, pieces."""

    cpu: int = 0
    memory: int = 0
    pods: int = 0
    volumes: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.cpu + other.cpu,
            self.memory + other.memory,
            self.pods + other.pods,
            self.volumes + other.volumes,
        )

    def __mul__(self, times: int) -> Amount:
        return Amount(
            self.cpu * times, self.memory * times, self.pods * times, self.volumes * times
        )

    def __sub__(self, other: Amount) -> Amount:
        return self + other * -1

    def most(self, other: Amount) -> Amount:
        """The larger of both, each for itself."""
        return Amount(
            max(self.cpu, other.cpu),
            max(self.memory, other.memory),
            max(self.pods, other.pods),
            max(self.volumes, other.volumes),
        )

    def words(self) -> dict[str, str]:
        """As a person reads it: ``{"cpu": "1500m", "memory": "2Gi", "pods": "3", …}``."""
        return {
            "cpu": _sizing.cpu(Decimal(self.cpu) / 1000),
            "memory": _sizing.size(Decimal(self.memory)),
            "pods": str(self.pods),
            "volumes": "no limit" if self.volumes >= UNLIMITED else str(self.volumes),
        }

    def holds(self, each: Amount) -> int:
        """How many times *each*, which is not nothing, goes into this room."""
        pairs = (
            (self.cpu, each.cpu),
            (self.memory, each.memory),
            (self.pods, each.pods),
            (self.volumes, each.volumes),
        )
        return max(0, min(there // asked for there, asked in pairs if asked))


@dataclass
class Node:
    """A node and what is taken of it."""

    name: str
    allocatable: Amount
    closed: str = ""
    """Why it takes no pod of ours, in a word or two; empty when it does."""
    used: Amount = field(default_factory=Amount)

    @property
    def room(self) -> Amount:
        """What is left; never less than nothing."""
        return (self.allocatable - self.used).most(Amount())


def parse(obj: Mapping[str, Any]) -> Node:
    """Read a Node object. Its volumes are unlimited until :func:`limit_volumes` knows better."""
    found = (obj.get("status") or {}).get("allocatable") or {}
    allocatable = Amount(
        _milli(found.get("cpu", "0")),
        bytes_of(found.get("memory", "0")),
        bytes_of(found.get("pods", "0")),
        UNLIMITED,
    )
    return Node(obj["metadata"]["name"], allocatable, _closed(obj))


def requests(spec: Mapping[str, Any]) -> Amount:
    """What a pod's *spec* asks of a node, by the scheduler's rules.

    Init containers run one after the other and before the rest, so of them the largest counts where
    it is larger than the rest together; those that run on (sidecars) are added from their start.
    """
    running, sidecars, start = Amount(), Amount(), Amount()
    for container in spec.get("containers") or ():
        running += _asked(container)
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            sidecars += _asked(container)
            start = start.most(sidecars)
        else:
            start = start.most(sidecars + _asked(container))
    total = (running + sidecars).most(start)
    whole = (spec.get("resources") or {}).get("requests") or {}
    overhead = spec.get("overhead") or {}
    return Amount(
        _milli(whole["cpu"]) if "cpu" in whole else total.cpu,
        bytes_of(whole["memory"]) if "memory" in whole else total.memory,
        1,
    ) + Amount(_milli(overhead.get("cpu", "0")), bytes_of(overhead.get("memory", "0")))


def driver(provisioner: str) -> str:
    """The CSI driver behind a storage class's provisioner."""
    return _MIGRATED.get(provisioner, provisioner)


def limit_volumes(
    nodes: Mapping[str, Node], csi_nodes: Iterable[Mapping[str, Any]], name: str
) -> bool:
    """Set how many volumes of the driver *name* each node takes; whether any has a limit.

    Only nodes that take pods count. A driver that none of them has is not one of CSI, or has no part
    on the nodes: it sets no limits. Where some have it, the others take no volume of it.
    """
    limits: dict[str, int] = {}
    for obj in csi_nodes:
        node = nodes.get(obj["metadata"]["name"])
        if node is None or node.closed:
            continue
        for each in (obj.get("spec") or {}).get("drivers") or ():
            if each["name"] == name:
                count = (each.get("allocatable") or {}).get("count")
                limits[node.name] = UNLIMITED if count is None else count
    if all(limit == UNLIMITED for limit in limits.values()):
        return False
    for node in nodes.values():
        there = node.allocatable
        count = limits.get(node.name, 0)
        node.allocatable = Amount(there.cpu, there.memory, there.pods, count)
    return True


def attach(nodes: Mapping[str, Node], attachments: Iterable[Mapping[str, Any]], name: str) -> None:
    """Count the volumes of the driver *name* that nodes hold already (VolumeAttachments)."""
    for obj in attachments:
        spec = obj.get("spec") or {}
        node = nodes.get(spec.get("nodeName", ""))
        if node is not None and spec.get("attacher") == name:
            node.used += Amount(volumes=1)


def _closed(obj: Mapping[str, Any]) -> str:
    spec = obj.get("spec") or {}
    barring = {
        taint.get("key", "")
        for taint in spec.get("taints") or ()
        if taint.get("effect") in ("NoSchedule", "NoExecute")
    }
    if barring & _CONTROL_PLANE:
        return "control plane"
    if spec.get("unschedulable"):
        return "cordoned"
    conditions = (obj.get("status") or {}).get("conditions") or ()
    if not any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
        return "not ready"
    if barring:
        return "tainted"
    labels = obj["metadata"].get("labels") or {}
    return "" if labels.get("kubernetes.io/os", "linux") == "linux" else "not Linux"


def _asked(container: Mapping[str, Any]) -> Amount:
    found = (container.get("resources") or {}).get("requests") or {}
    return Amount(_milli(found.get("cpu", "0")), bytes_of(found.get("memory", "0")))


@cache
def _milli(text: str) -> int:
    return math.ceil(_quantity.parse(text) * 1000)


@cache
def bytes_of(text: str) -> int:
    """A quantity as a whole number, rounded up."""
    return math.ceil(_quantity.parse(text))
