# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster has of the objects that are wanted, read with as few requests as possible.

Internal to rhpds.litemaas: no stable interface for other collections.

One LIST a kind, by the labels that the wanted objects have in common. Each page is compared at once
and an object that is as wanted is forgotten: a thousand instances do not fit into memory twice.

The same lists show what is no longer wanted, where that is of a kind that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _compare,
    _labels,
    _manifest,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

# Up to so many namespaces are read one by one: less to read, and no cluster-wide permission needed.
FEW = 3
# Pages in work at the same time: their parsed objects are what takes the memory.
READERS = 4

Object = Mapping[str, Any]
Key = tuple[str, ...]


class State(NamedTuple):
    """The live side of a wanted object."""

    live: Object | None = None  # None: absent, or as wanted
    satisfied: bool = False
    error: LitemaasError | None = None  # it cannot be read


def read(
    client: Client, wanted: Sequence[Object], beside: list[Object] | None = None
) -> dict[Key, State]:
    """Return the state of each wanted object that exists, by ``_manifest.identity``.

    What cannot be read has its error as state. Raises when no object could be. *beside* is given
    what the lists show of optional parts and is not wanted, as far as its metadata.
    """
    groups: dict[tuple[str, str], list[Object]] = {}
    for obj in wanted:
        groups.setdefault((obj["apiVersion"], obj["kind"]), []).append(obj)
    found: dict[Key, State] = {}
    seen = [] if beside is None else beside
    parts = client.each(
        lambda group: _read_kind(client, group, seen), groups.values(), threads=READERS
    )
    for group, part in zip(groups.values(), parts, strict=True):
        if isinstance(part, LitemaasError):
            _raise_for_all(part)
            found.update({_manifest.identity(obj): State(error=part) for obj in group})
        else:
            found.update(part)
    return found


def _read_kind(client: Client, wanted: list[Object], beside: list[Object]) -> dict[Key, State]:
    """Read one kind: the whole cluster, else namespace by namespace, else object by object."""
    api_version, kind = wanted[0]["apiVersion"], wanted[0]["kind"]
    namespaces = sorted({obj["metadata"].get("namespace") or "" for obj in wanted})
    selector = common_selector(wanted)
    index = {_manifest.identity(obj): obj for obj in wanted}
    whole_cluster = _resources.collection_path(api_version, kind)
    if namespaces == [""]:
        # Reading one by its name needs no permission to see all others.
        attempts = [] if len(wanted) <= FEW or not selector else [[whole_cluster]]
    else:
        each = [_resources.collection_path(api_version, kind, name) for name in namespaces]
        attempts = [each] if len(namespaces) <= FEW or not selector else [[whole_cluster], each]
    for paths in attempts:
        try:
            return _read_lists(client, paths, selector, index, beside)
        except ApiError as error:
            if error.status != 403:
                raise
    return _read_one_by_one(client, index)


def _read_lists(
    client: Client,
    paths: list[str],
    selector: str,
    index: Mapping[Key, Object],
    beside: list[Object],
) -> dict[Key, State]:
    def read_list(path: str) -> dict[Key, State]:
        states = {}
        try:
            for page in client.pages(path, label_selector=selector):
                for live in page:
                    key = _manifest.identity(live)
                    if key in index:
                        states[key] = _state(index[key], live)
                    elif _labels.OPTIONAL in _labels.of(live):
                        # Of threads: a list's append is whole.
                        beside.append({k: live[k] for k in ("apiVersion", "kind", "metadata")})
        except ApiError as error:
            if error.status != 404:  # a kind that the cluster is only about to get
                raise
        return states

    found: dict[Key, State] = {}
    for part in client.each(read_list, paths):
        if isinstance(part, LitemaasError):
            raise part
        found.update(part)
    return found


def _read_one_by_one(client: Client, index: Mapping[Key, Object]) -> dict[Key, State]:
    def read_object(item: tuple[Key, Object]) -> tuple[Key, State] | None:
        key, obj = item
        try:
            live = client.find(_resources.object_path(obj))
        except LitemaasError as error:
            _raise_for_all(error)
            return key, State(error=error)
        return (key, _state(obj, live)) if live else None

    results = client.each(read_object, index.items())
    for result in results:
        if isinstance(result, LitemaasError):
            raise result
    return dict(filter(None, results))


def _raise_for_all(error: LitemaasError) -> None:
    """Raise what is wrong for every object alike: an unreachable server, wrong credentials."""
    if isinstance(error, ApiError) and error.status in (0, 401):
        raise error


def _state(wanted: Object, live: Object) -> State:
    as_wanted = _compare.satisfied(wanted, live)
    return State(None if as_wanted else live, as_wanted)


def common_selector(objects: Iterable[Object]) -> str:
    """Return the label selector that finds all the objects; empty when they share no label.

    Ownership labels alone where there are any: others may change from release to release, and then
    the objects of the last one would be looked for in vain.
    """
    common: dict[str, str] | None = None
    for obj in objects:
        labels = obj["metadata"].get("labels") or {}
        if common is None:
            common = dict(labels)
        else:
            common = {k: v for k, v in common.items() if labels.get(k) == v}
    common = common or {}
    ownership = (_labels.MANAGED_BY[0], _labels.DEPLOYMENT)
    return _labels.selector({k: v for k, v in common.items() if k in ownership} or common)
