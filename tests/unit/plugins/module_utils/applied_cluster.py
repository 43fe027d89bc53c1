# SPDX-License-Identifier: MIT
"""An API server in memory, as far as applying and removing ask for it.

It merges nothing: what is applied is stored as it is, which is enough for the order of requests and
for what becomes of refusals. What the real one does with fields is tested with the real one.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

Obj = dict[str, Any]
LABELS = {**_labels.deployment_labels("test")}


def obj(kind: str, name: str, namespace: str = "", **parts: Any) -> Obj:
    """An object with our labels."""
    api_version = next(version for version, known in _resources.KINDS if known == kind)
    metadata: Obj = {"name": name, "labels": dict(LABELS), **parts.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def refusal(status: int, message: str = "no", **details: Any) -> ApiError:
    """An answer from status 400 on."""
    return ApiError(message, status=status, message=message, details=details)


class Cluster:
    """Stands in for ``Client``. ``faults`` see each request and may raise."""

    def __init__(self, *objects: Obj) -> None:
        self.objects: dict[str, Obj] = {}
        self.calls: Counter[str] = Counter()
        self.sent: list[tuple[str, Obj, bool]] = []  # (path, body, dry run)
        self.deleted: list[str] = []
        self.faults: list[Callable[[str, str], None]] = []
        self._version = 1
        for item in objects:
            self.put(item)

    def put(self, item: Obj) -> Obj:
        """Store an object as the server does."""
        path = _resources.object_path(item)
        stored = copy.deepcopy(item)
        self._version += 1
        known = self.objects.get(path, {}).get("metadata", {})
        stored["metadata"].setdefault("uid", known.get("uid", f"uid-{self._version}"))
        stored["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path] = stored
        return copy.deepcopy(stored)

    def _begin(self, verb: str, path: str) -> None:
        self.calls[verb] += 1
        for fault in list(self.faults):
            fault(verb, path)

    def each(
        self, function: Callable[[Any], Any], items: Iterable[Any], *, threads: int | None = None
    ) -> list[Any]:
        results = []
        for item in items:
            try:
                results.append(function(item))
            except LitemaasError as error:
                results.append(error)
        return results

    def find(self, path: str, **_query: Any) -> Obj | None:
        self._begin("get", path)
        return copy.deepcopy(self.objects.get(path))

    def pages(
        self,
        path: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata: bool = False,
    ) -> Iterator[list[Obj]]:
        self._begin("list", path)
        parts = [part.split("=") for part in label_selector.split(",") if part]
        wanted = dict(part for part in parts if len(part) > 1)
        present = {part[0] for part in parts if len(part) == 1}
        kind = path.rsplit("/", 1)[1]
        inside = path.rsplit("/", 1)[0] if "/namespaces/" in path else ""
        found = [
            copy.deepcopy(item)
            for at, item in self.objects.items()
            if at.rsplit("/", 2)[1] == kind
            and at.startswith(inside)
            and wanted.items() <= (labels := item["metadata"].get("labels") or {}).items()
            and present <= labels.keys()
        ]
        for start in range(0, len(found), 2):
            yield found[start : start + 2]

    def list(self, path: str, **options: Any) -> list[Obj]:
        return [item for page in self.pages(path, **options) for item in page]

    def apply(
        self, path: str, body: Obj, *, field_manager: str, dry_run: bool = False, force: bool = True
    ) -> tuple[int, Obj]:
        self._begin("apply", path)
        assert field_manager == "rhpds.litemaas"
        self.sent.append((path, copy.deepcopy(body), dry_run))
        known = self.objects.get(path)
        body = copy.deepcopy(body)
        only_new = body["metadata"].pop("resourceVersion", None) == "1"
        if known and only_new:
            raise refusal(409, "the object has been modified")
        namespace = body["metadata"].get("namespace")
        if namespace and f"/api/v1/namespaces/{namespace}" not in self.objects:
            raise refusal(404, f'namespaces "{namespace}" not found', kind="namespaces")
        if known:
            body["metadata"].setdefault("uid", known["metadata"]["uid"])
        if dry_run:
            return (200 if known else 201), body
        return (200 if known else 201), self.put(body)

    def delete(
        self,
        path: str,
        *,
        dry_run: bool = False,
        propagation: str = "Background",
        uid: str | None = None,
    ) -> Obj | None:
        self._begin("delete", path)
        known = self.objects.get(path)
        if known and uid and known["metadata"]["uid"] != uid:
            raise refusal(409, "the UID in the precondition does not match")
        if not dry_run:
            self.deleted.append(path)
            if known and not known["metadata"].get("finalizers"):
                del self.objects[path]
        return known
