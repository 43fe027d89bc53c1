# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an earlier run applied and the manifests no longer hold: parts that were switched off.

Internal to rhpds.litemaas: no stable interface for other collections.

Only what carries the label of an optional part is looked at, so nothing is ever found that every
instance has: neither a database nor its volume can become stale by a manifest that is missing.

The lists by which the manifests are compared show what is stale of the kinds that are still wanted.
For the others each instance with optional parts has a record: a ConfigMap named by what it says,
which is the parts and their kinds. One that says something else than the manifests is stale itself,
is looked through kind by kind, and goes after all that it names. So an instance that never had such
a part costs one short list in all, and a run that broke off leaves nothing unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _changes,
    _inventory,
    _labels,
    _live,
    _manifest,
    _remove,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import Change, ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._inventory import Found

Object = Mapping[str, Any]
_UNFINISHED = (_changes.FAILED, _changes.SKIPPED)
_RECORDS = ("v1", "ConfigMap")
_NAME = "litemaas-parts-"
# Of any part there may be one, which is in no manifest.
_SECRET = "v1 Secret"


def records(objects: Iterable[Object]) -> list[Object]:
    """The record of each namespace in which *objects* have optional parts, to be applied with them.

    ``cache: apps/v1 Deployment, v1 Secret`` in a line for each part.
    """
    parts: dict[str, dict[str, set[str]]] = {}
    owners: dict[str, dict[str, str]] = {}
    for obj in _ours(objects):
        home, part = obj["metadata"]["namespace"], _labels.of(obj).get(_labels.OPTIONAL)
        if part:
            kinds = parts.setdefault(home, {}).setdefault(part, {_SECRET})
            kinds.add(f"{obj['apiVersion']} {obj['kind']}")
        alone = _secrets(obj)
        for name in alone:
            parts.setdefault(home, {}).setdefault(name, {_SECRET})
        if part or alone:
            owners[home] = _labels.ownership_of(obj)
    return [_record(home, owners[home], found) for home, found in parts.items()]


def settle(
    client: Client,
    objects: Sequence[Object],
    changes: ChangeSet,
    beside: Iterable[Object],
    *,
    remove: bool,
    dry_run: bool,
) -> None:
    """Find what is stale, and delete it or note it in *changes*, those of applying *objects*.

    Only in namespaces where nothing failed: what runs there may still need what is stale. *beside*
    is what applying them saw, of ``_live.read``.
    """
    bad = {c.namespace or c.name for c in changes.changes if c.action in _UNFINISHED}
    good = [obj for obj in objects if obj["metadata"].get("namespace") not in bad]
    found = find(client, good, beside)
    if remove:
        changes.changes += _delete(client, found, dry_run=dry_run)
    else:
        changes.stale = [each.reference for each in found]


def find(client: Client, objects: Sequence[Object], beside: Iterable[Object] = ()) -> list[Found]:
    """What is stale in the namespaces of *objects*, with their records among them.

    Empty where the objects carry no label of one deployment, or where nothing may be listed.
    """
    ours = list(_ours(objects))
    deployments = {_labels.of(obj).get(_labels.DEPLOYMENT, "") for obj in ours}
    if len(deployments) != 1 or "" in deployments:
        return []
    there = [
        _inventory.described((obj["apiVersion"], obj["kind"]), obj["metadata"]) for obj in beside
    ]
    homes = sorted({obj["metadata"]["namespace"] for obj in ours})
    selector = f"{_live.common_selector(ours)},{_labels.OPTIONAL}"
    try:
        if not set(homes) <= {obj["metadata"]["namespace"] for obj in ours if _is_record(obj)}:
            only = f"{selector}={_labels.RECORD}"
            there += _inventory.Inventory(client, only, homes).find([_RECORDS])
        kinds = set(_known(client, stale(there, ours)))
        if kinds:
            there += _inventory.Inventory(client, selector, homes).find(sorted(kinds))
    except ApiError:
        raise
    except LitemaasError:  # not a single kind may be listed
        return []
    return stale({each.uid: each for each in there}.values(), ours)


def stale(found: Iterable[Found], objects: Iterable[Object]) -> list[Found]:
    """Decide which of *found* the manifests *objects* no longer hold. Pure.

    A Secret is in no manifest: it is stale when its part of that instance has no object left, and
    is not named on one either.
    """
    kept, parts, homes = set(), set(), set()
    for obj in objects:
        home = obj["metadata"]["namespace"]
        kept.add(_manifest.identity(obj))
        parts.add((home, _labels.of(obj).get(_labels.OPTIONAL, "")))
        parts.update((home, name) for name in _secrets(obj))
        homes.add(home)
    return [
        each
        for each in found
        if each.namespace in homes
        and not each.terminating
        and _manifest.identity({"apiVersion": each.api_version, **each.reference}) not in kept
        and not (each.kind == "Secret" and (each.namespace, each.optional) in parts)
    ]


def _ours(objects: Iterable[Object]) -> Iterator[Object]:
    return (o for o in objects if _labels.is_ours(o) and o["metadata"].get("namespace"))


def _secrets(obj: Object) -> list[str]:
    """The parts, named on an object, that consist of a Secret alone."""
    text = (obj["metadata"].get("annotations") or {}).get(_labels.SECRETS, "")
    return text.split()


def _is_record(obj: Object) -> bool:
    return _labels.of(obj).get(_labels.OPTIONAL) == _labels.RECORD


def _record(home: str, owner: dict[str, str], parts: Mapping[str, set[str]]) -> Object:
    text = "\n".join(f"{part}: {', '.join(sorted(parts[part]))}" for part in sorted(parts))
    metadata = {
        "name": _NAME + hashlib.sha256(text.encode()).hexdigest()[:10],
        "namespace": home,
        "labels": {**owner, _labels.OPTIONAL: _labels.RECORD},
        "annotations": {_labels.PARTS: text},
    }
    return {"apiVersion": _RECORDS[0], "kind": _RECORDS[1], "metadata": metadata}


def _known(client: Client, found: Iterable[Found]) -> Iterator[tuple[str, str]]:
    """The kinds that stale records name, those apart that the cluster has no more."""
    texts = {each.parts for each in found if each.optional == _labels.RECORD}
    named = {kind for text in texts for line in text.splitlines() for kind in _kinds(line)}
    for api_version, kind in named:
        try:
            _resources.resolve(client, api_version, kind)
        except ApiError:
            raise
        except LitemaasError:
            continue
        yield api_version, kind


def _kinds(line: str) -> Iterator[tuple[str, str]]:
    for text in line.partition(": ")[2].split(", "):
        api_version, _space, kind = text.partition(" ")
        if kind:
            yield api_version, kind


def _delete(client: Client, found: Sequence[Found], *, dry_run: bool) -> list[Change]:
    """Delete what is stale, and say what became of each; an object that stays is a failure.

    A record goes last, and stays where anything does that it names.
    """
    done: list[Change] = []
    for record in (False, True):
        left = {change.namespace for change in done if change.action == _changes.FAILED}
        going = [
            each
            for each in found
            if (each.optional == _labels.RECORD) is record and each.namespace not in left
        ]
        results = client.each(lambda obj: _remove.delete(client, obj, dry_run=dry_run), going)
        done += [
            result if isinstance(result, Change) else _changes.failed(obj.reference, result)
            for obj, result in zip(going, results, strict=True)
        ]
    return done
