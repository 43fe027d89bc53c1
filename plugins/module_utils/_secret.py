# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of an instance, between the API's form and plain text.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels
from ansible_collections.rhpds.litemaas.plugins.module_utils._apply import CREATE_ONLY
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

LITELLM = "litellm-secret"
POSTGRES = "postgres-secret"
REDIS = "redis-secret"
PGBOUNCER = "pgbouncer-secret"
# What psql needs of a database that is not the instance's own.
DATABASE = "database-secret"
BACKEND = "backend-secret"
# In the order they are written: two runs at once meet at the first, and the second follows from it.
NAMES = (LITELLM, POSTGRES)
# Of parts that may be switched off: they go when the part goes.
OPTIONAL = {
    REDIS: "redis",
    PGBOUNCER: "pgbouncer",
    DATABASE: "external_database",
    BACKEND: "backend",
}
_APP = {LITELLM: "litellm", POSTGRES: "postgres", **OPTIONAL}
# Says that the Secret was given a salt of its own: should the salt be lost, it was not the master
# key, which LiteLLM takes where there is none.
SALTED = ("rhpds.litemaas/salt", "own")


@dataclass(frozen=True)
class Stored:
    """What the cluster holds of one Secret."""

    data: Mapping[str, str] = field(repr=False)
    version: str = ""  # metadata.resourceVersion
    complete: bool = True  # whether it has all labels and annotations it should have
    salted: bool = False  # whether it was ever given a salt of its own

    def value(self, key: str) -> str:
        """The value of a key, "" where there is none: an empty credential is a missing one."""
        return self.data.get(key, "")


def path(namespace: str, name: str) -> str:
    """The path of a Secret on the API server."""
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"


def labels(instance: Mapping[str, str], name: str) -> dict[str, str]:
    """The labels of a Secret of an instance with these labels."""
    app = _APP.get(name, "litellm")
    found = {**instance, "app.kubernetes.io/name": app, "app": app}
    if name in OPTIONAL:
        found[_labels.OPTIONAL] = OPTIONAL[name]
    return found


def foreign(obj: Mapping[str, Any], instance: Mapping[str, str]) -> str:
    """Why a Secret of our name is not the instance's; "" when it is.

    A label of ours that somebody took off comes back: who wrote the Secret stands in its
    managedFields too. A label with another value says that it is somebody else's.
    """
    found = _labels.of(obj)
    managers = {entry.get("manager") for entry in obj["metadata"].get("managedFields") or ()}
    unlabelled = _labels.MANAGED_BY[0] not in found and _labels.FIELD_MANAGER in managers
    if not (unlabelled or _labels.is_ours(obj)):
        label = ": ".join(_labels.MANAGED_BY)
        return f"it was not made by this collection, whose label {label} it does not have"
    for key in (_labels.DEPLOYMENT, _labels.INSTANCE):
        if found.get(key, instance.get(key)) != instance.get(key):
            return f"it belongs to another instance (its label {key}: {found[key]})"
    return ""


def stored(obj: Mapping[str, Any], instance: Mapping[str, str]) -> Stored:
    """Read a Secret object. Raises LitemaasError when a value is no text."""
    metadata = obj["metadata"]
    data = {}
    for key, value in (obj.get("data") or {}).items():
        try:
            data[key] = base64.b64decode(value).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise LitemaasError(
                f"The value of {key} in the Secret {metadata['name']} is no UTF-8 text: replace it."
            ) from None
    name = metadata["name"]
    annotations = metadata.get("annotations") or {}
    salted = annotations.get(SALTED[0]) == SALTED[1]
    wanted = labels(instance, name).items()
    return Stored(
        data=data,
        version=metadata["resourceVersion"],
        complete=wanted <= _labels.of(obj).items() and (salted or name != LITELLM),
        salted=salted,
    )


def manifest(
    namespace: str, name: str, instance: Mapping[str, str], data: Mapping[str, str], version: str
) -> dict[str, Any]:
    """The Secret to apply. The server refuses it (409) unless the live one is of this version."""
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": labels(instance, name),
        "resourceVersion": version or CREATE_ONLY,
    }
    if name == LITELLM:
        metadata["annotations"] = dict([SALTED])
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }
