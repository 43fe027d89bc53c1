# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on an image that cannot be pulled: the registry's words, and what to do about them.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _event
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v

# Reasons of the kubelet for a container that waits (pkg/kubelet/images/types.go).
PULL_FAILED = {
    "InvalidImageName",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
# Kubelet, container runtime and gRPC in front of the registry's own words.
_REGISTRY_AFTER = re.compile(
    r'^(Failed to pull image "[^"]*": |Back-off pulling image "[^"]*": |ErrImagePull: |'
    r'rpc error: code = \w+ desc = |failed to pull and unpack image "[^"]*": |'
    r'failed to resolve reference "[^"]*": )+'
)
# What a registry says when waiting does not help, and what to do. The first match counts; a
# pull secret may be linked a moment after the namespace, hence the patience of a minute.
_REGISTRY_SAYS: tuple[tuple[str, str, float | None], ...] = (
    (r"no such host|lookup |i/o timeout|connection refused|deadline exceeded", "the node cannot "
     "reach the registry: check its name, the egress rules and any mirror", None),
    (r"toomanyrequests|too many requests|rate limit", "the registry limits the rate of pulls: "
     "wait, log in with a pull secret, or use a mirror", None),
    (r"unauthorized|authentication required|denied|forbidden", "the registry refuses access: "
     "check the image name and give a pull secret", 60),
    (r"manifest unknown|name unknown|not found|does not exist", "the registry has no such image: "
     "check name and tag", 60),
    (r"x509|certificate", "the node does not trust the registry's certificate", None),
)  # fmt: skip


def pull_verdict(
    pod: Mapping[str, Any],
    component: str,
    status: Mapping[str, Any],
    events: list[Mapping[str, Any]],
) -> v.Verdict:
    """Judge a container status that waits for one of :data:`PULL_FAILED`."""
    waiting = status["state"]["waiting"]
    image = spec_of(pod, status["name"]).get("image") or status.get("image", "")
    said = waiting.get("message") or ""
    if waiting["reason"] == "InvalidImageName":
        reason = f"{image!r} is not a valid image name ({v.brief(said)})"
        return v.permanent(component, v.IMAGE, reason, 10)
    if ": " not in said.replace(image, ""):  # only "Back-off pulling image …": the event has it
        pulls = [e for e in events if "pull image" in (e.get("message") or "")]
        said = _event.message(pulls, pod, "Failed") or said
    said = v.brief(_REGISTRY_AFTER.sub("", said).replace("docker://", ""))
    for pattern, advice, patience in _REGISTRY_SAYS:
        if re.search(pattern, said, re.IGNORECASE):
            reason = f"image {image} cannot be pulled: {said}; {advice}"
            if patience is None:
                return v.trouble(component, v.IMAGE, reason)
            return v.permanent(component, v.IMAGE, reason, patience)
    return v.trouble(component, v.IMAGE, f"image {image} cannot be pulled: {said}")


def spec_of(pod: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The container of that name in a pod's spec, init containers included; empty without one."""
    spec = pod.get("spec", {})
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        if container.get("name") == name:
            return container
    return {}
