# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on one pod.

Internal to rhpds.litemaas: no stable interface for other collections.

Phase ``Running`` means nothing here: only the Ready condition makes a pod ready, and what its
containers wait for or died of makes the reason. The waiting reasons are those of the kubelet
(pkg/kubelet/images, pkg/kubelet/kuberuntime).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _event
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_image import (
    PULL_FAILED,
    pull_verdict,
    spec_of,
)

_CREATE_FAILED = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PreStartHookError",
    "PostStartHookError",
}
_SETUP_FAILED = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedMapVolume")


def pod_verdict(
    pod: Mapping[str, Any], component: str, events: Iterable[Mapping[str, Any]] = ()
) -> v.Verdict:
    """Judge a Pod that is neither being deleted nor of an older revision."""
    if v.condition(pod, "Ready").get("status") == "True":
        return v.ready(component)
    name, status = pod["metadata"]["name"], pod.get("status", {})
    if status.get("phase") in ("Failed", "Succeeded"):
        why = f"{status.get('reason') or status['phase']}: {status.get('message', '')}".strip(": ")
        return v.trouble(component, v.CRASHING, f"pod {name} has ended ({v.brief(why)})")
    scheduled = v.condition(pod, "PodScheduled")
    if scheduled.get("status") != "True":
        return _unscheduled(pod, component, scheduled)
    events = list(events)
    verdicts = list(_containers(pod, component, events))
    if verdicts:
        return v.worst(verdicts)
    node = pod.get("spec", {}).get("nodeName", "")
    said = v.brief(v.condition(pod, "Ready").get("message") or "")
    reason = f"pod {name} is not ready although its containers are; is node {node} well?"
    return v.trouble(component, v.UNREADY, f"{reason} {said}".strip())


def _unscheduled(pod: Mapping[str, Any], component: str, scheduled: Mapping[str, Any]) -> v.Verdict:
    name = pod["metadata"]["name"]
    if not scheduled.get("message"):
        return v.waiting(component, v.PENDING, f"pod {name} waits to be scheduled")
    # What follows repeats the count of nodes to say that evicting other pods would not help.
    said = v.brief(scheduled["message"].partition(" preemption: ")[0].rstrip(". "))
    if "unbound immediate PersistentVolumeClaims" in said:
        return v.waiting(component, v.PENDING, f"pod {name} waits for its volume")
    if scheduled.get("reason") != "Unschedulable":
        return v.trouble(component, v.PENDING, f"pod {name} is not scheduled: {said}")
    return v.trouble(
        component,
        v.PENDING,
        f"no node can take pod {name}: {said}; add or free nodes, or lower the requests",
    )


def _containers(
    pod: Mapping[str, Any], component: str, events: list[Mapping[str, Any]]
) -> Iterator[v.Verdict]:
    """A verdict for each container that is not as it should be; init containers first."""
    status = pod.get("status", {})
    init = status.get("initContainerStatuses") or []
    main = status.get("containerStatuses") or []
    if not init and not main:
        name = pod["metadata"]["name"]
        yield _setting_up(pod, component, f"the node has not begun with pod {name}", events)
    for container in init:
        ended = container.get("state", {}).get("terminated")
        if not (container.get("ready") or (ended and ended.get("exitCode") == 0)):
            yield _container(pod, component, container, events)
    for container in main:
        if not container.get("ready"):
            yield _container(pod, component, container, events)


def _container(
    pod: Mapping[str, Any],
    component: str,
    status: Mapping[str, Any],
    events: list[Mapping[str, Any]],
) -> v.Verdict:
    name, state = status["name"], status.get("state") or {}
    ended = state.get("terminated")
    last = (status.get("lastState") or {}).get("terminated")
    if state.get("waiting"):
        verdict = _held(pod, component, status, events)
    elif ended:
        verdict = _crashed(pod, component, status, ended, previous=False)
    elif last and not status.get("started"):
        verdict = _crashed(pod, component, status, last, previous=True)
    elif "running" in state:
        verdict = _running(pod, component, status, events)
    else:
        verdict = _setting_up(pod, component, f"container {name} is being created", events)
    return verdict


