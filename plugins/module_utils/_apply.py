# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the cluster to what the manifests say: read, compare, send what differs.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _changes,
    _compare,
    _explain,
    _labels,
    _live,
    _manifest,
    _owned,
    _resources,
    _stages,
    _stuck,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import Change, ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

Object = Mapping[str, Any]
# No object has this version, the empty database's: an apply for it creates, and is refused when
# there is an object. So one that nobody saw in the lists is never overwritten unawares.
CREATE_ONLY = "1"
SETTLING = 10.0  # seconds that new namespaces and kinds may take until they can be used
CONFLICTS = 5  # how often an object may be changed by others while it is sent
GONE = 120.0  # seconds to wait for an object that is being deleted
VALIDATION_NAMESPACE = "default"  # exists everywhere; nothing but dry runs is sent into it


def apply(
    client: Client,
    objects: Sequence[Object],
    *,
    dry_run: bool = False,
    diff: bool = False,
    gone: float | None = None,
    beside: list[Object] | None = None,
) -> ChangeSet:
    """Server-side apply the objects, in stages, and say what became of each.

    One failed object does not keep the others from being sent: see ``ChangeSet.failures`` (the
    caller decides, as a rule by ``ChangeSet.check()``). ``dry_run`` writes nothing and predicts.
    ``diff`` keeps the text of both sides for what changes. ``gone``: seconds to wait for one that
    is being deleted, when other than ``GONE``. *beside* is as of ``_live.read``.
    """
    for api_version, kind in {(obj["apiVersion"], obj["kind"]) for obj in objects}:
        _resources.resolve(client, api_version, kind)
    run = _Run(client, dry_run, diff, GONE if gone is None else gone)
    homes, *rest = _stages.stages(objects)
    run.send_all(homes, _live.read(client, homes))
    run.settled_by = time.monotonic() + SETTLING
    later = [obj for part in rest for obj in part]
    states = _live.read(client, [obj for obj in later if not run.is_new(obj)], beside)
    for part in rest:
        run.send_all(part, states)
    return ChangeSet([run.done[_manifest.identity(obj)] for obj in objects])


class _Run:
    """One call of apply: what is known so far about namespaces and kinds."""

    def __init__(self, client: Client, dry_run: bool, diff: bool, gone: float) -> None:
        self.client = client
        self.dry_run = dry_run
        self.diff = diff
        self.gone = gone
        self.done: dict[_live.Key, Change] = {}
        self.settled_by = 0.0
        self._new: set[str] = set()  # namespaces that were (or would be) created in this run
        self._failed: set[str] = set()  # namespaces that could not be
        self._new_kinds = False

    def is_new(self, obj: Object) -> bool:
        """Whether nothing can be there yet, as the namespace is new."""
        return obj["metadata"].get("namespace") in self._new

    def send_all(self, objects: Iterable[Object], states: Mapping[_live.Key, _live.State]) -> None:
        """Send what is not as wanted, concurrently; note what became of it."""
        todo = []
        for obj in objects:
            key = _manifest.identity(obj)
            state = states.get(key, _live.State())
            if state.satisfied:
                self.done[key] = _changes.change(obj, _changes.UNCHANGED)
            elif obj["metadata"].get("namespace") in self._failed:
                self.done[key] = _changes.change(obj, _changes.SKIPPED)
            else:
                todo.append((obj, state))
        results = self.client.each(lambda item: self._change(*item), todo)
        for (obj, _unused), result in zip(todo, results, strict=True):
            if isinstance(result, LitemaasError):
                self._note(obj, _changes.failed(obj, result))
            else:
                self._note(obj, result)

    def _note(self, obj: Object, change: Change) -> None:
        self.done[_manifest.identity(obj)] = change
        if obj["kind"] == "Namespace" and change.action == _changes.CREATED:
            self._new.add(change.name)
        elif obj["kind"] == "Namespace" and change.action == _changes.FAILED:
            self._failed.add(change.name)
        elif obj["kind"] == "CustomResourceDefinition":
            self._new_kinds = True

    def _change(self, wanted: Object, state: _live.State) -> Change:
        if state.error:
            raise state.error
        live = state.live
        _refuse_foreign(wanted, live)
        going = bool(live and live["metadata"].get("deletionTimestamp"))
        if live and not going and _compare.failed_job(live):
            path, uid = _resources.object_path(wanted), live["metadata"]["uid"]
            self.client.delete(path, uid=uid, dry_run=self.dry_run)
            going = True  # no Job can be changed: it is made anew
        if going and not self.dry_run:
            self._wait_until_gone(wanted, live)
        try:
            if self.dry_run and (going or self.is_new(wanted)):
                status, after, before = self._predict(wanted)
            else:
                status, after, before = self._send(wanted, None if going else live)
        except ApiError as error:
            message = _explain.explain(error, wanted, live or self._look(wanted))
            return _changes.failed(wanted, error, message)
        action = _action(status, before, after)
        change = _changes.change(wanted, action)
        if self.diff and action != _changes.UNCHANGED:
            change.before, change.after = _owned.pair(before, after)
        return change

    def _send(self, wanted: Object, live: Object | None) -> tuple[int, Object, Object | None]:
        """Send one object: (201 or 200, the object after, and before)."""
        # What the lists did not show may be there all the same, without our labels.
        guarded = live is None and _labels.is_ours(wanted)
        body = outgoing(wanted, create_only=guarded)
        path = _resources.object_path(wanted)
        conflicts, delay = 0, 0.1
        while True:
            try:
                status, after = self.client.apply(
                    path, body, field_manager=_labels.FIELD_MANAGER, dry_run=self.dry_run
                )
                return status, after, live
            except ApiError as error:
                if error.status == 409 and conflicts < CONFLICTS:
                    conflicts += 1
                    if guarded:
                        live = self.client.find(path)  # the lists did not show it
                        _refuse_foreign(wanted, live)
                        if live and _compare.satisfied(wanted, live):
                            return 201, live, None  # our own: only the answer was lost
                        guarded = live is None
                        body = outgoing(wanted, create_only=guarded)
                elif self.dry_run and (_is_missing_namespace(error) or self._is_new_kind(error)):
                    return self._predict(wanted)  # this run or an earlier task is what creates it
                elif not self._settles(error, wanted) or time.monotonic() > self.settled_by:
                    raise
            time.sleep(delay)
            delay = min(2 * delay, 2.0)

    def _settles(self, error: ApiError, wanted: Object) -> bool:
        """Whether the error is of those that end soon after something else was created."""
        if self.dry_run:
            return False
        if error.status == 422 and "externalCertificate" in error.message:
            return True  # the router may read it a moment after it was let, and so may its API
        if self.is_new(wanted):
            # The namespace's roles, quotas and UID range are written a moment after it.
            forbidden = error.status == 403 and "exceeded quota" not in error.message
            return forbidden or _is_missing_namespace(error)
        return self._is_new_kind(error)

    def _is_new_kind(self, error: ApiError) -> bool:
        return self._new_kinds and error.status == 404

    def _predict(self, wanted: Object) -> tuple[int, Object, None]:
        """Check an object whose namespace is not there yet, by a dry run in one that is."""
        metadata = wanted["metadata"]
        if "namespace" not in metadata:
            return 201, wanted, None  # it is being deleted, and will be made anew
        body = outgoing(wanted, create_only=True)
        body["metadata"]["namespace"] = VALIDATION_NAMESPACE
        path = _resources.object_path(body)
        try:
            self.client.apply(path, body, field_manager=_labels.FIELD_MANAGER, dry_run=True)
        except ApiError as error:
            if error.status in (0, 401, 422) or _explain.is_malformed(error):
                raise
            # There already, not allowed, over quota, refused by a policy: says nothing about here.
        return 201, wanted, None

    def _look(self, wanted: Object) -> Object | None:
        """Return the live object, for an explanation; None when it cannot be read."""
        try:
            return self.client.find(_resources.object_path(wanted))
        except LitemaasError:
            return None

    def _wait_until_gone(self, wanted: Object, live: Object | None) -> None:
        path, uid = _resources.object_path(wanted), live and live["metadata"].get("uid")
        deadline = time.monotonic() + self.gone
        while True:
            now = self.client.find(path)
            if now is None or now["metadata"].get("uid") != uid:
                return
            if time.monotonic() > deadline:
                raise LitemaasError(
                    f"is being deleted since {now['metadata'].get('deletionTimestamp')} and still "
                    f"there after {self.gone:.0f} s: {_stuck.explain(self.client, wanted)}"
                )
            time.sleep(1)


