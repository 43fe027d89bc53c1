# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the cluster has room for: nodes, what runs there, volumes, storage.

Internal to rhpds.litemaas: no stable interface for other collections.

One LIST a kind, at the same time. Pods are read page by page and only their sums are kept: a
cluster may have ten thousand. What may not be read is unknown and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _demand,
    _labels,
    _node,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._node import Amount, Node

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

_ENDED = "status.phase!=Succeeded,status.phase!=Failed"
_AUTOSCALERS = "/apis/autoscaling.openshift.io/v1beta1/machineautoscalers"


@dataclass
class Reading:
    """What was found. ``unknown``: plural names of what may not be listed."""

    nodes: list[Node] = field(default_factory=list)
    driver: str = ""
    """The CSI driver of the volumes, where nodes limit how many they take."""
    storage: int | None = None
    """Bytes that are left for the storage class, where its driver tells."""
    unknown: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Of nodes and pods, without which nothing can be said, what may not be listed."""
        return [each for each in ("nodes", "pods") if each in self.unknown]


def own_pods(client: Client, deployment: str, namespace: str = "") -> list[_demand.Pod]:
    """The pods of a deployment that have not ended. ApiError 403 where they may not be listed.

    *namespace*: where all of them are; empty for several.
    """
    pages = client.pages(
        _resources.collection_path("v1", "Pod", namespace),
        label_selector=_labels.selector(_labels.deployment_labels(deployment)),
        field_selector=_ENDED,
    )
    # By uid: a list that has to be read again brings objects twice.
    found = {pod["metadata"]["uid"]: _demand.parse(pod) for page in pages for pod in page}
    return list(found.values())


def read(client: Client, deployment: str, storage_class: str, provisioner: str) -> Reading:
    """The nodes with what all pods but the deployment's own take of them."""
    found = Reading()
    kinds = ("nodes", "pods", "csinodes", "csistoragecapacities")

    def one(kind: str) -> Any:
        if kind == "nodes":
            return [_node.parse(obj) for obj in _all(client, "v1", "Node")]
        if kind == "pods":
            return _taken(client, deployment)
        if kind == "csinodes":
            return list(_all(client, "storage.k8s.io/v1", "CSINode"))
        return _storage(client, storage_class)

    parts: dict[str, Any] = {}
    for kind, answer in zip(kinds, client.each(one, kinds), strict=True):
        if isinstance(answer, LitemaasError):
            _forgive(found, kind, answer)
        else:
            parts[kind] = answer
    found.storage = parts.get("csistoragecapacities")
    if "nodes" not in parts or "pods" not in parts:
        return found
    by_name = {node.name: node for node in parts["nodes"]}
    for name, amount in parts["pods"].items():
        if name in by_name:
            by_name[name].used += amount
    found.nodes = list(by_name.values())
    driver = _node.driver(provisioner)
    if _node.limit_volumes(by_name, parts.get("csinodes", ()), driver):
        found.driver = driver
        try:
            attached = list(_all(client, "storage.k8s.io/v1", "VolumeAttachment"))
        except ApiError as error:
            _forgive(found, "volumeattachments", error)
        else:
            _node.attach(by_name, attached, driver)
    return found


def autoscalers(client: Client) -> str:
    """The MachineAutoscalers of OpenShift, in words; empty where there are none or none to see."""
    try:
        found = client.list(_AUTOSCALERS)
    except LitemaasError:
        return ""  # this only makes the words of a refusal better
    each = [
        f"{obj['metadata']['name']} to {(obj.get('spec') or {}).get('maxReplicas')} machines"
        for obj in found
    ]
    if not each:
        return ""
    return f"because its MachineAutoscalers may add nodes ({', '.join(sorted(each))})"


def _all(client: Client, api_version: str, kind: str) -> Iterator[dict[str, Any]]:
    path = _resources.collection_path(api_version, kind)
    yield from (
        {obj["metadata"]["name"]: obj for page in client.pages(path) for obj in page}.values()
    )


def _taken(client: Client, deployment: str) -> dict[str, Amount]:
    """What the pods of others take of each node, but for those that are about to go."""
    pods: dict[str, tuple[str, Amount]] = {}
    for page in client.pages(
        _resources.collection_path("v1", "Pod"),
        label_selector=f"{_labels.DEPLOYMENT}!={deployment}",
        field_selector=f"{_ENDED},spec.nodeName!=",
    ):
        for pod in page:
            if "deletionTimestamp" in pod["metadata"]:
                continue
            spec = pod["spec"]
            pods[pod["metadata"]["uid"]] = spec["nodeName"], _node.requests(spec)
    return _sums(pods.values())


def _sums(pods: Iterable[tuple[str, Amount]]) -> dict[str, Amount]:
    sums: dict[str, Amount] = {}
    for name, amount in pods:
        sums[name] = sums.get(name, Amount()) + amount
    return sums


def _storage(client: Client, storage_class: str) -> int | None:
    found = [
        _node.bytes_of(obj.get("capacity") or "0")
        for obj in client.list(
            _resources.collection_path("storage.k8s.io/v1", "CSIStorageCapacity")
        )
        if obj.get("storageClassName") == storage_class
    ]
    return sum(found) if found else None


def _forgive(found: Reading, kind: str, error: LitemaasError) -> None:
    if not isinstance(error, ApiError) or error.status not in (403, 404):
        raise error
    if error.status == 403:
        found.unknown.append(kind)
