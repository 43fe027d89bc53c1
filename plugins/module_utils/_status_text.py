# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a cluster as a table for people.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _table

Instance = Mapping[str, Any]

HEAD = ("NAME", "NAMESPACE", "READY", "MODELS", "VERSION", "AGE", "RESTARTS", "URL")
_FIGURES = (3, 5, 6)
_INDENT = 4
_UNKNOWN = "-"
NOTHING = "No instance found."


def text(instances: Iterable[Instance], width: int) -> str:
    """A table of *instances* as ``_status.read`` returns them, each deployment under its own line.

    Below an instance that is not ready stands why. In less than *width* columns the address has a
    line of its own too. Only what cannot be broken, an address, is ever wider.
    """
    every = list(instances)
    if not every:
        return NOTHING
    rows = [_row(instance) for instance in every]
    lines = _table.aligned([HEAD, *rows], right=_FIGURES)
    beside = max(map(len, lines)) <= width
    if not beside:
        lines = _table.aligned([HEAD[:-1], *(row[:-1] for row in rows)], right=_FIGURES)
    head, *body = lines
    shown = iter(body)
    blocks = []
    for deployment, group in groupby(every, key=lambda instance: instance["deployment"]):
        members = list(group)
        block = [_title(deployment, members), head]
        for instance in members:
            block.append(next(shown))
            if not beside and instance["url"]:
                block += _table.wrapped(instance["url"], width, _INDENT)
            if front := instance.get("frontend_url"):
                block += _table.wrapped(f"application: {front}", width, _INDENT)
            if not instance["ready"]:
                block += _table.wrapped(_why(instance), width, _INDENT)
        blocks.append("\n".join(block))
    if len(blocks) > 1:
        blocks.append(f"{len(blocks)} deployments: {_count(every)}")
    return "\n\n".join(blocks)


def duration(seconds: int) -> str:
    """``45s``, ``12m``, ``5h``, ``3d``: one unit, as Kubernetes' own tables have it."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length or (unit == "d" and seconds >= length):
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _row(instance: Instance) -> list[str]:
    return [
        instance["name"],
        instance["namespace"],
        "yes" if instance["ready"] else "no",
        _figure(instance["models"]),
        instance["version"] or _UNKNOWN,
        _UNKNOWN if instance["age"] is None else duration(instance["age"]),
        _figure(instance["restarts"]),
        instance["url"] or _UNKNOWN,
    ]


def _figure(number: int | None) -> str:
    return _UNKNOWN if number is None else str(number)


def _title(deployment: str, members: Sequence[Instance]) -> str:
    releases = sorted({m["litemaas_version"] for m in members} - {""})
    release = f"LiteMaaS {', '.join(releases)}; " if releases else ""
    return f"{deployment or 'unknown deployment'}: {release}{_count(members)}"


def _count(members: Sequence[Instance]) -> str:
    ready = sum(bool(m["ready"]) for m in members)
    return f"{ready} of {len(members)} instance{'s' if len(members) > 1 else ''} ready"


def _why(instance: Instance) -> str:
    return f"{instance['component']} ({instance['phase']}): {instance['reason']}"
