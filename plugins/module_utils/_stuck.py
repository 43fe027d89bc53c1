# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a deleted object, above all a namespace, from going away.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

# "Some resources are remaining: pods. has 1 resource instances, widgets.example.com has 2 …"
_REMAINING = re.compile(
    r"(?P<plural>[a-z0-9-]+)\.(?P<group>[a-z0-9.-]*) has \d+ resource instances"
)
# Conditions whose message says more than names: a broken API service, a webhook that refuses.
_TELLING = (
    *("NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure"),
    "NamespaceDeletionContentFailure",
)
_SHOWN = 5  # objects


class Held(NamedTuple):
    """An object that is still in a namespace."""

    resource: str  # plural and group as the namespace's status writes them
    name: str
    finalizers: tuple[str, ...]

    def __str__(self) -> str:
        held = f" (finalizers: {', '.join(self.finalizers)})" if self.finalizers else ""
        return f"{self.resource}/{self.name}{held}"


def explain(client: Client, obj: Mapping[str, Any]) -> str:
    """Return, in words, what holds an object that was deleted and is still there.

    *obj*: anything with apiVersion, kind and metadata.
    """
    try:
        live = client.find(_resources.object_path(obj))
        if live is None:
            return "it went away just now: run again."
        held = []
        if obj["kind"] == "Namespace":
            for plural, group in remaining(live):
                held += _held(client, obj["metadata"]["name"], plural, group)
    except LitemaasError as error:
        return f"what holds it cannot be read. {error}"
    return describe(live, held)


def remaining(namespace: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (plural, group) of the resources that a namespace's status says it still holds."""
    return [
        (found["plural"], found["group"])
        for condition in _conditions(namespace)
        if condition["type"] == "NamespaceContentRemaining"
        for found in _REMAINING.finditer(condition.get("message") or "")
    ]


def describe(live: Mapping[str, Any], held: Iterable[Held] = ()) -> str:
    """Return the sentence for an object that is being deleted, and what is still in it."""
    reasons = []
    found = sorted(held, key=lambda item: not item.finalizers)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        reasons.append(f"it holds {', '.join(map(str, found[:_SHOWN]))}{more}")
    reasons += [
        condition.get("message") or condition["type"]
        for condition in _conditions(live)
        if condition["type"] in _TELLING or not found
    ]
    own = [
        *(live["metadata"].get("finalizers") or ()),
        *(name for name in live.get("spec", {}).get("finalizers") or () if name != "kubernetes"),
    ]
    if own:
        reasons.append(f"its own finalizers are {', '.join(own)}")
    if not reasons:
        return "the cluster gives no reason yet. Wait, then run again."
    return (
        f"{'; '.join(reasons)}. Remove what holds it; take a finalizer off by hand only where what "
        "should do so is gone for good. Then run again."
    )


def _conditions(namespace: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The conditions that say why it is still there."""
    status = namespace.get("status") or {}
    return [item for item in status.get("conditions") or () if item.get("status") == "True"]


def _held(client: Client, namespace: str, plural: str, group: str) -> list[Held]:
    if group:
        found = client.find(f"/apis/{group}") or {}
        version = (found.get("preferredVersion") or {}).get("groupVersion")
        if not version:
            return [Held(f"{plural}.{group}", "?", ())]
        path = f"/apis/{version}/namespaces/{namespace}/{plural}"
    else:
        path = f"/api/v1/namespaces/{namespace}/{plural}"
    return [
        Held(
            f"{plural}.{group}".rstrip("."),
            item["metadata"]["name"],
            tuple(item["metadata"].get("finalizers") or ()),
        )
        for item in client.list(path, metadata=True)
    ]
