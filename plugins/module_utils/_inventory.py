# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds everything with given labels, whoever made it and how long ago.

Internal to rhpds.litemaas: no stable interface for other collections.

Removal needs no list of users: what a larger earlier run left has the same labels. Only metadata is
read, so no Secret's data travels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

# What this collection makes or made, in any release. What controllers make of it (ReplicaSets, Pods,
# EndpointSlices) goes with its owner.
KINDS: tuple[tuple[str, str], ...] = (
    ("v1", "Namespace"),
    ("v1", "ConfigMap"),
    ("v1", "LimitRange"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    # What a site most likely adds.
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("route.openshift.io/v1", "Route"),
)


@dataclass(frozen=True)
class Found:
    """A live object, as far as removal needs it."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    terminating: bool
    optional: str = ""
    """The part of an instance that it belongs to and that may be switched off; else empty."""
    parts: str = ""
    """Of a record of such parts, what it says."""

    @property
    def reference(self) -> dict[str, Any]:
        """The object as ``_resources.object_path`` and ``_changes.change`` take it."""
        metadata = {"name": self.name, **({"namespace": self.namespace} if self.namespace else {})}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata}

    @property
    def label(self) -> str:
        """``Service litemaas/litellm``; of a namespace only its name."""
        where = f"{self.namespace}/" if self.namespace else ""
        return self.name if self.kind == "Namespace" else f"{self.kind} {where}{self.name}"

    @property
    def home(self) -> str:
        """The namespace it is in, or is."""
        return self.name if self.kind == "Namespace" else self.namespace

    @property
    def path(self) -> str:
        return _resources.object_path(self.reference)


class Inventory:
    """Looks for objects by label: in the cluster, or where that is forbidden in some namespaces."""

    def __init__(self, client: Client, selector: str, namespaces: Iterable[str]) -> None:
        self._client = client
        self._selector = selector
        self._namespaces = tuple(namespaces)
        self._narrow: set[tuple[str, str]] = set()  # kinds that may not be listed in the cluster

    def find(self, kinds: Iterable[tuple[str, str]] = KINDS) -> list[Found]:
        """Return what there is. Raises LitemaasError when nothing may be listed at all."""
        wanted = list(kinds)
        found: list[Found] = []
        forbidden: list[LitemaasError] = []
        for result in self._client.each(self._find_kind, wanted):
            if isinstance(result, ApiError) and result.status == 403:
                # Who may not list a kind could not have had it applied either.
                forbidden.append(result)
            elif isinstance(result, LitemaasError):
                raise result
            else:
                found += result
        if len(forbidden) == len(wanted):
            raise LitemaasError(
                f"{forbidden[0]} To look for what is to be removed without permission to list the "
                "cluster, name its namespaces."
            )
        return found

    def _find_kind(self, kind: tuple[str, str]) -> list[Found]:
        if kind not in self._narrow:
            try:
                return self._list(kind, _resources.collection_path(*kind))
            except ApiError as error:
                if error.status != 403 or not self._namespaces:
                    raise
                self._narrow.add(kind)
        if not _resources.lookup(*kind).namespaced:
            return self._get_each(kind)
        paths = [_resources.collection_path(*kind, name) for name in self._namespaces]
        found: list[Found] = []
        for result in self._client.each(lambda path: self._list(kind, path), paths):
            if isinstance(result, LitemaasError):
                raise result
            found += result
        return found

    def _get_each(self, kind: tuple[str, str]) -> list[Found]:
        """Read the named namespaces one by one."""
        found = []
        for name in self._namespaces:
            live = self._client.find(f"{_resources.collection_path(*kind)}/{name}")
            labels = (live or {}).get("metadata", {}).get("labels") or {}
            wanted = dict(part.split("=", 1) for part in self._selector.split(","))
            if live and wanted.items() <= labels.items():
                found.append(described(kind, live["metadata"]))
        return found

    def _list(self, kind: tuple[str, str], path: str) -> list[Found]:
        try:
            return [
                described(kind, item["metadata"])
                for page in self._client.pages(path, label_selector=self._selector, metadata=True)
                for item in page
            ]
        except ApiError as error:
            if error.status == 404:  # no Routes on plain Kubernetes
                return []
            raise


def described(kind: tuple[str, str], metadata: Mapping[str, Any]) -> Found:
    """What *metadata* says of an object of this kind."""
    return Found(
        *kind,
        metadata.get("namespace") or "",
        metadata["name"],
        metadata["uid"],
        "deletionTimestamp" in metadata,
        (metadata.get("labels") or {}).get(_labels.OPTIONAL, ""),
        (metadata.get("annotations") or {}).get(_labels.PARTS, ""),
    )
