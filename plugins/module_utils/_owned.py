# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of an object that is ours, as text for a diff.

Internal to rhpds.litemaas: no stable interface for other collections.

The API server records in ``metadata.managedFields`` which fields each manager applied. Only ours are
shown: a diff is about what this collection does, not about defaults, status, or other managers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels

# Says that there is a value, and whether it changes; neither its length nor a hash.
HIDDEN = "(hidden)"
HIDDEN_CHANGED = "(hidden, changed)"


def pair(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the YAML of both sides; empty for an object that is not there."""
    old = _shown(before, None) if before else None
    new = _shown(after, before) if after else None
    return _yaml(old), _yaml(new)


def owned(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that this collection applied, with the object's identity."""
    metadata = obj.get("metadata") or {}
    fields: dict[str, Any] = {}
    for entry in metadata.get("managedFields") or ():
        if entry.get("manager") == _labels.FIELD_MANAGER and entry.get("operation") == "Apply":
            fields = entry.get("fieldsV1") or {}
    part = _project(obj, fields) if fields else {}
    identity = {name: metadata[name] for name in ("name", "namespace") if name in metadata}
    return {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        **part,
        "metadata": {**identity, **part.get("metadata", {})},
    }


def _shown(obj: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The owned part without noise and without any value of a Secret."""
    # What was never applied (predicted in a dry run) is ours as a whole.
    part = owned(obj) if (obj.get("metadata") or {}).get("managedFields") else dict(obj)
    metadata = dict(part["metadata"])
    annotations = {
        name: value
        for name, value in (metadata.pop("annotations", None) or {}).items()
        if name != _labels.APPLIED_HASH
    }
    if annotations:
        metadata["annotations"] = annotations
    part["metadata"] = metadata
    if part["kind"] == "Secret":
        old = (before or {}).get("data") or {}
        for name in ("data", "stringData"):
            if name in part:
                part[name] = {
                    key: HIDDEN_CHANGED if before and old.get(key) != value else HIDDEN
                    for key, value in part[name].items()
                }
    return part


def _project(value: Any, fields: Mapping[str, Any]) -> Any:
    """Cut a value down to a fieldsV1 tree: ``f:`` a field, ``k:`` a merged item, ``v:`` a set's.

    An empty tree stands for the whole value, ``.`` for the mapping or item itself.
    """
    if not fields:
        return value
    children = {name: inner for name, inner in fields.items() if name != "."}
    if isinstance(value, dict):
        return {
            name[2:]: _project(value[name[2:]], inner)
            for name, inner in children.items()
            if name.startswith("f:") and name[2:] in value
        }
    if isinstance(value, list):
        found = []
        for name, inner in children.items():
            wanted = json.loads(name[2:]) if name[:2] in ("k:", "v:") else None
            for item in value:
                if name[:2] == "v:" and item == wanted:
                    found.append(item)
                elif name[:2] == "k:" and _has(item, wanted):
                    found.append(_project(item, inner))
        return found
    return value


def _has(item: Any, keys: Any) -> bool:
    return isinstance(item, dict) and all(item.get(key) == value for key, value in keys.items())


def _yaml(obj: Mapping[str, Any] | None) -> str:
    if obj is None:
        return ""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(obj, Dumper=dumper, default_flow_style=False, width=100)
