# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a Deployment or StatefulSet, from its status and from its current pods.

Internal to rhpds.litemaas: no stable interface for other collections.

Only the current revision counts: readyReplicas of a Deployment includes the pods of the previous
ReplicaSet, so that an update which can never start would look ready. Pods that are being deleted,
or belong to an older revision, say nothing about the change that is waited for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _event
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_claim import claim_verdicts
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_pod import pod_verdict

_REVISION = "deployment.kubernetes.io/revision"

# Why the API server refuses a pod or claim, what to do, and for how long it is worth waiting:
# the UID range and the pull secret of a new OpenShift namespace appear a moment after it.
_REFUSALS: tuple[tuple[str, str, float | None], ...] = (
    (r"exceeded quota", "raise the ResourceQuota or lower the requests", None),
    (r"must specify limits|must specify requests|failed quota", "the ResourceQuota wants requests "
     "and limits that are not given", 30),
    (r"(minimum|maximum) \w+ usage per|max limit to request ratio", "the namespace's LimitRange "
     "does not allow the size: change one of the two", 30),
    (r"violates PodSecurity", "Pod Security of the namespace forbids the pod", 30),
    (r"unable to find annotation|error looking up service account", "", None),
    (r"security context constraint", "no SecurityContextConstraint allows the pod", 30),
)  # fmt: skip


def refused(component: str, said: str) -> v.Verdict:
    """The verdict when a controller may not create a pod or claim. *said*: the API's message."""
    # The pod's generated name is another in every message and would look like progress.
    text = re.sub(r'^pods "[^"]*" is forbidden: ', "", said)
    text = v.brief(re.sub(r"^failed to create PVC \S+: ", "", text), 500)
    for pattern, advice, patience in _REFUSALS:
        if re.search(pattern, said):
            reason = f"its pods are refused: {text}" + (f"; {advice}" if advice else "")
            if patience is None:
                return v.trouble(component, v.REFUSED, reason)
            return v.permanent(component, v.REFUSED, reason, patience)
    return v.trouble(component, v.REFUSED, f"its pods cannot be created: {text}")


