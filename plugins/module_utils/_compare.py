# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a live object lacks of a wanted one: nothing means that there is nothing to send.

Internal to rhpds.litemaas: no stable interface for other collections.

Server-side apply owns the fields that were sent and leaves the others to others, so a live object
may hold more than was wanted: defaults, what controllers add, what users add. What was wanted must
be there. A wanted field that was sent earlier and is gone since is found by the hash of what was
last sent, which stands in an annotation.

Where this module errs, it errs to "different": then the object is sent, the server decides, and the
result still says unchanged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _quantity


class Difference(NamedTuple):
    """A field that is not as wanted. ``live`` is None where there is none."""

    path: str
    wanted: Any
    live: Any


class Keyed(NamedTuple):
    """A list of mappings that the API merges by these keys: others may have added items."""

    keys: tuple[str, ...]
    item: Mapping[str, Any] = {}


class Exact(NamedTuple):
    """A part that must not hold more than was wanted: a selector, a firewall rule, a permission."""


_PORT_DEFAULTS = {"protocol": "TCP"}
_CONTAINER = {
    "env": Keyed(("name",)),
    "ports": Keyed(("containerPort", "protocol")),
    "volumeMounts": Keyed(("mountPath",)),
    "volumeDevices": Keyed(("devicePath",)),
}
_POD = {
    "containers": Keyed(("name",), _CONTAINER),
    "initContainers": Keyed(("name",), _CONTAINER),
    "volumes": Keyed(("name",)),
    "imagePullSecrets": Keyed(("name",)),
    "hostAliases": Keyed(("ip",)),
    "topologySpreadConstraints": Keyed(("topologyKey", "whenUnsatisfiable")),
    "nodeSelector": Exact(),
}
_WORKLOAD = {"spec": {"template": {"spec": _POD}, "selector": Exact()}}
_RULES = {"rules": Exact()}
# How the API merges the lists and mappings of the kinds we send (listType, mapType in its schema).
_STRUCTURE: dict[str, Mapping[str, Any]] = {
    "CronJob": {"spec": {"jobTemplate": _WORKLOAD}},
    "ClusterRole": _RULES,
    "DaemonSet": _WORKLOAD,
    "Deployment": _WORKLOAD,
    "Job": {"spec": {"template": {"spec": _POD}}},
    "NetworkPolicy": {"spec": {"podSelector": Exact(), "ingress": Exact(), "egress": Exact()}},
    "Pod": {"spec": _POD},
    "PodDisruptionBudget": {"spec": {"selector": Exact()}},
    "ReplicaSet": _WORKLOAD,
    "Role": _RULES,
    "Service": {"spec": {"ports": Keyed(("port", "protocol")), "selector": Exact()}},
    "ServiceAccount": {"secrets": Keyed(("name",))},
    "StatefulSet": _WORKLOAD,
}
# Mappings whose values are quantities, and single fields: 1000m comes back as 1.
_QUANTITIES = frozenset(
    ("requests", "limits", "hard", "capacity", "default", "defaultRequest", "max", "min")
)
_QUANTITY_FIELDS = frozenset(("sizeLimit", "divisor", "averageValue"))
# Plain fields of the API that are not stored when they hold their zero value. Others are pointers:
# for those a missing false or 0 is a change.
_OMITTED_ZERO = frozenset(
    (
        *(
            "hostIPC",
            "hostNetwork",
            "hostPID",
            "hostname",
            "initialDelaySeconds",
            "minReadySeconds",
        ),
        *("nodeName", "paused", "publishNotReadyAddresses", "readOnly", "stdin", "stdinOnce"),
        *("subPath", "subdomain", "tty", "value", "workingDir"),
    )
)


