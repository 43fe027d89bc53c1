# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a Job that others wait for.

Internal to rhpds.litemaas: no stable interface for other collections.

Each try is a pod of its own, and those that failed stay with their logs until the Job is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_pod import pod_verdict


def job_verdict(
    job: Mapping[str, Any],
    component: str,
    pods: Iterable[Mapping[str, Any]] = (),
    events: Iterable[Mapping[str, Any]] = (),
) -> v.Verdict:
    """Judge a Job: ready is done."""
    name = job["metadata"]["name"]
    if v.condition(job, "Complete").get("status") == "True":
        return v.ready(component)
    own = [pod for pod in pods if v.owned_by(pod, job["metadata"]["uid"])]
    own.sort(key=lambda pod: pod["metadata"].get("creationTimestamp", ""))
    failed = [pod for pod in own if pod.get("status", {}).get("phase") == "Failed"]
    log, how = _end(failed[-1]) if failed else (None, "")
    condition = v.condition(job, "Failed")
    if condition.get("status") == "True":
        said = how or v.brief(condition.get("message") or condition.get("reason") or "")
        reason = (
            f"Job {name} failed: {said}; pods that ran before go on, and the next run tries again"
        )
        return v.Verdict(component, v.Severity.PERMANENT, v.CRASHING, reason, patience=0, log=log)
    running = [pod for pod in own if pod.get("status", {}).get("phase") in ("Pending", "Running")]
    if running:
        verdict = pod_verdict(running[-1], component, events)
        if verdict.severity > v.Severity.WAITING or not failed:
            return verdict if not verdict.ready else v.waiting(component, v.STARTING, "it runs")
    if failed:
        reason = f"Job {name} tries again: {how}"
        return v.trouble(component, v.CRASHING, reason, log)
    return v.waiting(component, v.STARTING, f"Job {name} has not begun")


def _end(pod: Mapping[str, Any]) -> tuple[v.LogSource | None, str]:
    """Where the log of a failed pod says more, and which of its containers ended how."""
    status = pod.get("status", {})
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    for container in containers:
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            source = v.LogSource(pod["metadata"]["name"], container["name"], previous=False)
            why = f", {ended['reason']}" if ended.get("reason") not in (None, "Error") else ""
            return source, f"container {container['name']} ended with {ended['exitCode']}{why}"
    return None, v.brief(status.get("message") or status.get("reason") or "its pod failed")