def outgoing(wanted: Object, *, create_only: bool = False) -> dict[str, Any]:
    """Return what is sent: the object with the hash of itself in an annotation."""
    metadata = dict(wanted["metadata"])
    metadata["annotations"] = {
        **(metadata.get("annotations") or {}),
        _labels.APPLIED_HASH: _compare.applied_hash(wanted),
    }
    if create_only:
        metadata["resourceVersion"] = CREATE_ONLY
    return {**wanted, "metadata": metadata}


def _refuse_foreign(wanted: Object, live: Object | None) -> None:
    """Raise when a live object is in the way of one of ours."""
    owner = foreign_owner(wanted, live) if live else ""
    if owner:
        raise LitemaasError(
            f"exists already and is {owner}: it is left untouched. Remove or rename it, or deploy "
            "into another namespace."
        )


def foreign_owner(wanted: Object, live: Object) -> str:
    """Say whose a live object is; empty when it is ours to apply, or nobody claims the wanted."""
    if not _labels.is_ours(wanted):
        return ""  # merged as kubectl does
    labels = _labels.of(live)
    mine, theirs = _labels.of(wanted).get(_labels.DEPLOYMENT), labels.get(_labels.DEPLOYMENT)
    if mine and theirs and mine != theirs:
        return f"part of the deployment {theirs}"
    managers = {entry.get("manager") for entry in live["metadata"].get("managedFields") or ()}
    # Labels that somebody took off come back; what was never applied by us stays others'.
    if _labels.is_ours(live) or _labels.FIELD_MANAGER in managers:
        return ""
    manager = labels.get(_labels.MANAGED_BY[0])
    if manager:
        return f"managed by {manager}"
    return f"not this collection's (it has no label {_labels.MANAGED_BY[0]})"


def _action(status: int, before: Object | None, after: Object) -> str:
    if status == 201:
        return _changes.CREATED
    same = before is not None and _content(before) == _content(after)
    return _changes.UNCHANGED if same else _changes.CONFIGURED


def _content(obj: Object) -> Object:
    """An object without what changes by itself: versions, and the status its controller writes."""
    moving = ("generation", "managedFields", "resourceVersion")
    metadata = {k: v for k, v in obj["metadata"].items() if k not in moving}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": metadata}


def _is_missing_namespace(error: ApiError) -> bool:
    return error.status == 404 and error.details.get("kind") == "namespaces"
