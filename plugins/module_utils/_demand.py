# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances still ask of the nodes, given the pods that they have already.

Internal to rhpds.litemaas: no stable interface for other collections.

A second run must not be refused because its own pods fill the cluster: what runs as wanted asks for
nothing more. A database that is to have another size is stopped before the new one starts, so its
room counts as free. A gateway is replaced one pod at a time and only once the new one is ready:
many instances can take turns, so room for one pod more is what that needs.

Where a gateway has several pods or a PgBouncer, a Job migrates the database before new ones start,
if what it consists of has changed. They hold their room while they wait for it, so it needs its own, in each
instance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _instances,
    _labels,
    _node,
    _revision,
    _sizing,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._instances import Instance
from ansible_collections.rhpds.litemaas.plugins.module_utils._node import Amount

GATEWAY = "litellm"
# Replaced as the gateway is: the new pod first.
APPLICATION = ("backend", "frontend")
MIGRATION = "litellm-migration"
# The init container of gateways for which a Job migrates.
WAITS = "wait-for-migration"


@dataclass(frozen=True)
class Pod:
    """A live pod of the deployment."""

    namespace: str
    app: str
    node: str
    """Empty while the scheduler finds none."""
    amount: Amount
    """Without its volumes: those count as long as they are attached."""
    images: frozenset[str] = frozenset()
    ending: bool = False
    revision: str = ""
    """Of a gateway's, what it is made of."""
    waited: bool = False
    """Whether a gateway's waited for a Job to migrate, and did not do it by itself."""


@dataclass(frozen=True)
class Ask:
    """A pod that needs room."""

    instance: int
    """The place of its instance in the plan; -1 for the pod more during a replacement."""
    app: str
    amount: Amount
    home: str = ""
    """The node of the pod whose place it takes."""


@dataclass
class Demand:
    """What is asked for, and what the deployment's own pods take: (node, amount) of each."""

    asks: list[Ask] = field(default_factory=list)
    taken: list[tuple[str, Amount]] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    """How many pods there will be of each app."""

    @property
    def total(self) -> Amount:
        """All that is asked for: beyond what :attr:`taken` holds, so without what runs."""
        return sum((ask.amount for ask in self.asks), Amount())


def parse(obj: Mapping[str, Any]) -> Pod:
    """Read a Pod object of ours."""
    metadata, spec = obj["metadata"], obj["spec"]
    return Pod(
        metadata["namespace"],
        _labels.of(obj).get("app", ""),
        spec.get("nodeName") or "",
        _node.requests(spec),
        frozenset(container.get("image", "") for container in spec.get("containers") or ()),
        "deletionTimestamp" in metadata,
        (metadata.get("annotations") or {}).get(_labels.REVISION, ""),
        any(each.get("name") == WAITS for each in spec.get("initContainers") or ()),
    )


def demand(instances: Iterable[Instance], pods: Iterable[Pod]) -> Demand:
    """Match what is wanted with the *pods* of the deployment that are there."""
    found = Demand()
    there: dict[tuple[str, str], list[Pod]] = defaultdict(list)
    for pod in pods:
        if not pod.ending:  # what it has is free before the wait for the new one is over
            there[pod.namespace, pod.app].append(pod)
    replaced: dict[str, Ask] = {}
    for number, instance in enumerate(instances):
        for app, sizing in _sizing.BY_APP.items():
            whole = sizing(instance)
            if not whole.pods:
                continue
            found.wanted[app] = found.wanted.get(app, 0) + whole.pods
            live = there.pop((instance["namespace"], app), [])
            each = amount(whole)
            count = whole.pods
            if app == GATEWAY and instance["litellm"]["autoscaled"]:
                count = max(count, len(live))  # the site's autoscaler decides, and they stay
            _match(found, live, Ask(number, app, each), count)
            if app in APPLICATION and any(_other(pod, instance, app, each) for pod in live):
                replaced[app] = Ask(-1, app, each)
            if app != GATEWAY:
                continue
            differs = any(_differs(pod, instance, each) for pod in live)
            if differs:
                replaced[app] = Ask(-1, app, each)
            migrates = not live or any(_migrates(pod, instance, each) for pod in live)
            if _instances.migrates_by_job(instance) and migrates:
                migrating = there.pop((instance["namespace"], MIGRATION), [])
                _match(found, migrating, Ask(number, MIGRATION, each), 1)
    found.asks += replaced.values()
    # Of instances that are not in the plan: they stay.
    found.taken += [(pod.node, pod.amount) for left in there.values() for pod in left]
    return found


def amount(whole: _sizing.Sizing) -> Amount:
    """What one of the pods of *whole* asks of a node."""
    return Amount(
        math.ceil(whole.cpu_request * 1000 / whole.pods),
        math.ceil(whole.memory_request / whole.pods),
        1,
        whole.volumes // whole.pods,
    )


def _match(found: Demand, live: list[Pod], ask: Ask, count: int) -> None:
    """Keep of *live* what is large enough, and ask for what is then missing of *count* pods."""
    kept, homes = 0, []
    for pod in live:
        enough = pod.amount.cpu >= ask.amount.cpu and pod.amount.memory >= ask.amount.memory
        if pod.node and enough and kept < count:
            kept += 1
            found.taken.append((pod.node, pod.amount))
        elif pod.node:
            homes.append(pod.node)
    for place in range(count - kept):
        home = homes[place] if place < len(homes) else ""
        found.asks.append(Ask(ask.instance, ask.app, ask.amount, home))


def _differs(pod: Pod, instance: Instance, each: Amount) -> bool:
    same = pod.revision == instance["litellm"]["revision"]
    return not same or _drifted(pod, instance, each)


def _migrates(pod: Pod, instance: Instance, each: Amount) -> bool:
    same = _revision.same_migration(pod.revision, instance["litellm"]["revision"])
    return not (same and pod.waited) or _drifted(pod, instance, each)


def _other(pod: Pod, instance: Instance, app: str, each: Amount) -> bool:
    """Whether a pod of the application has another image or size than it is to have."""
    part = instance["backend"] if app == "backend" else instance["frontend"]
    same = (pod.amount.cpu, pod.amount.memory) == (each.cpu, each.memory)
    return not same or part is None or part["image"] not in pod.images


def _drifted(pod: Pod, instance: Instance, each: Amount) -> bool:
    """Whether somebody else made it another pod than its revision says."""
    same = (pod.amount.cpu, pod.amount.memory) == (each.cpu, each.memory)
    return not same or instance["litellm"]["image"] not in pod.images