def _held(
    pod: Mapping[str, Any],
    component: str,
    status: Mapping[str, Any],
    events: list[Mapping[str, Any]],
) -> v.Verdict:
    """A container that waits: for its image, its volumes, or its next try."""
    name, waiting = status["name"], status["state"]["waiting"]
    why, said = waiting.get("reason", ""), v.brief(waiting.get("message") or "")
    last = (status.get("lastState") or {}).get("terminated")
    if why in PULL_FAILED:
        verdict = pull_verdict(pod, component, status, events)
    elif why in _CREATE_FAILED:
        reason = f"container {name} cannot be created ({why}): {said}"
        verdict = v.permanent(component, v.STARTING, reason, 60)
    elif why == "CrashLoopBackOff" or last:
        verdict = _crashed(pod, component, status, last or {}, previous=True)
    else:
        verdict = _setting_up(pod, component, f"container {name} is being created", events)
    return verdict


def _crashed(
    pod: Mapping[str, Any],
    component: str,
    status: Mapping[str, Any],
    ended: Mapping[str, Any],
    *,
    previous: bool,
) -> v.Verdict:
    name, code = status["name"], ended.get("exitCode")
    log = v.LogSource(pod["metadata"]["name"], name, previous)
    restarts = status.get("restartCount") or 0
    times = f", {restarts} restart{'s' if restarts > 1 else ''}" if restarts else ""
    if ended.get("reason") == "OOMKilled":
        limit = spec_of(pod, name).get("resources", {}).get("limits", {}).get("memory")
        over = f"its memory limit of {limit}" if limit else "the node's memory"
        reason = f"container {name} was killed for exceeding {over} (OOMKilled{times}); raise it"
        return v.trouble(component, v.CRASHING, reason, log)
    how = f"exit code {code}" if code is not None else "it does not stay up"
    if code in (137, 143):
        how += ": killed, by a failing liveness or startup probe or from outside"
    # Only of the runtime's own failures: any other message is the end of a log, secrets and all.
    runtimes = ended.get("reason") in ("StartError", "ContainerCannotRun")
    said = f": {v.brief(ended.get('message') or '')}" if runtimes else ""
    reason = f"container {name} crashes ({how}{times}){said}"
    return v.trouble(component, v.CRASHING, reason, log)


def _running(
    pod: Mapping[str, Any],
    component: str,
    status: Mapping[str, Any],
    events: list[Mapping[str, Any]],
) -> v.Verdict:
    name = status["name"]
    log = v.LogSource(pod["metadata"]["name"], name, False)
    if name not in _names(pod):
        return v.waiting(component, v.STARTING, f"init container {name} has not finished", log)
    probed = v.brief(_event.message(events, pod, "Unhealthy")).rstrip(": ")
    if not status.get("started"):
        # A server opens its port when it is done: until then refused connections are no news.
        news = "its port is not open yet" if "connection refused" in probed else probed
        reason = f"container {name} is starting" + (f": {news}" if news else "")
        return v.waiting(component, v.STARTING, reason, log)
    if probed:
        return v.trouble(component, v.UNREADY, f"container {name} is not ready: {probed}", log)
    return v.waiting(component, v.UNREADY, f"container {name} is not ready yet", log)


def _setting_up(
    pod: Mapping[str, Any], component: str, doing: str, events: list[Mapping[str, Any]]
) -> v.Verdict:
    failed = v.brief(_event.message(events, pod, *_SETUP_FAILED))
    if failed:
        return v.trouble(component, v.STARTING, f"{doing}: {failed}")
    pulling = _event.newest(events, pod, "Pulling", "Pulled")
    if pulling.get("reason") == "Pulling":
        doing = v.brief(pulling.get("message") or "").replace("Pulling", "pulling")
    return v.waiting(component, v.STARTING, doing)


def _names(pod: Mapping[str, Any]) -> set[str]:
    """The names of the main containers: init containers run without ever being 'started'."""
    return {container["name"] for container in pod.get("spec", {}).get("containers") or ()}
