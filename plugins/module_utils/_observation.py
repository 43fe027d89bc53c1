# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster holds of many instances, seen with one LIST per kind.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"))
JOBS = ("batch/v1", "Job")
ROUTES = ("route.openshift.io/v1", "Route")
INGRESSES = ("networking.k8s.io/v1", "Ingress")
POD = ("v1", "Pod")
# A list of one namespace costs the API server no more than these objects in a long list (measured: as
# much as five to thirteen).
_WORTH = 20
# Read while something is not ready: what the reasons are made of.
PARTS = (POD, ("apps/v1", "ReplicaSet"), ("v1", "PersistentVolumeClaim"))


class Observation:
    """Objects by namespace and kind, as they were when they were listed."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        self.unreadable: dict[str, str] = {}  # namespace → what may not be read there
        self.complete: set[str] = set()  # kinds of which all there is was seen

    @property
    def namespaces(self) -> list[str]:
        """Those in which something was seen."""
        return sorted({namespace for namespace, _kind in self._objects})

    def add(self, obj: Mapping[str, Any]) -> None:
        place = obj["metadata"]["namespace"], obj["kind"]
        self._objects.setdefault(place, []).append(obj)

    def take(
        self, other: Observation, kinds: Iterable[tuple[str, str]], namespaces: Iterable[str]
    ) -> None:
        """Add what *other* has of *kinds* in *namespaces*."""
        wanted = [kind for _version, kind in kinds if kind not in self.complete]
        for namespace in namespaces:
            for kind in wanted:
                for obj in other.of(namespace, kind):
                    self.add(obj)

    def of(self, namespace: str, kind: str) -> list[Mapping[str, Any]]:
        return self._objects.get((namespace, kind), [])


class _Job(NamedTuple):
    api_version: str
    kind: str
    namespace: str | None  # None: the whole cluster
    metadata: bool  # nothing but metadata


class Observer:
    """Lists objects of some namespaces by label: in the whole cluster, or one by one if need be.

    *namespaces*: None for all there are. *forbidden*: kinds that an earlier slice was not allowed
    to list cluster-wide.
    """

    def __init__(
        self,
        client: Client,
        namespaces: Iterable[str] | None,
        selector: str,
        forbidden: Iterable[str] = (),
    ) -> None:
        self._client = client
        self._namespaces = None if namespaces is None else sorted(set(namespaces))
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

        *kinds*: pairs of apiVersion and kind; those that *into* has completely are not read again.
        *required*: what may not be listed makes its namespace unreadable; otherwise it is left
        out. *metadata*: nothing else is needed. Raises ApiError where the API server does not
        answer, or where something required may not be listed and no namespaces are known.
        """
        places = self._namespaces if within is None else sorted(set(within))
        wanted = [kind for kind in kinds if kind[1] not in into.complete]
        left_out: set[str] = set()
        todo = [job for kind in wanted for job in self._jobs(kind, places, metadata)]
        while todo:
            answers = self._client.each(self._list, todo)
            again: list[_Job] = []
            for job, answer in zip(todo, answers, strict=True):
                if not isinstance(answer, LitemaasError):
                    for obj in answer:
                        if places is None or obj["metadata"]["namespace"] in places:
                            into.add(obj)
                    continue
                status = getattr(answer, "status", 0)
                if status == 403 and job.namespace is None and places is not None:
                    self.forbidden.add(job.kind)
                    again += self._jobs((job.api_version, job.kind), places, metadata)
                elif status == 403 and not (required and job.namespace is None):
                    left_out.add(job.kind)
                    if required and job.namespace is not None:
                        into.unreadable.setdefault(job.namespace, str(answer))
                elif status != 404:  # 404: the cluster has no such kind
                    raise answer
            todo = again
        if within is None and not metadata:
            into.complete |= {kind for _version, kind in wanted} - left_out

    def few(self, places: Collection[str]) -> bool:
        """Whether these namespaces are cheaper to list, for the API server too, than the whole cluster."""
        return len(places) <= max(2, len(self._namespaces or ()) // _WORTH)

    def _jobs(self, kind: tuple[str, str], places: list[str] | None, metadata: bool) -> list[_Job]:
        if places is not None and (kind[1] in self.forbidden or self.few(places)):
            return [_Job(*kind, place, metadata) for place in places]
        return [_Job(*kind, None, metadata)]

    def _list(self, job: _Job) -> list[dict[str, Any]]:
        path = _resources.collection_path(job.api_version, job.kind, job.namespace)
        found = []
        for page in self._client.pages(path, label_selector=self._selector, metadata=job.metadata):
            for obj in page:
                # Half of an object, in memory; who wrote which field explains nothing here.
                obj["metadata"].pop("managedFields", None)
                obj["kind"] = job.kind
            found += page
        return found


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
