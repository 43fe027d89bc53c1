# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment needs and what the cluster has, as a table for people.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ansible_collections.rhpds.litemaas.plugins.module_utils import _sizing, _table
from ansible_collections.rhpds.litemaas.plugins.module_utils._capacity import Capacity
from ansible_collections.rhpds.litemaas.plugins.module_utils._capacity_read import Reading
from ansible_collections.rhpds.litemaas.plugins.module_utils._demand import GATEWAY
from ansible_collections.rhpds.litemaas.plugins.module_utils._sizing import Sizing

SHORT = "too little"
NOTHING = "nothing more is needed."
_OVER = "more than there is, which works unless all use it at once"
_LONGEST_LABEL = 63


@dataclass(frozen=True)
class Extra:
    """What the table says beside nodes and pods."""

    limits: Sizing
    """All instances together, those that run included."""
    storage: Decimal = Decimal(0)
    """Bytes of the volumes that are still to be made."""
    storage_class: str = ""
    host_label: str = ""
    """The longest there will be; empty when nothing is exposed."""
    quotas: str = ""
    """What the quotas of the namespaces come to; empty where none were looked for."""


def lines(capacity: Capacity, reading: Reading, extra: Extra) -> list[str]:
    """The table; a single line where one says it all."""
    what = "1 instance" if capacity.instances == 1 else f"{capacity.instances} instances"
    if reading.missing:
        head = f"Room for {what}: unknown, not allowed to list {' and '.join(reading.missing)}."
        rows = [("", "needed", "free", "of"), *_node_rows(capacity, reading)]
        rows += _other_rows(capacity, reading, extra)
        return [head, *(_table.aligned(rows, right=(1, 2, 3)) if capacity.instances > 1 else ())]
    if not capacity.demand.asks:
        return [f"Room for {what}: all pods run already, {NOTHING}"]
    if capacity.instances == 1 and not capacity.unplaced:
        return [_sentence(capacity, reading)]
    rows = [
        ("", "needed", "free", "of"),
        *_node_rows(capacity, reading),
        *_other_rows(capacity, reading, extra),
    ]
    return [
        f"Room for {what} on {_nodes(capacity)}:",
        *_table.aligned(rows, right=(1, 2, 3)),
        *_placing(capacity),
    ]


def _sentence(capacity: Capacity, reading: Reading) -> str:
    asked, free = capacity.demand.total.words(), capacity.room.words()
    volumes = [f", {found['volumes']} volumes" if reading.driver else "" for found in (asked, free)]
    return (
        f"Room for 1 instance: {asked['cpu']} CPU, {asked['memory']} of memory, "
        f"{asked['pods']} pods{volumes[0]} needed; {free['cpu']} CPU, {free['memory']}, "
        f"{free['pods']} pods{volumes[1]} free on {_nodes(capacity)}."
    )


def _node_rows(capacity: Capacity, reading: Reading) -> Iterable[Sequence[str]]:
    asked, free, whole = capacity.demand.total, capacity.room, capacity.allocatable
    words = [each.words() for each in (asked, free, whole)]

    def row(title: str, name: str, short: bool) -> Sequence[str]:
        figures = [each[name] for each in words]
        if reading.missing:
            return title, figures[0]
        return title, *figures, SHORT if short else ""

    yield row("CPU requests", "cpu", asked.cpu > free.cpu)
    yield row("Memory requests", "memory", asked.memory > free.memory)
    yield row("Pods", "pods", asked.pods > free.pods)
    if reading.driver:
        *figures, note = row(
            f"Volumes of {reading.driver}", "volumes", asked.volumes > free.volumes
        )
        unseen = "volumeattachments" in reading.unknown
        yield *figures, "what is attached already is unknown" if unseen else note
    else:
        note = "unknown" if {"csinodes", "nodes"} & set(reading.unknown) else "no limit known"
        yield "Volumes", str(asked.volumes), "", "", note


def _other_rows(capacity: Capacity, reading: Reading, extra: Extra) -> Iterable[Sequence[str]]:
    whole = capacity.allocatable
    words = whole.words() if capacity.nodes else {}
    limits = extra.limits.words()
    more = _OVER if words and extra.limits.cpu_limit * 1000 > whole.cpu else ""
    yield "CPU limits", str(limits["cpu_limit"]), "", words.get("cpu", ""), more
    more = _OVER if words and extra.limits.memory_limit > whole.memory else ""
    yield "Memory limits", str(limits["memory_limit"]), "", words.get("memory", ""), more
    left = reading.storage
    yield (
        f"Storage of {extra.storage_class}",
        _sizing.size(extra.storage),
        "" if left is None else _sizing.size(Decimal(left)),
        "",
        "what is left is not told" if left is None else SHORT if extra.storage > left else "",
    )
    if extra.quotas:
        yield "Quotas", "", "", "", extra.quotas
    if extra.host_label:
        short = "too long" if len(extra.host_label) > _LONGEST_LABEL else ""
        note = f"characters ({extra.host_label})" + (f", {short}" if short else "")
        yield "Longest host label", str(len(extra.host_label)), "", str(_LONGEST_LABEL), note


def _placing(capacity: Capacity) -> Iterable[str]:
    """What becomes of the pods node by node, which sums do not tell."""
    count, fitting = capacity.instances, capacity.fitting
    if fitting < count:
        yield f"Placed on the nodes one by one, {fitting} of {count} instances fit."
    else:
        yield f"Placed on the nodes one by one, all {count} fit."
    more = [ask for ask in capacity.demand.asks if ask.instance < 0]
    if more:
        has = "has no" if capacity.unplaced and fitting == count else "needs"
        what = "gateways" if any(ask.app == GATEWAY for ask in more) else "pods of the application"
        one = "one pod more" if len(more) == 1 else f"{len(more)} pods more"
        yield f"Replacing the {what} that are there {has} room for {one}, counted above."


def _nodes(capacity: Capacity) -> str:
    count, out = len(capacity.nodes), capacity.closed
    text = f"{count} node" + ("" if count == 1 else "s")
    if not out:
        return text
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(out.items()))
    return f"{text} ({out.total()} more take no pods: {reasons})"
