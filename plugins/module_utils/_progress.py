# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user reads of a wait: progress lines, the result, the message of a failure.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._track import Standing

_REASON = 160  # characters of a reason in a progress line


def line(standings: Sequence[Standing], elapsed: float, trouble: Exception | None = None) -> str:
    """One line: how many of each component are ready, the slowest instance, the time."""
    count = len(standings)
    parts = [f"{count} instance{'s' if count > 1 else ''}: {_counts(standings)}"]
    if not standings:
        parts = ["nothing seen yet"]
    slow = [s for s in standings if not s.track.settled(s.verdict)]
    if slow:
        slowest = min(slow, key=lambda s: (s.track.since, -s.verdict.severity))
        verdict, age = slowest.verdict, elapsed - slowest.track.since
        who = f"{slowest.instance['name']}: " if count > 1 else ""
        what = f"{who}{verdict.component} ({verdict.phase}, {age:.0f} s)"
        parts.append(f"{'slowest ' if count > 1 else ''}{what}: {v.brief(verdict.reason, _REASON)}")
    lost = [s for s in standings if s.track.given_up and not s.verdict.ready]
    if lost:
        reason = v.brief(lost[0].verdict.reason, _REASON)
        parts.append(f"{len(lost)} given up, {lost[0].instance['name']}: {reason}")
    if trouble:
        parts.append(f"the API server does not answer ({v.brief(str(trouble), _REASON)})")
    return f"{_title(standings)}: " + "; ".join([*parts, f"{elapsed:.0f} s"])


def result(standing: Standing, elapsed: float) -> dict[str, Any]:
    """One instance in the module's result."""
    instance, _verdicts, verdict, track = standing
    waited = track.ready_at if verdict.ready and track.ready_at is not None else elapsed
    return {
        "name": instance["name"],
        "namespace": instance["namespace"],
        "ready": verdict.ready,
        "phase": verdict.phase,
        "component": "" if verdict.ready else verdict.component,
        "reason": verdict.reason,
        "url": instance.get("url") or "",
        "frontend_url": (instance.get("frontend") or {}).get("url") or "",
        "via": track.via if track.answered else "",
        "via_reason": track.via_reason if track.answered else "",
        "models": track.models if track.answered else 0,
        "waited": round(waited, 1),
    }


def failure(standings: Iterable[Standing], elapsed: float) -> str:
    """The message of a failed wait: every instance that is not ready, and why."""
    every = list(standings)
    failed = [s for s in every if not s.verdict.ready]
    if len(every) == 1:
        return f"{every[0].instance['name']} is not ready after {elapsed:.0f} s: {_why(failed[0])}"
    lines = [f"{len(failed)} of {len(every)} instances are not ready after {elapsed:.0f} s:"]
    lines += [
        f"- {s.instance['name']} (namespace {s.instance['namespace']}): {_why(s)}" for s in failed
    ]
    return "\n".join(lines)


def _why(standing: Standing) -> str:
    verdict = standing.verdict
    what = f"{verdict.component} ({verdict.phase})" if verdict.component else verdict.phase
    return f"{what}: {verdict.reason}"


def _counts(standings: Iterable[Standing]) -> str:
    """``postgres 1/1 ready, litellm 0/1 ready``; in the order of cause and consequence."""
    found: dict[str, list[bool]] = {}
    for standing in standings:
        for verdict in standing.verdicts:
            found.setdefault(verdict.component, []).append(verdict.ready)
    return ", ".join(f"{name} {sum(states)}/{len(states)} ready" for name, states in found.items())


def _title(standings: Iterable[Standing]) -> str:
    """The deployment these instances are of, or the collection where they are of several."""
    names = {s.instance["labels"].get(_labels.DEPLOYMENT, "") for s in standings}
    return names.pop() if len(names) == 1 and "" not in names else "litemaas"
