# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away what a deployment made: everything with its labels, and nothing else.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from ansible_collections.rhpds.litemaas.plugins.module_utils import _changes, _labels, _stuck
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import Change, ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._inventory import Found, Inventory

DATA = frozenset(("Namespace", "PersistentVolumeClaim", "Secret"))
# Gone only when their pods are: so that waiting for them is waiting for the pods.
_OWNERS = frozenset(("CronJob", "Deployment", "Job", "StatefulSet"))
_NAMESPACE, _POD = ("v1", "Namespace"), ("v1", "Pod")
EMPTIED = (
    "rhpds.litemaas/emptied"  # annotation of a namespace that ends: when its last pod was gone
)
_MERGE = "application/merge-patch+json"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0  # seconds between two looks
_NAMED = 3  # objects in a line of progress
_EXPLAINED = 20.0  # seconds after which the line says what holds the first of them


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


class Removal:
    """Deletes what has the labels, waits until it is gone, and knows what became of each.

    An object that stays does not keep the others from being removed; it is among the failures,
    with what holds it. The waiting may be cut into slices, each in a process of its own: *state*
    is of the slice before, *elapsed* the seconds since the first began.
    """

    def __init__(
        self,
        client: Client,
        request: Request,
        *,
        dry_run: bool = False,
        elapsed: float = 0.0,
        state: str = "",
    ) -> None:
        self._client, self._request, self._dry_run = client, request, dry_run
        if not request.selector:
            raise LitemaasError("selector must name at least one label of what is to be removed.")
        # Whatever the labels asked for: only what this collection made.
        mine = {_labels.MANAGED_BY[0]: _labels.MANAGED_BY[1]}
        selector = _labels.selector({**request.selector, **mine})
        self._inventory = Inventory(client, selector, request.namespaces)
        self._began = time.monotonic() - elapsed
        before = json.loads(state) if state else {}
        self._changes = [Change(**each) for each in before.get("changes", ())]
        self._left = [Found(**each) for each in before.get("left", ())]
        self._busy = frozenset(before.get("busy", ()))  # namespaces seen with pods
        self._waited = before.get("waited", 0)  # how many objects it was when the wait began
        self._deadline: float | None = before.get("deadline")

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    def state(self) -> str:
        """What the next slice needs to go on. Nothing secret."""
        kept = {
            "changes": [asdict(each) for each in self._changes],
            "left": [asdict(each) for each in self._left],
            "busy": sorted(self._busy),
            "waited": self._waited,
            "deadline": self._deadline,
        }
        return json.dumps(kept)

    def run(self, until: float = math.inf) -> bool:
        """Go on until all is gone or given up; False when *until* (seconds) comes first.

        Raises LitemaasError before anything is deleted when a namespace is refused.
        """
        if self._deadline is None:
            self._delete_all()
            self._deadline = self.elapsed + self._request.wait
        pause = _FIRST_PAUSE
        while self._left:
            if self.elapsed + pause >= until:
                return False
            time.sleep(max(0.0, min(pause, self._deadline - self.elapsed)))
            pause = min(2 * pause, _LONGEST_PAUSE)
            kinds = {(obj.api_version, obj.kind) for obj in self._left}
            there = self._inventory.find(kinds | {_POD} if _NAMESPACE in kinds else kinds)
            uids = {obj.uid for obj in there}
            self._left = [obj for obj in self._left if obj.uid in uids]
            self._hasten({obj.namespace for obj in there if obj.kind == "Pod"})
            if self.elapsed >= self._deadline:
                self._give_up()
        return True

    def changes(self) -> ChangeSet:
        """What became of each object."""
        return ChangeSet(self._changes)

    def line(self) -> str:
        """How far it is; empty where there was nothing to wait for."""
        if not self._waited:
            return ""
        title = self._request.selector.get(_labels.DEPLOYMENT, "litemaas")
        kinds = {each.kind for each in self._changes if each.action == _changes.DELETED}
        what = "namespaces" if kinds == {"Namespace"} else "objects"
        text = f"{title}: {self._waited - len(self._left)} of {self._waited} {what} gone"
        if self._left:
            names = [each.label for each in self._left[:_NAMED]]
            more = len(self._left) - len(names)
            text += f"; waiting for {', '.join(names)}" + (f" and {more} more" if more else "")
            if self.elapsed >= _EXPLAINED:
                why = _stuck.explain(self._client, self._left[0].reference)
                text += f"; {self._left[0].label}: {why}"
        return f"{text}; {self.elapsed:.0f} s"

    def _delete_all(self) -> None:
        request = self._request
        found = self._inventory.find()
        if request.within:
            found = [obj for obj in found if obj.home in request.within]
        if not request.existing_namespaces:
            _refuse_foreign(self._client, request.namespaces, found)
        going, kept = plan(found, keep_data=request.keep_data)
        results = self._client.each(
            lambda obj: delete(self._client, obj, dry_run=self._dry_run), going
        )
        for obj, result in zip(going, results, strict=True):
            if isinstance(result, Change):
                self._changes.append(result)
            else:
                self._changes.append(_changes.failed(obj.reference, result))
        if request.wait and not self._dry_run:
            pairs = zip(going, self._changes, strict=True)
            self._left = [obj for obj, change in pairs if change.action != _changes.FAILED]
        self._waited = len(self._left)
        self._changes += [_changes.change(obj.reference, _changes.KEPT) for obj in kept]

    def _hasten(self, busy: Iterable[str]) -> None:
        """Have the cluster look again at each namespace whose last pod is gone; *busy* have some.

        Its controller looks once, and next when half the time has passed that the pods it saw may
        take to end: more than five minutes, though they end in seconds. A change makes it look.
        """
        busy = frozenset(busy)
        homes = [obj for obj in self._left if obj.kind == "Namespace"]
        emptied = [obj for obj in homes if obj.name in self._busy - busy]
        self._busy = busy
        change = {"metadata": {"annotations": {EMPTIED: f"{time.time():.3f}"}}}
        # Whoever may not, or comes too late, waits, or need not.
        self._client.each(
            lambda obj: self._client.request("PATCH", obj.path, body=change, content_type=_MERGE),
            emptied,
        )

    def _give_up(self) -> None:
        """What is left is a failure, each with what holds it."""
        places = {(each.kind, each.namespace, each.name): i for i, each in enumerate(self._changes)}
        reasons = self._client.each(
            lambda obj: _stuck.explain(self._client, obj.reference), self._left
        )
        for obj, why in zip(self._left, reasons, strict=True):
            message = f"still there after {self._request.wait:g} s: {why}"
            place = places[obj.kind, obj.namespace, obj.name]
            begun = self._changes[place].action == _changes.DELETED
            self._changes[place] = _changes.change(obj.reference, _changes.FAILED, message)
            self._changes[place].written = begun  # it goes on without us
        self._left = []


def plan(found: Iterable[Found], *, keep_data: bool) -> tuple[list[Found], list[Found]]:
    """Decide what is deleted and what is kept of what was found. Pure.

    Namespaces of ours go whole, and what is in them is not mentioned again. Without them, and to
    keep the data, object by object.
    """
    everything = list(found)
    if keep_data:
        # With the record of what the data may be of, which a later run would look for in vain.
        kept = [obj for obj in everything if obj.kind in DATA or obj.optional == _labels.RECORD]
        return [obj for obj in everything if obj not in kept], kept
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


def delete(client: Client, obj: Found, *, dry_run: bool) -> Change:
    """Delete one object, in the background but for what is gone only with its pods."""
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
