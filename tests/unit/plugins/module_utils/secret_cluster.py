# SPDX-License-Identifier: MIT
"""An API server of a dictionary, as far as Secrets need one: versions, conflicts, refusals."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

LABELS = _labels.ownership("litemaas-user", "user1")
INSTANCE = {"name": "user1", "namespace": "litemaas-user1", "labels": LABELS}


def path(name: str, namespace: str = "litemaas-user1") -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"


class FakeCluster:
    """Looks like a Client. ``before_apply`` is called before each write, and may raise."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.forbidden: set[str] = set()  # methods and paths that give 403
        self.before_apply: Callable[[str], None] = lambda _path: None
        self.after_apply: Callable[[str], None] = lambda _path: None
        self.requests: list[tuple[str, str]] = []
        self._version = 1

    def data(self, name: str, namespace: str = "litemaas-user1") -> dict[str, str]:
        encoded = self.objects[path(name, namespace)]["data"]
        return {key: base64.b64decode(value).decode() for key, value in encoded.items()}

    def put(
        self, name: str, data: dict[str, str], *, labels: dict[str, str] | None = None, **more: Any
    ) -> None:
        """Write a Secret as somebody with kubectl would."""
        self._version += 1
        metadata = {
            "name": name,
            "namespace": "litemaas-user1",
            "labels": LABELS if labels is None else labels,
            "resourceVersion": str(self._version),
            **more,
        }
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.objects[path(name)] = {"metadata": metadata, "data": encoded}

    def find(self, where: str) -> dict[str, Any] | None:
        self._note("GET", where)
        return copy.deepcopy(self.objects.get(where))

    def list(self, where: str, *, label_selector: str = "") -> list[dict[str, Any]]:
        self._note("LIST", where)
        assert "app.kubernetes.io/managed-by=rhpds.litemaas" in label_selector
        return [copy.deepcopy(obj) for obj in self.objects.values() if _labels.is_ours(obj)]

    def apply(self, where: str, body: dict[str, Any], *, field_manager: str) -> Any:
        self._note("APPLY", where)
        assert field_manager == "rhpds.litemaas" and "stringData" not in body
        self.before_apply(where)
        live = self.objects.get(where)
        wanted = body["metadata"]["resourceVersion"]
        if live and live["metadata"]["resourceVersion"] != wanted:
            raise ApiError("the object has been modified", status=409, reason="Conflict")
        self._version += 1
        applied = copy.deepcopy(body)
        applied["metadata"]["resourceVersion"] = str(self._version)
        applied["data"] = {**(live or {}).get("data", {}), **body["data"]}
        self.objects[where] = applied
        self.after_apply(where)
        return (200 if live else 201), applied

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Any:
        results = []
        for item in items:
            try:
                results.append(function(item))
            except LitemaasError as error:
                results.append(error)
        return results

    def writes(self) -> int:
        return sum(method == "APPLY" for method, _path in self.requests)

    def _note(self, method: str, where: str) -> None:
        self.requests.append((method, where))
        if {method, where} & self.forbidden:
            raise ApiError(f"Not allowed (403): {method} {where}", status=403)
