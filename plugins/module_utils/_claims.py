# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes that instances have already, which a second run has to keep as they are.

Internal to rhpds.litemaas: no stable interface for other collections.

A StatefulSet's claim template cannot be changed, and the API server says so in words that help
nobody. And a cluster's default storage class may be another today than when the volume was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _labels,
    _quantity,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    listed,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Postgres

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

_CLAIM = "data-postgres-0"
CACHE = "redis"
_TEMPLATE = "data"
_REMEDY = (
    "Set it back. For another, dump the database, remove the instance, deploy and restore the dump."
)
_GROW = (
    "Set it back. To grow it instead: raise the size in the claim data-postgres-0 (its storage "
    "class must allow expansion), delete the StatefulSet postgres with --cascade=orphan, and run "
    "again."
)


@dataclass(frozen=True)
class Claim:
    """What an instance's volume was asked to be; text as in the API, empty where it is not told."""

    storage_class: str
    size: str
    access_mode: str


def parse(spec: Mapping[str, Any]) -> Claim:
    """Read the spec of a PersistentVolumeClaim or of a claim template."""
    return Claim(
        spec.get("storageClassName") or "",
        ((spec.get("resources") or {}).get("requests") or {}).get("storage", ""),
        next(iter(spec.get("accessModes") or ()), ""),
    )


def read(client: Client, deployment: str, namespaces: Iterable[str]) -> dict[str, Claim]:
    """The claims of a deployment's databases, by namespace: two requests, however many there are.

    The StatefulSet's template counts; without a StatefulSet (removed, with the data kept) the
    claim itself. What may not be read is left out.
    """
    homes = list(namespaces)
    if not homes:
        return {}
    claims = {
        obj["metadata"]["namespace"]: parse(obj.get("spec") or {})
        for obj in _list(client, "v1", "PersistentVolumeClaim", deployment, homes)
        if obj["metadata"]["name"] == _CLAIM
    }
    for obj in _list(client, "apps/v1", "StatefulSet", deployment, homes):
        for template in (obj.get("spec") or {}).get("volumeClaimTemplates") or ():
            if template["metadata"]["name"] == _TEMPLATE:
                claims[obj["metadata"]["namespace"]] = parse(template.get("spec") or {})
    return {home: claims[home] for home in homes if home in claims}


def read_caches(client: Client, deployment: str, namespaces: Iterable[str]) -> dict[str, Claim]:
    """The claims of a deployment's Redis, by namespace: one request; as :func:`read`."""
    homes = list(namespaces)
    claims = {
        obj["metadata"]["namespace"]: parse(obj.get("spec") or {})
        for obj in _list(client, "v1", "PersistentVolumeClaim", deployment, homes)
        if obj["metadata"]["name"] == CACHE
    }
    return {home: claims[home] for home in homes if home in claims}


def cache_problems(claims: Mapping[str, Claim], size: str) -> list[Problem]:
    """A volume may grow where its class allows it; it never shrinks."""
    try:
        wanted = _quantity.parse(size)
    except ValueError:
        return []  # said elsewhere
    larger: dict[str, list[str]] = {}
    for home, claim in claims.items():
        if claim.size and _quantity.parse(claim.size) > wanted:
            larger.setdefault(claim.size, []).append(home)
    remedy = "Set it back; or deploy once without Redis, which removes its volume, and then again."
    return [
        wrong(
            variable("redis", "storage_size"),
            size,
            f"is less than before: the volume in {listed(homes)} has {has}",
            remedy,
        )
        for has, homes in larger.items()
    ]


def problems(claims: Mapping[str, Claim], postgres: Postgres) -> list[Problem]:
    """What the settings ask to be otherwise than it is, one problem a setting."""
    asked: dict[str, tuple[str, str]] = {
        "storage_class": (postgres["storage_class"], _REMEDY),
        "storage_size": (postgres["storage_size"], _GROW),
        "storage_access_mode": (postgres["storage_access_mode"], _REMEDY),
    }
    found = []
    for option, (wanted, remedy) in asked.items():
        others: dict[str, list[str]] = {}
        for home, claim in claims.items():
            has = {
                "storage_class": claim.storage_class,
                "storage_size": claim.size,
                "storage_access_mode": claim.access_mode,
            }[option]
            if wanted and has and not _same(wanted, has, option):
                others.setdefault(has, []).append(home)
        for has, homes in others.items():
            problem = f"cannot be changed: the volume in {listed(homes)} has {has}"
            found.append(wrong(variable("postgres", option), wanted, problem, remedy))
    return found


def _same(wanted: str, has: str, option: str) -> bool:
    if option != "storage_size":
        return wanted == has
    try:
        return _quantity.parse(wanted) == _quantity.parse(has)
    except ValueError:
        return True  # said elsewhere: it is no quantity


def _list(
    client: Client, api_version: str, kind: str, deployment: str, namespaces: list[str]
) -> list[dict[str, Any]]:
    """All of a kind of the deployment; namespace by namespace where that alone is allowed."""
    selector = _labels.selector(_labels.deployment_labels(deployment))

    def inside(namespace: str | None) -> list[dict[str, Any]]:
        path = _resources.collection_path(api_version, kind, namespace)
        return client.list(path, label_selector=selector)

    if len(namespaces) > 1:
        try:
            return inside(None)
        except ApiError as error:
            if error.status != 403:
                raise
    items: list[dict[str, Any]] = []
    for answer in client.each(inside, namespaces):
        if isinstance(answer, LitemaasError):
            if getattr(answer, "status", 0) != 403:
                raise answer
            continue
        items += answer
    return items
