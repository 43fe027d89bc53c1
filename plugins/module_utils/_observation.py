# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster holds of many instances, seen with one LIST per kind.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"))
ROUTES = ("route.openshift.io/v1", "Route")
INGRESSES = ("networking.k8s.io/v1", "Ingress")
POD = ("v1", "Pod")
# Read while something is not ready: what the reasons are made of.
PARTS = (POD, ("apps/v1", "ReplicaSet"), ("v1", "PersistentVolumeClaim"))


class Observation:
    """Objects by namespace and kind, as they were when they were listed."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        self.unreadable: dict[str, str] = {}  # namespace → what may not be read there

    def add(self, obj: Mapping[str, Any]) -> None:
        place = obj["metadata"]["namespace"], obj["kind"]
        self._objects.setdefault(place, []).append(obj)

    def of(self, namespace: str, kind: str) -> list[Mapping[str, Any]]:
        return self._objects.get((namespace, kind), [])


class _Job(NamedTuple):
    api_version: str
    kind: str
    namespace: str | None  # None: the whole cluster
    metadata: bool  # nothing but metadata


class Observer:
    """Lists objects of some namespaces by label: in the whole cluster, or one by one if need be.

    *forbidden*: kinds that an earlier slice was not allowed to list cluster-wide.
    """

    def __init__(
        self,
        client: Client,
        namespaces: Iterable[str],
        selector: str,
        forbidden: Iterable[str] = (),
    ) -> None:
        self._client = client
        self._namespaces = sorted(set(namespaces))
        self._selector = selector
        self.forbidden = set(forbidden)

    def observe(
        self,
        kinds: Iterable[tuple[str, str]],
        into: Observation,
        within: Iterable[str] | None = None,
        *,
        required: bool = True,
        metadata: bool = False,
    ) -> None:
        """Add all objects of *kinds* to *into*, of the namespaces *within* (all when None).

        *kinds*: pairs of apiVersion and kind. *required*: what may not be listed makes its namespace unreadable; otherwise it is left
        out. *metadata*: nothing else is needed. Raises ApiError where the API server does not
        answer.
        """
        places = self._namespaces if within is None else sorted(set(within))
        todo = [job for kind in kinds for job in self._jobs(kind, places, metadata)]
        while todo:
            answers = self._client.each(self._list, todo)
            again: list[_Job] = []
            for job, answer in zip(todo, answers, strict=True):
                if not isinstance(answer, LitemaasError):
                    for obj in answer:
                        if obj["metadata"]["namespace"] in places:
                            into.add(obj)
                elif getattr(answer, "status", 0) == 403 and job.namespace is None:
                    self.forbidden.add(job.kind)
                    again += self._jobs((job.api_version, job.kind), places, metadata)
                elif getattr(answer, "status", 0) == 403 and job.namespace is not None:
                    if required:
                        into.unreadable.setdefault(job.namespace, str(answer))
                elif getattr(answer, "status", 0) != 404:  # 404: the cluster has no such kind
                    raise answer
            todo = again

    def _jobs(self, kind: tuple[str, str], places: list[str], metadata: bool) -> list[_Job]:
        # A few namespaces are cheaper to list, for the API server too, than the whole cluster.
        if kind[1] in self.forbidden or len(places) <= 2:
            return [_Job(*kind, place, metadata) for place in places]
        return [_Job(*kind, None, metadata)]

    def _list(self, job: _Job) -> list[dict[str, Any]]:
        path = _resources.collection_path(job.api_version, job.kind, job.namespace)
        found = self._client.list(path, label_selector=self._selector, metadata=job.metadata)
        return [{**obj, "kind": job.kind} for obj in found] if job.metadata else found


def common_selector(instances: Iterable[Mapping[str, Any]]) -> str:
    """The labels that all instances share, as a label selector."""
    shared: set[tuple[str, str]] | None = None
    for instance in instances:
        labels = set(instance["labels"].items())
        shared = labels if shared is None else shared & labels
    if shared is None:
        raise LitemaasError("instances is empty: there is nothing to wait for.")
    if not shared:
        raise LitemaasError("The instances have no label in common: pass `instances` of one plan.")
    return _labels.selector(dict(sorted(shared)))
