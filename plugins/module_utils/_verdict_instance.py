# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts on everything one instance consists of, causes first.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import Observation
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_exposure import (
    ingress_verdict,
    namespace_verdict,
    route_verdict,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_job import job_verdict
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_workload import (
    deployment_verdict,
    stateful_set_verdict,
)

# What every instance has. More workloads of it (a cache, a web interface) count when they exist.
EXPECTED = (("StatefulSet", "postgres"), ("Deployment", "litellm"))
MIGRATION = "migration"
EXPOSURE = {"route": "Route", "ingress": "Ingress"}
EXPOSURE_NAME = "litellm"
# Of an instance with the LiteMaaS application.
APPLICATION = (("Deployment", "backend"), ("Deployment", "frontend"))
FRONTEND = "frontend"
# Seconds for an object to appear that was applied before the waiting began.
_ABSENT_PATIENCE = 10


class Details(NamedTuple):
    """What is only read for an instance that stands still. Everything may be missing."""

    events: tuple[Mapping[str, Any], ...] = ()
    namespace: Mapping[str, Any] | None = None
    namespace_read: bool = False  # False: it may not be read, or nobody looked
    holder: str = ""  # the Route that has our host: namespace/name
    frontend_holder: str = ""  # the same of the frontend's host


NO_DETAILS = Details()


def instance_verdicts(
    instance: Mapping[str, Any], observation: Observation, details: Details = NO_DETAILS
) -> list[v.Verdict]:
    """Judge all parts of an instance: its namespace, workloads in dependency order, its Route.

    *instance*: ``name``, ``namespace``, ``expose`` of the plan, and ``switched_off``, the parts that
    it has no more.
    """
    home = instance["namespace"]
    unreadable = observation.unreadable.get(home)
    if unreadable:
        return [v.permanent("namespace", v.UNKNOWN, unreadable, 0)]
    verdicts = []
    if details.namespace_read:
        verdicts.append(namespace_verdict(details.namespace, home))
    verdicts += _workloads(instance, observation, details.events)
    holders = {EXPOSURE_NAME: details.holder}
    if instance.get("frontend"):
        holders[FRONTEND] = details.frontend_holder
    for name, holder in holders.items():
        exposed = _exposure(instance, observation, name, holder)
        if exposed:
            verdicts.append(exposed)
    return verdicts


def _workloads(
    instance: Mapping[str, Any], observation: Observation, events: Iterable[Mapping[str, Any]]
) -> list[v.Verdict]:
    home = instance["namespace"]
    pods = observation.of(home, "Pod")
    claims = observation.of(home, "PersistentVolumeClaim")
    verdicts: dict[str, v.Verdict] = {}
    expected = [each for each in EXPECTED if each[1] not in _elsewhere(instance)]
    for workload in observation.of(home, "StatefulSet"):
        if workload["metadata"]["name"] in _elsewhere(instance):
            continue
        verdict = stateful_set_verdict(workload, pods, claims, events)
        verdicts[workload["metadata"]["name"]] = verdict
    replica_sets = observation.of(home, "ReplicaSet")
    for workload in observation.of(home, "Deployment"):
        if _switched_off(instance, workload):
            continue
        verdict = deployment_verdict(workload, replica_sets, pods, claims, events)
        verdicts[workload["metadata"]["name"]] = verdict
        # The Job that its pods wait for; one that was removed after it was done is no matter.
        for job in observation.of(home, "Job"):
            if job["metadata"]["name"] == _awaited(workload):
                verdicts[MIGRATION] = job_verdict(job, MIGRATION, pods, events)
    for kind, name in (*expected, *(APPLICATION if instance.get("frontend") else ())):
        if name not in verdicts:
            reason = f"{kind} {name} does not exist in namespace {home}"
            verdicts[name] = v.permanent(name, v.ABSENT, reason, _ABSENT_PATIENCE)
    # The database is the cause, the gateway the consequence; others stand between them.
    rank = {"postgres": 0, "litellm": 2, "backend": 3, "frontend": 4}
    return [verdicts[name] for name in sorted(verdicts, key=lambda name: (rank.get(name, 1), name))]


def _elsewhere(instance: Mapping[str, Any]) -> tuple[str, ...]:
    """What the site has in place of the instance: what is left of its own goes later."""
    return ("postgres",) if instance.get("external_database") else ()


def _switched_off(instance: Mapping[str, Any], workload: Mapping[str, Any]) -> bool:
    """Whether it is left of a part that the plan has no more: nobody waits for it, it goes later."""
    return _labels.of(workload).get(_labels.OPTIONAL, "") in instance.get("switched_off", ())


def awaiting_migration(observation: Observation, homes: Iterable[str]) -> set[str]:
    """Those of *homes* with a Deployment whose pods wait for a Job: as the live object says it."""
    return {home for home in homes if any(map(_awaited, observation.of(home, "Deployment")))}


def _awaited(deployment: Mapping[str, Any]) -> str:
    return (deployment["metadata"].get("annotations") or {}).get(_labels.MIGRATION, "")


def _exposure(
    instance: Mapping[str, Any], observation: Observation, name: str, holder: str
) -> v.Verdict | None:
    expose = instance.get("expose") or "none"
    if expose not in EXPOSURE:
        return None
    kind, home = EXPOSURE[expose], instance["namespace"]
    component = expose if name == EXPOSURE_NAME else f"{name} {expose}"
    for obj in observation.of(home, kind):
        if obj["metadata"]["name"] == name:
            if kind == "Route":
                return route_verdict(obj, holder, component)
            return ingress_verdict(obj, component)
    reason = f"{kind} {name} does not exist in namespace {home}"
    return v.permanent(component, v.ABSENT, reason, _ABSENT_PATIENCE)
