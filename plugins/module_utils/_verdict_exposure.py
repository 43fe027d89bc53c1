# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on what makes an instance reachable, and on the namespace it lives in.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v

ROUTE, INGRESS, NAMESPACE = "route", "ingress", "namespace"

# Seconds: a router reports within two or three, a claim of another Route does not go by itself.
_PATIENCE = 15


def route_verdict(route: Mapping[str, Any], holder: str = "", component: str = ROUTE) -> v.Verdict:
    """Judge a Route: admitted by one router for its host is enough.

    *holder*: ``namespace/name`` of the Route that has the host, where it could be found out; the
    router does not name one in another namespace.
    """
    if route["metadata"].get("deletionTimestamp"):
        return v.permanent(component, v.TERMINATING, "the Route is being deleted", 10)
    host = route.get("spec", {}).get("host", "")
    refusals = []
    for entry in route.get("status", {}).get("ingress") or ():
        if entry.get("host") != host:
            continue  # a report about the host it had before
        for condition in entry.get("conditions") or ():
            if condition.get("type") != "Admitted":
                continue
            if condition.get("status") == "True":
                return v.ready(component)
            refusals.append(condition)
    if not refusals:
        return v.waiting(component, v.EXPOSING, f"no router has admitted the Route for {host} yet")
    why, said = refusals[0].get("reason", ""), v.brief(refusals[0].get("message") or "")
    if why == "HostAlreadyClaimed":
        by = f"Route {holder}" if holder else "another Route"
        reason = f"{by} has the host {host} already (HostAlreadyClaimed: {said}); "
        reason += "remove that Route, or choose another ocp4_workload_litemaas_route_name"
    else:
        reason = f"the router refuses the Route for {host} ({why}: {said})"
    return v.permanent(component, v.EXPOSING, reason, _PATIENCE)


def ingress_verdict(ingress: Mapping[str, Any], component: str = INGRESS) -> v.Verdict:
    """Judge an Ingress: there is no admission to wait for, and not all controllers set a status.

    Whether it leads anywhere shows when the gateway is asked through it.
    """
    if ingress["metadata"].get("deletionTimestamp"):
        return v.permanent(component, v.TERMINATING, "the Ingress is being deleted", 10)
    return v.ready(component)


def namespace_verdict(namespace: Mapping[str, Any] | None, name: str) -> v.Verdict:
    """Judge a Namespace: there and not going away. *namespace*: None when it does not exist."""
    if namespace is None:
        return v.permanent(NAMESPACE, v.ABSENT, f"namespace {name} does not exist", 10)
    phase = namespace.get("status", {}).get("phase")
    if phase == "Terminating" or namespace["metadata"].get("deletionTimestamp"):
        held = [
            v.brief(entry.get("message") or "")
            for entry in namespace.get("status", {}).get("conditions") or ()
            if entry.get("status") == "True" and entry.get("message")
        ]
        why = f" ({'; '.join(held)})" if held else ""
        reason = f"namespace {name} is being deleted{why}: wait until it is gone, then deploy again"
        return v.permanent(NAMESPACE, v.TERMINATING, reason, 10)
    return v.ready(NAMESPACE)
