# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for instances, all at once: look, judge, ask the gateways, until each is settled.

Internal to rhpds.litemaas: no stable interface for other collections.

A look costs a LIST or two per kind, whatever the number of instances; when few of many are left,
only those are looked at, and all again after some seconds. An instance is settled when its gateway
answered, or when it is in trouble that waiting cannot end and was so for a while; the others go on
waiting. The wait may be cut into slices, each in a process of its own.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _application_check, _observation
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._details import explained
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_check import (
    COMPONENT,
    Answer,
    GatewayCheck,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._keys import Keys
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import (
    Observation,
    Observer,
    common_selector,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._redaction import Redactor
from ansible_collections.rhpds.litemaas.plugins.module_utils._track import Standing, Track
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_instance import (
    EXPOSURE,
    awaiting_migration,
    instance_verdicts,
)

# Of one slice; more would cost more requests than words they bring. At the end all are explained.
_EXPLAINED = 20
# Seconds for an API server to answer at all: more likely than away, its address is wrong.
_NEVER_SEEN = 30.0
_ASKING = 8.0  # seconds, at most, to ask one gateway once
# What reasons are made of is listed anew after ten times the seconds that it took, or after these:
# pods by the thousand cost the API server what it needs to start them.
_PARTS_AT_LEAST_EVERY = 8.0
# Of more instances than these, those that are ready are not looked at each time when few others are
# left, but after these seconds.
_MANY, _ALL_AT_LEAST_EVERY = 20, 15.0
_PAUSE, _LONGEST_PAUSE = 1.0, 5.0  # seconds between two looks
_ASKED = (COMPONENT, _application_check.COMPONENT)  # what they say themselves is the explanation
_REDACT = Redactor()  # by patterns; the values themselves are known where logs are read
_NOT_ASKED = v.waiting(COMPONENT, v.VERIFYING, "the gateway has not been asked yet")


class Wait:
    """The readiness of *instances* (``name, namespace, labels, host, url, expose`` of the plan).

    *failed*: by namespace, why an instance is not waited for. *gateway*: ask the gateways too.
    *authorities*: of ``GatewayCheck``. *state*: of the previous slice. *elapsed*: seconds since the waiting began. *seen*: by a caller
    that has looked already; what is complete in it is not read again at the first look. *clock* and
    *sleep* are replaced in tests.
    """

    def __init__(
        self,
        client: Client,
        instances: Iterable[Mapping[str, Any]],
        *,
        failed: Mapping[str, str] | None = None,
        gateway: bool = True,
        authorities: str = "",
        elapsed: float = 0.0,
        state: str = "",
        seen: Observation | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._everything = list(instances)
        self._failed = failed or {}
        self.instances = [i for i in self._everything if i["namespace"] not in self._failed]
        self.standings: list[Standing] = []
        self.trouble: ApiError | None = None  # why the last look failed
        self.rest = 0.0  # seconds to let pass before the next slice
        self._client, self._gateway = client, gateway
        self._authorities = authorities
        self._clock, self._sleep = clock, sleep
        self._began = clock() - elapsed
        before = json.loads(state) if state else {}
        tracks = before.get("tracks", {})
        self._tracks = {
            instance["namespace"]: Track.resumed(tracks.get(instance["namespace"], {}))
            for instance in self.instances
        }
        self._seen = Observation()
        self._listing = 0.0  # seconds that the last look took to see what the cluster holds
        # When what reasons are made of was listed, and for how long.
        self._parts_from, self._parts_cost = -math.inf, 0.0
        self._all_from: float = before.get("all", -math.inf)  # when all were looked at
        self._seen_already = seen
        self._observer = Observer(
            client,
            _homes(self.instances),
            common_selector(self._everything),
            before.get("forbidden", ()),
        )
        self._kinds = [*_observation.WORKLOADS]
        exposed = {EXPOSURE.get(instance.get("expose") or "none") for instance in self.instances}
        for kind in (_observation.ROUTES, _observation.INGRESSES):
            if kind[1] in exposed:
                self._kinds.append(kind)
        self._unusable: Mapping[str, str] = before.get("unusable", {})
        self._ever_seen: bool = before.get("seen", False)
        self._explanations: dict[str, tuple[str, v.Verdict]] = {}
        self._keys_read: Keys | None = None
        self._check: GatewayCheck | None = None

    @property
    def elapsed(self) -> float:
        return self._clock() - self._began

    def state(self) -> str:
        """What the next slice needs to go on. Nothing secret."""
        unusable = self._check.unusable if self._check else self._unusable
        tracks = {home: track.state() for home, track in self._tracks.items()}
        kept = {
            "tracks": tracks,
            "forbidden": sorted(self._observer.forbidden),
            "unusable": unusable,
            "seen": self._ever_seen,
            "all": self._all_from,
        }
        return json.dumps(kept)

    def run(self, until: float, deadline: float) -> bool:
        """Wait until all are settled or *deadline*; True then, False when the slice ends before.

        *until*, *deadline*: seconds since the waiting began. Raises LitemaasError where nothing
        could be seen by the deadline, or where waiting would not help.
        """
        if not self.instances:
            self.standings = [_lost(i, self._failed[i["namespace"]]) for i in self._everything]
            return True
        while True:
            last = self.elapsed >= deadline
            try:
                # Only a slice has an end that progress waits for.
                self._look(until if until < deadline else math.inf, last=last)
                self.trouble, self._ever_seen = None, True
            except ApiError as error:
                if error.status not in (0, 429) and error.status < 500:
                    raise
                self.trouble = error
            now = self.elapsed
            if self.trouble and not self._ever_seen and now >= _NEVER_SEEN:
                raise self.trouble
            over = now >= deadline
            if self.trouble is None:
                if over or all(s.track.settled(s.verdict) for s in self.standings):
                    self._explain(now, everything=True)
                    return True
            elif over:
                raise self.trouble
            # To list a thousand instances is heavy: the API server gets twice its time to rest.
            pause = min(max(_PAUSE, 2 * self._listing), _LONGEST_PAUSE)
            if now + pause >= min(until, deadline) and until < deadline:
                # The next slice takes as long to start as the shortest pause.
                self.rest = max(0.0, min(pause - _PAUSE, deadline - now))
                return False
            self._sleep(min(pause, max(0.0, deadline - now)))

    def _look(self, limit: float, *, last: bool) -> None:
        began = self._clock()
        seen, self._seen_already = self._seen_already or Observation(), None
        left = self._left(began - self._began, last=last)
        self._observer.observe(self._kinds, seen, left)
        found = {}
        behind, new = [], []
        for instance in self.instances:
            home, track = instance["namespace"], self._tracks[instance["namespace"]]
            if left is not None and home not in left:
                found[home] = [v.ready(part) for part in track.parts]
                continue
            found[home] = instance_verdicts(instance, seen)
            if not v.worst(found[home]).ready:
                behind.append(instance)
            elif track.ready_at is None:
                new.append(instance)
        if behind:
            self._see_parts(seen, _homes(behind), anew=last)
        if new:
            pods = [_observation.POD]
            self._observer.observe(pods, seen, _homes(new), required=False, metadata=True)
        for instance in behind + new:
            found[instance["namespace"]] = instance_verdicts(instance, seen)
        for home, verdicts in found.items():
            self._tracks[home].parts = [verdict.component for verdict in verdicts]
        self._seen, self._listing = seen, self._clock() - began
        if self._gateway:
            self._ask(found, limit, last=last)
        now = self.elapsed
        self.standings = []
        for instance in self._everything:
            home = instance["namespace"]
            if home in self._failed:
                self.standings.append(_lost(instance, self._failed[home]))
                continue
            verdict = v.worst(found[home])
            track = self._tracks[home]
            track.see(verdict, now)
            asked = verdict.component == COMPONENT and verdict is not _NOT_ASKED
            track.judge(verdict, now, explained=verdict.ready or asked)
            if not verdict.ready:
                verdict = verdict.with_reason(_REDACT(verdict.reason))
            self.standings.append(Standing(instance, found[home], verdict, track))
        self._explain(now)

    def _left(self, now: float, *, last: bool) -> set[str] | None:
        """The namespaces to look at where few of many are not ready yet; None for all."""
        left = {home for home, track in self._tracks.items() if track.ready_at is None}
        few = len(self._tracks) > _MANY and self._observer.few(left)
        if few and not last and now - self._all_from < _ALL_AT_LEAST_EVERY:
            return left
        self._all_from = now
        return None

    def _see_parts(self, seen: Observation, homes: set[str], *, anew: bool) -> None:
        """Add the pods, ReplicaSets, claims and Jobs of *homes*: as they are, or as the last look had them."""
        began = self.elapsed
        age = began - self._parts_from
        if not anew and age < min(10 * self._parts_cost, _PARTS_AT_LEAST_EVERY):
            seen.take(self._seen, (*_observation.PARTS, _observation.JOBS), homes)
            return
        migrating = awaiting_migration(seen, homes)
        self._observer.observe(_observation.PARTS, seen, homes, required=False)
        self._observer.observe([_observation.JOBS], seen, migrating, required=False)
        self._parts_from, self._parts_cost = began, self.elapsed - began

    def _ask(self, found: dict[str, list[v.Verdict]], limit: float, *, last: bool) -> None:
        """Ask the gateways of the instances that run, until *limit*, and add their verdicts.

        *last*: none is asked again, so an address that cannot be used now is not tried for longer.
        """
        todo = []
        for instance in self.instances:
            home, track = instance["namespace"], self._tracks[instance["namespace"]]
            if not v.worst(found[home]).ready:
                track.forget_answer()
                found[home].append(_NOT_ASKED)
            elif track.answered:
                found[home].append(v.ready(COMPONENT))
            else:
                todo.append(instance)
        if not todo:
            return
        keys = self._keys(todo)
        if self._check is None:
            self._check = GatewayCheck(self._client, keys, self._unusable, self._authorities)
        check = self._check

        def ask(instance: Mapping[str, Any]) -> Answer | None:
            track, now = self._tracks[instance["namespace"]], self.elapsed
            if now >= limit:
                return None
            track.asked = now if track.asked is None else track.asked
            track.asked_last = now
            asking_for = math.inf if last else now - track.asked
            return check.ask(instance, asking_for, min(limit - now, _ASKING))

        # Whoever waits longest for a turn comes first: some that hang must not starve the rest.
        todo.sort(key=lambda instance: self._tracks[instance["namespace"]].asked_last)
        for instance, answer in zip(todo, self._client.each(ask, todo), strict=True):
            if isinstance(answer, LitemaasError):
                raise answer
            if answer is None:
                found[instance["namespace"]].append(_NOT_ASKED)
                continue
            track = self._tracks[instance["namespace"]]
            track.answered = answer.verdict.ready
            track.via, track.via_reason, track.models = answer[1:]
            found[instance["namespace"]].append(answer.verdict)

    def _explain(self, now: float, *, everything: bool = False) -> None:
        """Read events and logs for those that stand still: once a slice, the worst first."""
        todo = []
        for place, standing in enumerate(self.standings):
            verdict, track = standing.verdict, standing.track
            if verdict.ready or verdict.component in _ASKED or verdict.phase == v.FAILED:
                continue
            stage, before = self._explanations.get(standing.instance["namespace"], ("", verdict))
            if stage == track.stage:
                self._replace(place, before, now)
            elif everything or track.worth_explaining(verdict, now):
                todo.append(place)
        todo.sort(key=lambda place: (-self.standings[place].verdict.severity, place))
        if not everything:
            todo = todo[: max(0, _EXPLAINED - len(self._explanations))]
        if not todo:
            return
        keys = self._keys(self.standings[place].instance for place in todo)
        for place, verdict in zip(
            todo, self._client.each(lambda p: self._read(p, keys), todo), strict=True
        ):
            if not isinstance(verdict, LitemaasError):  # else the reason stays as short as it was
                standing = self.standings[place]
                home = standing.instance["namespace"]
                self._explanations[home] = (standing.track.stage, verdict)
                self._replace(place, verdict, now)

    def _replace(self, place: int, verdict: v.Verdict, now: float) -> None:
        standing = self.standings[place]
        standing.track.judge(verdict, now, explained=True)
        self.standings[place] = standing._replace(verdict=verdict)

    def _read(self, place: int, keys: Keys) -> v.Verdict:
        standing = self.standings[place]
        redact = keys.redactor(standing.instance["namespace"])
        return explained(self._client, standing.instance, standing.verdicts, self._seen, redact)

    def _keys(self, instances: Iterable[Mapping[str, Any]]) -> Keys:
        """The keys, those of *instances* among them."""
        if self._keys_read is None:
            self._keys_read = Keys(self._client, self._observer, _homes(self.instances))
        self._keys_read.read(_homes(instances))
        return self._keys_read


def _lost(instance: Mapping[str, Any], reason: str) -> Standing:
    verdict = v.permanent("", v.FAILED, _REDACT(reason), 0)
    return Standing(instance, [], verdict, Track(given_up=True))


def _homes(instances: Iterable[Mapping[str, Any]]) -> set[str]:
    return {instance["namespace"] for instance in instances}
