# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifests that a site adds to each instance: autoscalers, monitors, whatever it has.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _settings
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import Problem, variable
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

NAME = variable("extra_manifests")
# For values that differ from instance to instance.
PLACEHOLDERS = ("$(INSTANCE)", "$(NAMESPACE)", "$(HOST)")
# Where an autoscaler says how many pods it may make, and what it means when it does not.
_AUTOSCALERS = {
    "HorizontalPodAutoscaler": ("maxReplicas", 1),
    "ScaledObject": ("maxReplicaCount", 100),
}
_CLUSTER_WIDE = ("Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")


def most_replicas(settings: Settings) -> int:
    """How many gateway pods an autoscaler among the manifests may make; 0 where there is none."""
    given = settings["extra_manifests"]
    found = 0
    for manifest in given if isinstance(given, list) else ():
        spec = manifest.get("spec") if isinstance(manifest, Mapping) else None
        field = _AUTOSCALERS.get(str(manifest.get("kind"))) if isinstance(spec, Mapping) else None
        if field is None or not isinstance(spec, Mapping):
            continue
        target = spec.get("scaleTargetRef")
        if isinstance(target, Mapping) and target.get("name") == "litellm":
            most = spec.get(field[0], field[1])
            found = max(found, most if isinstance(most, int) else 1)
    return found


def problems(settings: Settings) -> Iterator[Problem]:
    """What keeps a manifest from being added to an instance."""
    given = settings["extra_manifests"]
    if not isinstance(given, list):
        yield Problem(NAME, "must be a list of manifests", "Write it as YAML.")
        return
    known = _labels.objects("backend" in _settings.parts(settings))
    ours = {(kind, name) for _api_version, kind, name in known}
    seen = set()
    for number, manifest in enumerate(given, start=1):
        problem, remedy = _fault(manifest, ours)
        if problem:
            yield Problem(NAME, f"has a manifest {number} that {problem}", remedy)
            continue
        key = (manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
        if key in seen:
            yield Problem(NAME, f"has {key[1]} {key[2]} twice", "Take one out.")
        seen.add(key)


def _fault(manifest: Any, ours: set[tuple[str, str]]) -> tuple[str, str]:
    """What is wrong with one manifest and what to do; empty when nothing is."""
    whole = manifest if isinstance(manifest, Mapping) else {}
    metadata = whole.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    kind, name = whole.get("kind"), metadata.get("name")
    if not all(isinstance(text, str) and text for text in (whole.get("apiVersion"), kind, name)):
        return "lacks apiVersion, kind or metadata.name", "Each must be a whole manifest."
    if metadata.get("namespace"):
        return "names a namespace", "Leave it out: it goes into that of each instance."
    if kind in _CLUSTER_WIDE:
        return f"is a {kind}, which has no place in an instance", "Apply it by itself."
    if kind == "Secret":
        return "is a Secret", "Create it by itself: a variable is no place for what it holds."
    if (kind, name) in ours:
        return f"is {kind} {name}, which the instance has already", "Choose another name."
    return "", ""
