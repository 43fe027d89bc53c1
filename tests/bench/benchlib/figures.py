# SPDX-License-Identifier: MIT
"""What is computed from what was measured. No input or output here.

A run's *own time* is its wall time, less the user-info calls (which have a line of their own), less the time the
cluster needed after it had accepted the last object: from the API server's answer to the last write (audit log) to
the moment when the last instance was complete (the statuses of pods, Deployments and Routes). Statuses count whole
seconds and are rounded down here, so that up to a second of the cluster's time is booked as our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

from benchlib.audit import Request

USER_INFO = ".agnosticd_user_info"  # how the action's name ends


class Task(NamedTuple):
    """One task of a playbook."""

    action: str
    name: str
    seconds: float


def tasks(times: Sequence[Sequence[Any]]) -> list[Task]:
    """The tasks from what the callback wrote: each ends when the next begins."""
    return [
        Task(action, name.rpartition(" : ")[2], after[0] - began)
        for (began, action, name), after in zip(times, times[1:], strict=False)
    ]


def user_info(found: Iterable[Task]) -> float:
    """Seconds of the user-info calls."""
    return sum(task.seconds for task in found if task.action.endswith(USER_INFO))


def last_accepted(requests: Iterable[Request]) -> float | None:
    """When the API server accepted the last write, of a removal the last deletion; None when there was none.

    What a removal writes beside that only has the cluster look sooner at what it is to delete.
    """
    accepted = [request for request in requests if request.writes and request.status < 300]
    deletions = [request for request in accepted if request.verb == "delete"]
    return max((request.answered for request in deletions or accepted), default=None)


def complete(objects: Iterable[Mapping[str, Any]]) -> float:
    """When the last of these pods, Deployments and Routes became what is waited for. Raises ValueError when one is not."""
    return max(map(_since, objects))


def _since(obj: Mapping[str, Any]) -> float:
    status = obj.get("status") or {}
    kind = obj["kind"]
    wanted = {"Pod": "Ready", "Deployment": "Available", "Route": "Admitted"}[kind]
    places = status.get("ingress") or [{}] if kind == "Route" else [status]
    for condition in places[0].get("conditions") or ():
        if condition["type"] == wanted and condition["status"] == "True":
            moment = condition["lastTransitionTime"].replace("Z", "+00:00")
            return datetime.fromisoformat(moment).timestamp()
    metadata = obj["metadata"]
    raise ValueError(f"{kind} {metadata['namespace']}/{metadata['name']} is not {wanted}")


def own(wall: float, told: float, accepted: float | None, ready: float) -> float:
    """A run's own time, from its wall time and that of its user-info calls; see above."""
    cluster = max(0.0, ready - accepted) if accepted is not None else 0.0
    return wall - told - cluster


def per_user(few: int, seconds_few: float, many: int, seconds_many: float) -> float:
    """The further cost of a user, in milliseconds."""
    return 1000 * (seconds_many - seconds_few) / (many - few)


class Row(NamedTuple):
    """A line of the table. ``met`` is None for what has no target."""

    figure: str
    target: str
    measured: str
    met: bool | None


def at_most(figure: str, unit: str, limit: float, values: Sequence[float]) -> Row:
    """A figure that should not be more than *limit*."""
    measured = number(median(values), unit)
    if len(values) > 1:
        measured += f" ({number(min(values), unit)} to {number(max(values), unit)})"
    return Row(figure, f"at most {number(limit, unit)}", measured, median(values) <= limit)


def number(value: float, unit: str) -> str:
    """A figure as people read it: 638 s, 9.62 s, 55 ms, 312 MB, 12.9."""
    digits = 0 if unit in ("ms", "MB") or value >= 100 or value == int(value) else 1
    return f"{value:.{digits}f} {unit}".rstrip()


def times(faster: float, slower: float) -> str:
    """A ratio: 31 times."""
    ratio = slower / faster
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def table(rows: Iterable[Row]) -> str:
    """The rows as a table, a missed target in bold."""
    words = {True: "yes", False: "**no**", None: ""}
    return markdown(
        ("Figure", "Target", "Measured", "Met"),
        ((row.figure, row.target, row.measured, words[row.met]) for row in rows),
    )