def applied_hash(obj: Mapping[str, Any]) -> str:
    """Return the hash of what is sent, for the annotation. Key order does not matter.

    Of a Secret only the names count: a hash of its values, readable by whoever may list metadata,
    would let passwords be guessed. Its values are compared themselves.
    """
    if obj.get("kind") == "Secret":
        obj = {**obj, "data": sorted(obj.get("data") or ())}
    text = json.dumps(obj, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def satisfied(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether there is nothing to send: all that is wanted is there, and nothing of ours is left."""
    metadata = live.get("metadata") or {}
    if metadata.get("deletionTimestamp") or failed_job(live):
        return False
    annotations = metadata.get("annotations") or {}
    return (
        annotations.get(_labels.APPLIED_HASH) == applied_hash(wanted)
        and next(differences(wanted, live), None) is None
    )


def failed_job(live: Mapping[str, Any]) -> bool:
    """Whether a live object is a Job that gave up. Who applies it again wants it to try again."""
    conditions = (live.get("status") or {}).get("conditions") or ()
    return live.get("kind") == "Job" and any(
        each.get("type") == "Failed" and each.get("status") == "True" for each in conditions
    )


def differences(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the wanted fields that the live object lacks or holds differently."""
    structure = _STRUCTURE.get(wanted["kind"], {})
    for name, value in wanted.items():
        if name not in ("apiVersion", "kind"):
            yield from _field(name, value, live.get(name), structure.get(name), name)


def _field(name: str, wanted: Any, live: Any, structure: Any, path: str) -> Iterator[Difference]:
    """Compare one field of a mapping."""
    if wanted == live:
        return
    if live is None:
        # The API does not store empty lists and mappings, nor the zero of plain fields.
        if wanted in ({}, [], None) or (not wanted and name in _OMITTED_ZERO):
            return
        yield Difference(path, wanted, None)
    elif isinstance(structure, Exact):
        if not _same(wanted, live):
            yield Difference(path, wanted, live)
    elif isinstance(wanted, dict) and isinstance(live, dict):
        if name in _QUANTITIES:
            yield from _quantities(wanted, live, path)
            return
        inner = structure if isinstance(structure, Mapping) else {}
        for key, value in wanted.items():
            yield from _field(key, value, live.get(key), inner.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(live, list):
        yield from _items(wanted, live, structure, path)
    elif not (name in _QUANTITY_FIELDS and _number(wanted) == _number(live)):
        yield Difference(path, wanted, live)


def _items(wanted: list[Any], live: list[Any], structure: Any, path: str) -> Iterator[Difference]:
    if isinstance(structure, Keyed):
        known = {_key(item, structure.keys): item for item in live}
        for item in wanted:
            key = _key(item, structure.keys)
            where = f"{path}[{'/'.join(str(part) for part in key)}]"
            yield from _field("", item, known.get(key), structure.item, where)
    elif len(wanted) != len(live):
        yield Difference(path, wanted, live)
    else:
        for index, (item, there) in enumerate(zip(wanted, live, strict=True)):
            yield from _field("", item, there, None, f"{path}[{_name(item) or index}]")


def _quantities(
    wanted: Mapping[str, Any], live: Mapping[str, Any], path: str
) -> Iterator[Difference]:
    for name, value in wanted.items():
        if _number(value) != _number(live.get(name)):
            yield Difference(f"{path}.{name}", value, live.get(name))


def _name(item: Any) -> str:
    """What a reader calls an item of a list: its name, or its metadata's."""
    if not isinstance(item, dict):
        return ""
    name = item.get("name") or (item.get("metadata") or {}).get("name")
    return name if isinstance(name, str) else ""


def _key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(item.get(key, _PORT_DEFAULTS.get(key)) for key in keys)


def _same(wanted: Any, live: Any) -> bool:
    """Equality, but for defaults and empty parts."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(
            _same(wanted.get(key, _PORT_DEFAULTS.get(key)), live.get(key))
            for key in wanted.keys() | live.keys()
        )
    if isinstance(wanted, list) and isinstance(live, list):
        return len(wanted) == len(live) and all(map(_same, wanted, live))
    return wanted == live or (not wanted and not live)


def _number(value: Any) -> Any:
    """A quantity as a number; anything else as it is."""
    try:
        return _quantity.parse(str(value)) if isinstance(value, (str, int, float)) else value
    except ValueError:
        return value
