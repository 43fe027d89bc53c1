# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which storage class the databases get, its properties, and why.

Internal to rhpds.litemaas: no stable interface for other collections.

A cluster's own default counts more than any name known here: a map of clouds to classes that wins
over the administrator's choice was what earlier collections had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from ansible_collections.rhpds.litemaas.plugins.module_utils import _storage_preference
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._platform import canonical

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

PATH = "/apis/storage.k8s.io/v1/storageclasses"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
VIRTUALIZATION = "storageclass.kubevirt.io/is-default-virt-class"

Kind = Literal["block", "file", "object", "static"]
# Object buckets are claimed with an ObjectBucketClaim: a PersistentVolumeClaim waits forever.
_OBJECT = re.compile(r"/(bucket|obc)$|(^|\.)objectbucket\.io(/|$)")
_FILE = re.compile(r"nfs|cephfs|gluster|(^|[./-])efs\.|azure-?file|(^|[./-])file\.csi|filestore")


@dataclass(frozen=True)
class StorageClass:
    """The parts of a StorageClass that matter here."""

    name: str
    provisioner: str = ""
    volume_binding_mode: str = ""
    allow_volume_expansion: bool = False
    reclaim_policy: str = ""
    default: bool = False
    virtualization: bool = False
    created: str = ""  # RFC 3339 in UTC: sorts as text

    @property
    def kind(self) -> Kind:
        """What the provisioner makes: disks, shares, buckets, or nothing by itself."""
        if self.provisioner == NO_PROVISIONER:
            return "static"
        if _OBJECT.search(self.provisioner):
            return "object"
        return "file" if _FILE.search(self.provisioner) else "block"

    @property
    def refusal(self) -> str:
        """Why no database can have a volume of this class; "" when it can."""
        if self.kind == "static":
            return (
                f"its provisioner {NO_PROVISIONER} makes no volumes: somebody would have to create "
                "a PersistentVolume for each instance by hand"
            )
        if self.kind == "object":
            return f"its provisioner {self.provisioner} makes object buckets, not volumes"
        return ""

    def result(self) -> dict[str, Any]:
        """For the list of all classes in a module's result."""
        return {
            "name": self.name,
            "provisioner": self.provisioner,
            "default": self.default,
            "usable": not self.refusal,
        }


@dataclass(frozen=True)
class Choice:
    """The class to use and why, in words. ``verified``: whether the cluster confirmed it."""

    storage_class: StorageClass
    reason: str
    verified: bool = True

    def result(self) -> dict[str, Any]:
        """For a module's result."""
        chosen = self.storage_class
        return {
            "name": chosen.name,
            "provisioner": chosen.provisioner,
            "volume_binding_mode": chosen.volume_binding_mode,
            "allow_volume_expansion": chosen.allow_volume_expansion,
            "reclaim_policy": chosen.reclaim_policy,
            "reason": self.reason,
            "verified": self.verified,
        }


def parse(obj: Mapping[str, Any]) -> StorageClass:
    """Read a StorageClass object of the API; defaults as the API server fills them in."""
    metadata = obj.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    return StorageClass(
        name=metadata["name"],
        provisioner=obj.get("provisioner") or "",
        volume_binding_mode=obj.get("volumeBindingMode") or "Immediate",
        allow_volume_expansion=bool(obj.get("allowVolumeExpansion")),
        reclaim_policy=obj.get("reclaimPolicy") or "Delete",
        default=any(annotations.get(key) == "true" for key in DEFAULT),
        virtualization=annotations.get(VIRTUALIZATION) == "true",
        created=metadata.get("creationTimestamp") or "",
    )


def select(classes: Iterable[StorageClass], name: str = "", platform: str = "") -> Choice:
    """Choose the class for the databases.

    ``name``: the user's choice, "" for none. ``platform``: as in Infrastructure, "" if unknown.
    Without a name: the default (of several the newest, then by name), then the names known
    for the platform, then those of other platforms. A class meant for virtual machines comes after
    all these, a shared file system last. Raises LitemaasError that lists what there is.
    """
    classes = sorted(classes, key=lambda each: each.name)
    if name:
        return _explicit(classes, name)
    candidates = [each for each in classes if not each.refusal and _rank(each, platform)]
    if not candidates:
        raise LitemaasError(
            "There is no default storage class and none whose name is known here, so none was "
            f"chosen. {_listing(classes)}"
        )
    best = min(_rank(each, platform) for each in candidates)
    # max() takes the first of equals: by name when several defaults are of the same second.
    equals = [each for each in candidates if _rank(each, platform) == best]
    chosen = max(equals, key=lambda each: each.created)
    return Choice(chosen, _reason(chosen, classes, platform))


