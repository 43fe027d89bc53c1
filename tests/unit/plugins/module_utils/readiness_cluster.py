# SPDX-License-Identifier: MIT
"""A cluster of plain objects in memory, as far as readiness asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

LABELS = {"app.kubernetes.io/managed-by": "rhpds.litemaas", "rhpds.litemaas/deployment": "lab-user"}


def instance(name: str, **more: Any) -> dict[str, Any]:
    """An instance of the plan, not exposed."""
    return {
        "name": name,
        "namespace": f"lab-{name}",
        "labels": {**LABELS, "rhpds.litemaas/instance": name},
        "expose": "none",
        "host": "",
        "url": "",
        **more,
    }


def workloads(name: str, *, ready: bool = True) -> list[dict[str, Any]]:
    """The StatefulSet and the Deployment of an instance."""
    up = 1 if ready else 0
    status = {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": up,
        "availableReplicas": up,
        "currentRevision": "r1",
        "updateRevision": "r1",
    }
    return [
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {
                "name": component,
                "namespace": f"lab-{name}",
                "uid": f"{name}-{component}",
                "generation": 1,
            },
            "spec": {"replicas": 1},
            "status": status,
        }
        for kind, component in (("StatefulSet", "postgres"), ("Deployment", "litellm"))
    ]


def crashing_pod(name: str) -> dict[str, Any]:
    """postgres-0, whose container has ended with exit code 1."""
    status = {
        "name": "postgres",
        "ready": False,
        "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}},
    }
    owner = {"kind": "StatefulSet", "uid": f"{name}-postgres", "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "postgres-0",
            "namespace": f"lab-{name}",
            "uid": f"{name}-postgres-0",
            "labels": {"controller-revision-hash": "r1"},
            "ownerReferences": [owner],
        },
        "spec": {"containers": [{"name": "postgres", "image": "x"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [status],
        },
    }


class Cluster:
    """Stands in for a Client. ``calls`` holds what was asked for."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.objects = list(objects)
        self.calls: list[str] = []
        self.refused: dict[str, int] = {}  # beginning of a path → status
        self.gone: set[str] = set()  # namespaces that do not exist; any other does
        self.logs: dict[str, str] = {}  # pod → text

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        results = []
        for item in items:
            try:
                results.append(function(item))
            except LitemaasError as error:
                results.append(error)
        return results

    def list(self, path: str, **_query: Any) -> list[dict[str, Any]]:
        self._called(path)
        parts = path.split("/")
        *_start, before, last = parts[:-1]
        namespace = last if before == "namespaces" else None
        return [
            o
            for o in self.objects
            if _plural(o) == parts[-1] and namespace in (None, o["metadata"].get("namespace"))
        ]

    def pages(self, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
        yield self.list(path, **query)

    def find(self, path: str, **_query: Any) -> dict[str, Any] | None:
        self._called(path)
        for obj in self.objects:
            metadata = obj["metadata"]
            inside = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
            if path.endswith(f"{inside}/{_plural(obj)}/{metadata['name']}"):
                return obj
        parent, name = path.rsplit("/", 1)
        if parent.endswith("/namespaces") and name not in self.gone:
            return {"kind": "Namespace", "metadata": {"name": name}}
        return None

    def text(self, path: str, **_query: Any) -> str:
        self._called(path)
        pod = path.split("/")[-2]
        if pod not in self.logs:
            raise ApiError("no log", status=404)
        return self.logs[pod]

    def _called(self, path: str) -> None:
        self.calls.append(path)
        for beginning, status in self.refused.items():
            if path.startswith(beginning):
                raise ApiError(f"answered {status} for {path}", status=status)


def _plural(obj: dict[str, Any]) -> str:
    return obj["kind"].lower() + ("es" if obj["kind"].endswith("s") else "s")
