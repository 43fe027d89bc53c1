# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away what a deployment made: everything with its labels, and nothing else.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.rhpds.litemaas.plugins.module_utils import _changes, _labels, _stuck
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import Change, ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._inventory import Found, Inventory

DATA = frozenset(("Namespace", "PersistentVolumeClaim", "Secret"))
# Gone only when their pods are: so that waiting for them is waiting for the pods.
_OWNERS = frozenset(("CronJob", "Deployment", "Job", "StatefulSet"))
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0  # seconds between two looks


@dataclass(frozen=True)
class Request:
    """What to remove.

    ``within``: nothing but these namespaces and what is in them. ``wait``: seconds to wait until
    it is gone, 0 not to.
    """

    selector: Mapping[str, str]
    namespaces: tuple[str, ...] = ()
    existing_namespaces: bool = False
    keep_data: bool = False
    wait: float = 300.0
    within: frozenset[str] = frozenset()


def remove(client: Client, request: Request, *, dry_run: bool = False) -> ChangeSet:
    """Delete what has the labels, wait until it is gone, and say what became of each.

    An object that stays does not keep the others from being removed; it is among the failures,
    with what holds it. Raises LitemaasError before anything is deleted when a namespace is refused.
    """
    if not request.selector:
        raise LitemaasError("selector must name at least one label of what is to be removed.")
    # Whatever the labels asked for: only what this collection made.
    selector = _labels.selector({**request.selector, _labels.MANAGED_BY[0]: _labels.MANAGED_BY[1]})
    inventory = Inventory(client, selector, request.namespaces)
    found = inventory.find()
    if request.within:
        found = [obj for obj in found if obj.home in request.within]
    if not request.existing_namespaces:
        _refuse_foreign(client, request.namespaces, found)
    going, kept = plan(found, keep_data=request.keep_data)
    results = client.each(lambda obj: _delete(client, obj, dry_run), going)
    done = {
        obj.uid: (result if isinstance(result, Change) else _changes.failed(obj.reference, result))
        for obj, result in zip(going, results, strict=True)
    }
    if request.wait and not dry_run:
        waited = [obj for obj in going if done[obj.uid].action != _changes.FAILED]
        for obj in _left_after(inventory, waited, request.wait):
            message = f"still there after {request.wait:g} s: {_stuck.explain(client, obj.reference)}"
            done[obj.uid] = _changes.change(obj.reference, _changes.FAILED, message)
    return ChangeSet(
        [*done.values(), *(_changes.change(obj.reference, _changes.KEPT) for obj in kept)]
    )


def plan(found: Iterable[Found], *, keep_data: bool) -> tuple[list[Found], list[Found]]:
    """Decide what is deleted and what is kept of what was found. Pure.

    Namespaces of ours go whole, and what is in them is not mentioned again. Without them, and to
    keep the data, object by object.
    """
    everything = list(found)
    if keep_data:
        return (
            [obj for obj in everything if obj.kind not in DATA],
            [obj for obj in everything if obj.kind in DATA],
        )
    whole = {obj.name for obj in everything if obj.kind == "Namespace"}
    return [obj for obj in everything if obj.namespace not in whole], []


def _refuse_foreign(client: Client, namespaces: Iterable[str], found: Iterable[Found]) -> None:
    """Raise for namespaces that exist, are not ours and hold nothing of ours."""
    ours = {obj.home for obj in found}
    refused = []
    for name in namespaces:
        if name in ours:
            continue
        try:
            live = client.find(f"/api/v1/namespaces/{name}")
        except ApiError as error:
            if error.status != 403:
                raise
            continue  # nothing of ours was found in it, and nothing in it is touched
        if live:
            refused.append(name)
    if refused:
        raise LitemaasError(
            f"Refused to remove {', '.join(refused)}: not made by this deployment (the labels are "
            "missing), and nothing in there is. Remove it with what made it, or correct the name."
        )


def _delete(client: Client, obj: Found, dry_run: bool) -> Change:
    if obj.terminating:
        return _changes.change(obj.reference, _changes.TERMINATING)
    try:
        client.delete(
            obj.path,
            dry_run=dry_run,
            propagation="Foreground" if obj.kind in _OWNERS else "Background",
            uid=obj.uid,
        )
    except ApiError as error:
        if error.status != 409:
            raise
        raise LitemaasError("was made anew while it was being removed: run again.") from error
    return _changes.change(obj.reference, _changes.DELETED)


def _left_after(inventory: Inventory, going: Iterable[Found], seconds: float) -> list[Found]:
    """Wait until the objects are gone; return those that are not."""
    deadline = time.monotonic() + seconds
    left = {obj.uid: obj for obj in going}
    pause = _FIRST_PAUSE
    while left:
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
        pause = min(2 * pause, _LONGEST_PAUSE)
        kinds = {(obj.api_version, obj.kind) for obj in left.values()}
        there = {obj.uid for obj in inventory.find(kinds)}
        left = {uid: obj for uid, obj in left.items() if uid in there}
        if time.monotonic() >= deadline:
            break
    return list(left.values())
