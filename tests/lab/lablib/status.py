# SPDX-License-Identifier: MIT
"""What a lab is and whether it runs, for people and for programs."""

from __future__ import annotations

from lablib import containers, lab, namespaces
from lablib.errors import LabError
from lablib.settings import Settings


def facts(settings: Settings) -> dict[str, object]:
    """`up` is true when every component that was started runs."""
    known = lab.running(settings)
    started = lab.started(settings)
    names = [
        *lab.CONTROL_PLANE,
        *(name for name in (*lab.NODE, *lab.SIMULATION) if name in started),
    ]
    components = {
        name: {"pid": known[name].pid if name in known else None, "running": name in known}
        for name in names
    }
    return {
        "profile": settings.profile,
        "up": all(component["running"] for component in components.values()),
        "real_node": "kubelet" in known,
        "simulated_nodes": settings.simulated_nodes if "kwok" in known else 0,
        "mode": settings.mode,
        "checkout": str(settings.checkout),
        "state": str(settings.state),
        "kubeconfig": str(settings.kubeconfig),
        "api_url": settings.api_url if settings.address else "",
        "apps_domain": settings.apps_domain,
        "router_address": settings.router_address,
        "dns": f"{settings.address}:{settings.ports['dns']}" if settings.address else "",
        "network_namespace": str(namespaces.pin(settings, "net")) if settings.netns else "",
        "ca_file": str(settings.router_ca),
        "audit_log": str(settings.audit_log),
        "components": components,
        "images": _images(settings) if "containerd" in known else [],
        "cache": str(settings.cache),
    }


def words(facts: dict[str, object]) -> str:
    """The same for a terminal."""
    components = facts["components"]
    assert isinstance(components, dict)
    lines = [f"profile {facts['profile']}: {'up' if facts['up'] else 'down'}"]
    for name, component in components.items():
        lines.append(
            f"  {name:24} {'running, pid ' + str(component['pid']) if component['running'] else '-'}"
        )
    for name in (
        "simulated_nodes",
        "kubeconfig",
        "api_url",
        "apps_domain",
        "router_address",
        "ca_file",
        "audit_log",
        "state",
    ):
        lines.append(f"  {name:24} {facts[name]}")
    return "\n".join(lines)


def _images(settings: Settings) -> list[str]:
    try:
        return containers.references(settings)
    except LabError:
        return []
