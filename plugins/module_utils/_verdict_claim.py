# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on the volume claims of pods.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _event
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v


def claim_verdicts(
    pods: Iterable[Mapping[str, Any]],
    claims: Iterable[Mapping[str, Any]],
    component: str,
    events: Iterable[Mapping[str, Any]] = (),
) -> Iterator[v.Verdict]:
    """A verdict for each known claim that one of *pods* mounts."""
    by_name = {claim["metadata"]["name"]: claim for claim in claims}
    for pod in pods:
        for volume in pod.get("spec", {}).get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if name in by_name:
                yield claim_verdict(by_name[name], component, events)


def claim_verdict(
    claim: Mapping[str, Any], component: str, events: Iterable[Mapping[str, Any]] = ()
) -> v.Verdict:
    """Judge a PersistentVolumeClaim: bound, waiting for its pod, or held up and by what."""
    name, phase = claim["metadata"]["name"], claim.get("status", {}).get("phase")
    if claim["metadata"].get("deletionTimestamp"):
        reason = f"claim {name} is being deleted and cannot be used by a new pod"
        return v.trouble(component, v.TERMINATING, reason)
    if phase == "Bound":
        return v.ready(component)
    if phase == "Lost":
        volume = claim.get("spec", {}).get("volumeName", "")
        reason = f"claim {name} has lost its volume {volume}: the data is gone or its object is"
        return v.permanent(component, v.PENDING, reason, 30)
    return _pending(claim, component, list(events))


def _pending(
    claim: Mapping[str, Any], component: str, events: list[Mapping[str, Any]]
) -> v.Verdict:
    name, where = claim["metadata"]["name"], _storage_class(claim)
    failed = _event.message(events, claim, "ProvisioningFailed", "FailedBinding")
    if "storageclass" in failed and "not found" in failed:
        # The claim of a StatefulSet keeps its class: correcting the variable does not help it.
        reason = f"claim {name} gets no volume: {v.brief(failed)}; "
        reason += "remove this instance and deploy it with a storage class that exists"
        return v.permanent(component, v.PENDING, reason, 30)
    if failed:
        reason = f"claim {name} gets no volume from {where}: {v.brief(failed)}"
        return v.trouble(component, v.PENDING, reason)
    if _event.newest(events, claim, "WaitForFirstConsumer", "WaitForPodScheduled"):
        reason = f"claim {name} ({where}) waits for its pod to be scheduled"
        return v.waiting(component, v.PENDING, reason)
    provisioner = (claim["metadata"].get("annotations") or {}).get(
        "volume.kubernetes.io/storage-provisioner"
    )
    by = f", which {provisioner} has to make" if provisioner else ""
    return v.waiting(component, v.PENDING, f"claim {name} waits for a volume of {where}{by}")


def _storage_class(claim: Mapping[str, Any]) -> str:
    """In words; a claim without the field waits for a default class to appear."""
    name = claim.get("spec", {}).get("storageClassName")
    if name is None:
        return "the default storage class (there is none)"
    return f"storage class {name}" if name else "no storage class (a volume made by hand)"