def deployment_verdict(
    deployment: Mapping[str, Any],
    replica_sets: Iterable[Mapping[str, Any]] = (),
    pods: Iterable[Mapping[str, Any]] = (),
    claims: Iterable[Mapping[str, Any]] = (),
    events: Iterable[Mapping[str, Any]] = (),
) -> v.Verdict:
    """Judge a Deployment. Its own status is enough for READY; the rest is for the reason."""
    name, status = deployment["metadata"]["name"], deployment.get("status", {})
    early = _early(deployment)
    if early:
        return early
    wanted = deployment["spec"].get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    if updated == status.get("replicas", 0) == status.get("availableReplicas", 0) == wanted:
        return v.ready(name)
    current = _current_replica_set(deployment, replica_sets)
    own = [pod for pod in pods if current and v.owned_by(pod, current["metadata"]["uid"])]
    verdicts = _troubles(name, own, claims, events)
    failure = v.condition(deployment, "ReplicaFailure")
    if failure.get("status") == "True":
        verdicts.insert(0, refused(name, failure.get("message", "")))
    running = (current or {}).get("status", {}).get("availableReplicas", 0)
    progressing = v.condition(deployment, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
        reason = f"no progress for {seconds} s (ProgressDeadlineExceeded), {running}/{wanted} up"
        verdicts.append(v.trouble(name, v.ROLLING, reason))
    if updated < wanted:
        reason = f"{updated} of {wanted} pods have the new revision"
    elif running < wanted:
        reason = f"{running} of {wanted} pods are available"
    else:
        reason = "pods of the previous revision are still there"
    verdicts.append(v.waiting(name, v.ROLLING, reason))
    return v.worst(verdicts)


def stateful_set_verdict(
    stateful_set: Mapping[str, Any],
    pods: Iterable[Mapping[str, Any]] = (),
    claims: Iterable[Mapping[str, Any]] = (),
    events: Iterable[Mapping[str, Any]] = (),
) -> v.Verdict:
    """Judge a StatefulSet. READY needs its status and its pods' metadata; the rest is for reasons."""
    metadata, status = stateful_set["metadata"], stateful_set.get("status", {})
    name, revision = metadata["name"], status.get("updateRevision")
    early = _early(stateful_set)
    if early:
        return early
    wanted = stateful_set["spec"].get("replicas", 1)
    up = status.get("readyReplicas", 0)
    available = status.get("availableReplicas", up)  # not there before Kubernetes 1.22
    rolled = _rolled(stateful_set, wanted)
    own = [pod for pod in pods if v.owned_by(pod, metadata["uid"])]
    if rolled and status.get("replicas", 0) == wanted == up == available:
        # Unlike a ReplicaSet, it counts a pod as ready that is on its way out.
        leaving = [p["metadata"]["name"] for p in own if p["metadata"].get("deletionTimestamp")]
        if leaving:
            reason = f"pod {leaving[0]} is being deleted and comes again"
            return v.waiting(name, v.ROLLING, reason)
        return v.ready(name)
    events = list(events)
    verdicts = _troubles(name, [p for p in own if _revision(p) == revision], claims, events)
    said = _event.message(events, stateful_set, "FailedCreate")
    if said and status.get("replicas", 0) < wanted:
        verdicts.insert(0, refused(name, said))
    for pod in own:
        if _revision(pod) == revision or pod["metadata"].get("deletionTimestamp"):
            continue
        why = pod_verdict(pod, name, events)
        if why.severity >= v.Severity.TROUBLE:
            # Kubernetes does not replace a broken pod of an ordered StatefulSet by the next one.
            reason = f"pod {pod['metadata']['name']} of the previous revision is not ready "
            reason += f"({why.reason}) and is not replaced until it is: delete that pod"
            verdicts.append(v.trouble(name, v.ROLLING, reason, why.log))
    if not rolled:
        reason = f"{status.get('updatedReplicas', 0)} of {wanted} pods have the new revision"
    else:
        reason = f"{available} of {wanted} pods are available"
    verdicts.append(v.waiting(name, v.ROLLING, reason))
    return v.worst(verdicts)


def _early(workload: Mapping[str, Any]) -> v.Verdict | None:
    """The verdict where the status does not speak of what was asked for last."""
    metadata, status = workload["metadata"], workload.get("status", {})
    name, kind = metadata["name"], workload.get("kind", "workload")
    if metadata.get("deletionTimestamp"):
        return v.permanent(name, v.TERMINATING, f"the {kind} {name} is being deleted", 10)
    if status.get("observedGeneration", 0) < metadata.get("generation", 1):
        return v.waiting(name, v.ROLLING, "its controller has not seen the last change yet")
    if workload["spec"].get("replicas", 1) == 0:
        return v.permanent(name, v.ABSENT, f"the {kind} {name} is scaled to 0 pods", 10)
    if workload["spec"].get("paused"):
        return v.permanent(name, v.ROLLING, f"the rollout of {kind} {name} is paused", 10)
    return None


def _troubles(
    component: str,
    pods: Iterable[Mapping[str, Any]],
    claims: Iterable[Mapping[str, Any]],
    events: Iterable[Mapping[str, Any]],
) -> list[v.Verdict]:
    """What the claims (first: they are the cause) and the pods that are to stay say."""
    events = list(events)
    live = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    # Evicted pods remain for a while beside their successors.
    ended = ("Failed", "Succeeded")
    alive = [pod for pod in live if pod.get("status", {}).get("phase") not in ended] or live
    found = list(claim_verdicts(alive, claims, component, events))
    found += [pod_verdict(pod, component, events) for pod in alive]
    return [verdict for verdict in found if not verdict.ready]


def _current_replica_set(
    deployment: Mapping[str, Any], replica_sets: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    uid = deployment["metadata"]["uid"]
    revision = (deployment["metadata"].get("annotations") or {}).get(_REVISION)
    for candidate in replica_sets:
        annotations = candidate["metadata"].get("annotations") or {}
        if v.owned_by(candidate, uid) and annotations.get(_REVISION) == revision:
            return candidate
    return None


def _revision(pod: Mapping[str, Any]) -> str | None:
    return (pod["metadata"].get("labels") or {}).get("controller-revision-hash")


def _rolled(stateful_set: Mapping[str, Any], wanted: int) -> bool:
    """Whether the pods that are to have the new revision have it."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    status = stateful_set.get("status", {})
    if not status.get("updateRevision"):
        return False
    if strategy.get("type") == "OnDelete":
        return True
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    if partition:
        return status.get("updatedReplicas", 0) >= wanted - partition
    return status.get("currentRevision") == status["updateRevision"]