def _explicit(classes: list[StorageClass], name: str) -> Choice:
    for each in classes:
        if each.name == name:
            if each.refusal:
                raise LitemaasError(
                    f"The storage class {name} cannot be used: {each.refusal}. {_listing(classes)}"
                )
            return Choice(each, "asked for by name")
    raise LitemaasError(f"There is no storage class {name!r}. {_listing(classes)}")


def _rank(each: StorageClass, platform: str) -> tuple[int, ...]:
    """The place of a class in the order, the smallest first; () for a class never chosen."""
    place = _storage_preference.place(each.name, platform)
    drawback = 2 if each.kind == "file" else 1 if each.virtualization else 0
    if each.default:
        return drawback, 0, 0
    if place is not None:
        return drawback, 1, place
    return (drawback, 2, 0) if each.virtualization else ()


def _reason(chosen: StorageClass, classes: list[StorageClass], platform: str) -> str:
    """Why it was chosen: what speaks for it, what against it, and what was passed over."""
    others = [each.name for each in classes if each.default and each != chosen]
    if chosen.default:
        reason = "the cluster's default storage class"
        if others:
            reason += f" (marked as default too: {_and(others)})"
    else:
        suitable = f"suitable default (not {_and(others)})" if others else "default storage class"
        reason = f"the cluster has no {suitable}"
        if _storage_preference.is_usual(chosen.name, platform):
            reason += f", and this is a usual one on {canonical(platform)}"
        elif not chosen.virtualization:
            reason += ", and this is a usual one"
    if chosen.kind == "file":
        reason += "; it is a shared file system, but no other class fits"
    elif chosen.virtualization:
        reason += "; it is meant for virtual machines, but no other class fits"
    return reason


def _listing(classes: list[StorageClass]) -> str:
    """What there is and what to do, for error messages."""
    if not classes:
        return "The cluster has no storage class: install a provisioner first."
    usable = [f"{each.name} ({each.provisioner})" for each in classes if not each.refusal]
    unusable = [f"{each.name} ({each.provisioner})" for each in classes if each.refusal]
    text = f"There {'is' if len(usable) == 1 else 'are'} {_and(usable)}" if usable else ""
    if unusable:
        text += "; not usable" if text else "There are only classes that are not usable"
        text += f": {_and(unusable)}"
    todo = "Set the storage class to one of them." if usable else "Install a provisioner first."
    return f"{text}. {todo}"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def read(
    client: Client, name: str = "", platform: str = ""
) -> tuple[Choice, list[StorageClass], list[str]]:
    """List the cluster's classes and choose. Returns (choice, all classes, notes).

    Without permission to list them a class that is named is taken on trust, with a note.
    """
    try:
        classes = [parse(item) for item in client.list(PATH)]
    except ApiError as error:
        if error.status != 403:
            raise
        return _unlisted(client, name, error)
    return select(classes, name, platform), classes, []


def _unlisted(
    client: Client, name: str, error: ApiError
) -> tuple[Choice, list[StorageClass], list[str]]:
    if not name:
        raise LitemaasError(
            "The storage classes cannot be listed, so none can be chosen: set the storage class by "
            f"name, or allow listing storageclasses.storage.k8s.io. {error}"
        ) from error
    note = f"The storage classes cannot be listed (403): {name} was "
    try:
        found = client.find(f"{PATH}/{quote(name, safe='')}")
    except ApiError as denied:
        if denied.status != 403:
            raise
        choice = Choice(StorageClass(name), "asked for by name", verified=False)
        return choice, [], [f"{note}taken as given, without a check that it exists."]
    if found is None:
        raise LitemaasError(
            f"There is no storage class {name!r}; which ones there are may not be listed (403)."
        )
    choice = select([parse(found)], name)
    return choice, [choice.storage_class], [f"{note}read by itself."]
