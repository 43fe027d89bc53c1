# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order objects are sent.

Internal to rhpds.litemaas: no stable interface for other collections.

Within a stage everything goes at once; a stage begins when the one before is through. Two borders
are needed: nothing can be sent into a namespace that is not there, and a workload that comes before
its ServiceAccount has its pods refused, with a back-off that grows to minutes. The second border
also means that a pod never runs before its NetworkPolicy, and finds its Services in its environment.

What sets a cluster's controllers to work comes last in its stage, what makes pods last of all: their
work takes the API server's time from what is still to be sent. OpenShift makes a pull secret for each
ServiceAccount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_HOMES = frozenset(("Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass"))
_GROUNDS = frozenset(
    (
        *("ClusterRole", "ClusterRoleBinding", "ConfigMap", "LimitRange", "NetworkPolicy"),
        *("PersistentVolume", "PersistentVolumeClaim", "ResourceQuota", "Role", "RoleBinding"),
        *("Secret", "Service", "ServiceAccount"),
    )
)
# A Secret of this type is deleted where its ServiceAccount is not there yet.
_TOKEN = "kubernetes.io/service-account-token"
_WORK = frozenset(
    (
        *("CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"),
        "ServiceAccount",
    )
)


def stage(obj: Mapping[str, Any]) -> int:
    """0: where objects live; 1: what pods need; 2: what runs, what points at it, and the rest."""
    if obj["kind"] in _HOMES:
        return 0
    if obj.get("type") == _TOKEN:
        return 2
    return 1 if obj["kind"] in _GROUNDS else 2


def stages(objects: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the objects of the three stages, in the given order but for what makes work."""
    sorted_out: list[list[Mapping[str, Any]]] = [[], [], []]
    for obj in objects:
        sorted_out[stage(obj)].append(obj)
    for part in sorted_out:
        part.sort(key=lambda obj: obj["kind"] in _WORK)
    return sorted_out
