# SPDX-License-Identifier: MIT
"""What holds a namespace, from its status as kube-controller-manager 1.34 writes it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _stuck
from ansible_collections.rhpds.litemaas.plugins.module_utils._inventory import Found

from .applied_cluster import Cluster, obj, refusal

CONTENT = (
    "Some resources are remaining: configmaps. has 1 resource instances, pods. has 2 resource instances, "
    "widgets.example.com has 12 resource instances"
)


def namespace(*conditions: tuple[str, str, str], **parts: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "n", **parts.pop("metadata", {})},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {
            "phase": "Terminating",
            "conditions": [{"type": t, "status": s, "message": m} for t, s, m in conditions],
        },
        **parts,
    }


def test_what_remains_is_read_from_the_status() -> None:
    live = namespace(("NamespaceContentRemaining", "True", CONTENT))
    assert _stuck.remaining(live) == [("configmaps", ""), ("pods", ""), ("widgets", "example.com")]
    assert _stuck.remaining(namespace(("NamespaceContentRemaining", "False", CONTENT))) == []
    assert _stuck.remaining({"metadata": {}}) == []


HELD = _stuck.Held("widgets.example.com", "w", ("example.com/block",))
FINALIZERS = "Some content in the namespace has finalizers remaining: example.com/block in 1 resource instances"


@pytest.mark.parametrize(
    ("live", "held", "parts"),
    [
        (
            namespace(("NamespaceContentRemaining", "True", CONTENT)),
            [_stuck.Held("pods", "p", ()), HELD],
            ["it holds widgets.example.com/w (finalizers: example.com/block), pods/p."],
        ),
        (
            namespace(("NamespaceContentRemaining", "True", CONTENT)),
            [HELD._replace(name=f"w{n}") for n in range(9)],
            ["widgets.example.com/w4 (finalizers: example.com/block) and 4 more."],
        ),
        # Whoever may not list what is in there still learns what the cluster says.
        (
            namespace(("NamespaceFinalizersRemaining", "True", FINALIZERS)),
            [],
            [FINALIZERS, "Remove what holds it"],
        ),
        (
            namespace(
                ("NamespaceDeletionDiscoveryFailure", "True", "metrics.k8s.io/v1beta1: stale")
            ),
            [HELD],
            ["it holds widgets", "metrics.k8s.io/v1beta1: stale"],
        ),
        (
            namespace(metadata={"finalizers": ["a/b"]}, spec={"finalizers": ["kubernetes", "c/d"]}),
            [],
            ["its own finalizers are a/b, c/d"],
        ),
        (namespace(), [], ["no reason yet"]),
        (
            {"metadata": {"name": "data", "finalizers": ["kubernetes.io/pvc-protection"]}},
            [],
            ["its own finalizers are kubernetes.io/pvc-protection"],
        ),
    ],
)
def test_sentence(live: dict[str, Any], held: list[_stuck.Held], parts: list[str]) -> None:
    said = _stuck.describe(live, held)
    for part in parts:
        assert part in said


def found(kind: str, name: str, namespace: str = "") -> Found:
    return Found("v1", kind, namespace, name, "uid", True)


def explain(cluster: Cluster, item: Found) -> str:
    return _stuck.explain(cluster, item.reference)  # type: ignore[arg-type]


def test_objects_are_named() -> None:
    status = namespace(("NamespaceContentRemaining", "True", CONTENT))["status"]
    cluster = Cluster(
        obj("Namespace", "n", status=status),
        obj("ConfigMap", "c", "n", metadata={"finalizers": ["example.com/block"]}),
        obj("Pod", "p", "n"),
        obj("Pod", "elsewhere", "m"),
    )
    said = explain(cluster, found("Namespace", "n"))
    # The group of a kind that is gone has no version any more.
    assert said.startswith(
        "it holds configmaps/c (finalizers: example.com/block), pods/p, widgets.example.com/?. Remove"
    )


def test_what_cannot_be_read_is_said() -> None:
    cluster = Cluster(obj("Namespace", "n"))

    def fault(_verb: str, _path: str) -> None:
        raise refusal(403, "may not get")

    cluster.faults = [fault]
    assert explain(cluster, found("Namespace", "n")) == "what holds it cannot be read. may not get"
    assert "just now" in explain(Cluster(), found("Namespace", "n"))
