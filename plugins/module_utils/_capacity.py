# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the pods that are asked for fit onto the nodes that there are.

Internal to rhpds.litemaas: no stable interface for other collections.

Pure. Sums are not enough: a pod of 2Gi needs one node with room for it. The pods are placed first
fit, the largest first, and once more with those that bring a volume first, because slots for
volumes may be what is scarce; the better of both counts. That is an estimate: the scheduler spreads
pods where this fills nodes, and knows rules (zones, affinities) that are not looked at here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.rhpds.litemaas.plugins.module_utils._demand import Ask, Demand
from ansible_collections.rhpds.litemaas.plugins.module_utils._node import Amount, Node
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import Problem, variable

Rooms = Mapping[str, Amount]
Kind = tuple[str, Amount]
NAMES = {
    "litellm": "gateway",
    "litellm-migration": "migration",
    "postgres": "database",
    "redis": "Redis",
    "pgbouncer": "PgBouncer",
    "backend": "backend",
    "frontend": "frontend",
}
_SAID = {"cpu": "CPU"}
IGNORE = variable("ignore_capacity")


@dataclass
class Capacity:
    """The verdict, and the figures it rests on."""

    instances: int
    demand: Demand
    nodes: list[Node] = field(default_factory=list)
    """Those that take pods, all that runs on them counted."""
    closed: Counter[str] = field(default_factory=Counter)
    """How many others there are, by the reason."""
    unplaced: Counter[Kind] = field(default_factory=Counter)
    """Pods that find no node."""
    fitting: int = 0
    """So many of the instances would fit, those that run included."""

    @property
    def room(self) -> Amount:
        """What is left on all nodes together."""
        return sum((node.room for node in self.nodes), Amount())

    @property
    def allocatable(self) -> Amount:
        """What all nodes have for pods."""
        return sum((node.allocatable for node in self.nodes), Amount())

    @property
    def short(self) -> list[str]:
        """Of what there is too little in sum, with the figures."""
        asked, free = self.demand.total, self.room
        wanted, there = asked.words(), free.words()
        lacking = {
            "cpu": asked.cpu > free.cpu,
            "memory": asked.memory > free.memory,
            "pods": asked.pods > free.pods,
            "volumes": asked.volumes > free.volumes,
        }
        return [
            f"{_SAID.get(name, name)}: {wanted[name]} needed, {there[name]} free"
            for name, short in lacking.items()
            if short
        ]


def judge(count: int, demand: Demand, nodes: Iterable[Node]) -> Capacity:
    """Place what *count* instances ask for on the *nodes*; the deployment's own pods are added."""
    found = Capacity(count, demand)
    by_name = {}
    for node in nodes:
        if node.closed:
            found.closed[node.closed] += 1
        else:
            by_name[node.name] = node
            found.nodes.append(node)
    for name, amount in demand.taken:
        if name in by_name:
            by_name[name].used += amount
    rooms = {node.name: node.room for node in found.nodes}
    found.unplaced = unplaced(demand.asks, rooms)
    found.fitting = count if not found.unplaced else _fitting(count, demand.asks, rooms)
    return found


def unplaced(asks: Sequence[Ask], rooms: Rooms) -> Counter[Kind]:
    """The pods that find no room, by app and amount; empty when all do."""
    whole = sum(rooms.values(), Amount())

    def share(kind: Kind) -> float:
        asked = kind[1]
        return max(asked.cpu / max(whole.cpu, 1), asked.memory / max(whole.memory, 1))

    orders: tuple[Callable[[Kind], tuple[float, ...]], ...] = (
        lambda kind: (share(kind),),
        lambda kind: (kind[1].volumes, share(kind)),
    )
    return min((_pack(asks, rooms, order) for order in orders), key=lambda left: left.total())


def nodes_needed(asks: Sequence[Ask], each: Amount) -> int:
    """How many empty nodes with the room *each* the pods need; 0 when one pod is too large."""
    if any(not each.holds(ask.amount) for ask in asks):
        return 0
    number = 1
    while unplaced(asks, {str(place): each for place in range(number)}):
        number += 1
    return number


def problem(capacity: Capacity, *, multi_user: bool, autoscalers: str = "") -> Problem:
    """Why instances find no room.

    *autoscalers*: what is known of the cluster's, empty where that is nothing.
    """
    count = capacity.instances
    one = count == 1
    text = "of the cluster is too small"
    if not capacity.nodes:
        text += ": no node takes pods"
    elif capacity.fitting == count:
        text += ": the pod more that replacing the gateways needs finds no node"
    else:
        text += (
            ": the instance does not fit"
            if one
            else f": {capacity.fitting} of {count} instances fit"
        )
    if capacity.nodes:
        text += f" ({'; '.join(capacity.short) or _scattered(capacity.unplaced)})"
    option = "multi_user_litellm" if multi_user else "litellm"
    remedy = f"Lower the requests ({variable(option, 'memory_request')} and its like), add nodes"
    if multi_user and capacity.fitting < count > 1:
        fewer = f"num_users to {capacity.fitting} or " if capacity.fitting else ""
        remedy = f"Set {fewer}{variable('tenancy')} to shared, l{remedy[1:]}"
    grows = autoscalers or "where the cluster adds nodes by itself (a ClusterAutoscaler)"
    return Problem("capacity", text, f"{remedy}, or, {grows}, set {IGNORE} to true.")


def _scattered(missing: Mapping[Kind, int]) -> str:
    """Where sums are enough and yet no node has room for one pod more."""
    parts = [
        f"{count} {NAMES.get(app, app)} pods of {each.words()['cpu']} CPU and "
        f"{each.words()['memory']}"
        for (app, each), count in missing.items()
    ]
    return f"there is room in sum, but on no single node for {' and '.join(parts)}"


def _pack(
    asks: Iterable[Ask], rooms: Rooms, order: Callable[[Kind], tuple[float, ...]]
) -> Counter[Kind]:
    left = dict(rooms)
    rest: Counter[Kind] = Counter()
    for ask in asks:
        # The successor of a pod stays beside its volume, which is attached there.
        here = Amount(ask.amount.cpu, ask.amount.memory, ask.amount.pods)
        if ask.home in left and left[ask.home].holds(here):
            left[ask.home] -= here
        else:
            rest[ask.app, ask.amount] += 1
    # Pods of one kind are placed together: a thousand instances cost no more than one.
    missing: Counter[Kind] = Counter()
    for kind in sorted(rest, key=order, reverse=True):
        count = rest[kind]
        for name, room in left.items():
            here_too = min(count, room.holds(kind[1]))
            if here_too:
                left[name] = room - kind[1] * here_too
                count -= here_too
            if not count:
                break
        if count:
            missing[kind] = count
    return missing


def _fitting(count: int, asks: Sequence[Ask], rooms: Rooms) -> int:
    """How many of the instances fit, beginning with the first."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        if unplaced([ask for ask in asks if 0 <= ask.instance < middle], rooms):
            high = middle - 1
        else:
            low = middle
    return low
