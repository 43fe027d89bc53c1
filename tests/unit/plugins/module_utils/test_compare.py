# SPDX-License-Identifier: MIT
"""When there is nothing to send: what was wanted is there, whatever else is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _compare, _labels

Obj = dict[str, Any]


def obj(kind: str, **parts: Any) -> Obj:
    return {"kind": kind, "metadata": {"name": "x"}, **parts}


def pod(**spec: Any) -> Obj:
    return obj("Deployment", spec={"template": {"spec": spec}})


def container(**parts: Any) -> Obj:
    return pod(containers=[{"name": "c", **parts}])


def policy(**spec: Any) -> Obj:
    return obj("NetworkPolicy", spec=spec)


def rule(*ports: Obj, **peer: Any) -> Obj:
    return {"from": [{"podSelector": peer}], "ports": list(ports)}


SAME: list[tuple[str, Obj, Obj]] = [
    ("equal", obj("ConfigMap", data={"a": "b"}), obj("ConfigMap", data={"a": "b"})),
    (
        "others' fields",
        obj("ConfigMap", data={"a": "b"}),
        obj("ConfigMap", data={"a": "b", "c": ""}),
    ),
    ("defaults", container(image="i"), container(image="i", imagePullPolicy="Always")),
    (
        "quantities",
        container(
            resources={"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": 2}}
        ),
        container(resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}}),
    ),
    (
        "quantity as number",
        container(resources={"limits": {"cpu": 0.5, "memory": 1073741824}}),
        container(resources={"limits": {"cpu": "500m", "memory": "1Gi"}}),
    ),
    (
        "quantity in a field",
        pod(volumes=[{"name": "t", "emptyDir": {"sizeLimit": "1024Mi"}}]),
        pod(volumes=[{"name": "t", "emptyDir": {"sizeLimit": "1Gi"}}]),
    ),
    (
        "quota",
        obj("ResourceQuota", spec={"hard": {"pods": 10}}),
        obj("ResourceQuota", spec={"hard": {"pods": "10"}}),
    ),
    ("empty list", container(env=[]), container()),
    ("empty mapping", obj("ConfigMap", data={}), obj("ConfigMap")),
    ("empty labels", {"kind": "Pod", "metadata": {"name": "x", "labels": {}}}, obj("Pod")),
    (
        "empty value of a variable",
        container(env=[{"name": "A", "value": ""}]),
        container(env=[{"name": "A"}]),
    ),
    ("zero of a plain field", pod(hostNetwork=False), pod(dnsPolicy="ClusterFirst")),
    (
        "a variable that others added",
        container(env=[{"name": "B", "value": "b"}]),
        container(env=[{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]),
    ),
    (
        "an added container",
        pod(containers=[{"name": "c", "image": "i"}]),
        pod(containers=[{"name": "proxy"}, {"name": "c", "image": "i"}]),
    ),
    (
        "ports are known by number and protocol",
        obj("Service", spec={"ports": [{"port": 1}, {"port": 53, "protocol": "UDP"}]}),
        obj(
            "Service",
            spec={
                "clusterIP": "10.0.0.1",
                "ports": [
                    {"port": 53, "protocol": "UDP", "targetPort": 53},
                    {"port": 1, "protocol": "TCP", "targetPort": 1},
                ],
            },
        ),
    ),
    (
        "claim templates",
        obj(
            "StatefulSet",
            spec={
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "d"},
                        "spec": {"resources": {"requests": {"storage": "1024Mi"}}},
                    }
                ]
            },
        ),
        obj(
            "StatefulSet",
            spec={
                "volumeClaimTemplates": [
                    {
                        "kind": "PersistentVolumeClaim",
                        "metadata": {"name": "d"},
                        "spec": {
                            "resources": {"requests": {"storage": "1Gi"}},
                            "volumeMode": "Filesystem",
                        },
                        "status": {"phase": "Pending"},
                    }
                ]
            },
        ),
    ),
    (
        "defaults in a policy",
        policy(podSelector={}, ingress=[rule({"port": 1})]),
        policy(
            podSelector={}, ingress=[rule({"port": 1, "protocol": "TCP"})], policyTypes=["Ingress"]
        ),
    ),
    ("an empty selector", policy(podSelector={}, ingress=[]), policy(podSelector={})),
    (
        "image pull secrets that OpenShift adds",
        obj("ServiceAccount", secrets=[{"name": "a"}]),
        obj("ServiceAccount", secrets=[{"name": "b"}, {"name": "a"}]),
    ),
]

DIFFERENT: list[tuple[str, Obj, Obj, str]] = [
    ("value", obj("ConfigMap", data={"a": "b"}), obj("ConfigMap", data={"a": "c"}), "data.a"),
    ("absent", obj("ConfigMap", data={"a": "b"}), obj("ConfigMap"), "data"),
    ("label", {"kind": "Pod", "metadata": {"labels": {"a/b": "c"}}}, obj("Pod", metadata={"labels": {}}), "metadata.labels.a/b"),
    # No quantities: in data, 1 and 1000m are two texts.
    ("text like a quantity", obj("ConfigMap", data={"a": "1"}), obj("ConfigMap", data={"a": "1000m"}), "data.a"),
    ("variable like a quantity", container(env=[{"name": "A", "value": "1"}]), container(env=[{"name": "A", "value": "1000m"}]), "spec.template.spec.containers[c].env[A].value"),
    ("quantity", container(resources={"limits": {"cpu": 1}}), container(resources={"limits": {"cpu": "1001m"}}), "spec.template.spec.containers[c].resources.limits.cpu"),
    ("variable", container(env=[{"name": "A", "value": "a"}]), container(env=[{"name": "B", "value": "a"}]), "spec.template.spec.containers[c].env[A]"),
    ("port", obj("Service", spec={"ports": [{"port": 1}]}), obj("Service", spec={"ports": [{"port": 1, "protocol": "UDP"}]}), "spec.ports[1/TCP]"),
    ("arguments are in order", container(args=["a", "b"]), container(args=["b", "a"]), "spec.template.spec.containers[c].args[0]"),
    ("an argument too many", container(args=["a"]), container(args=["a", "b"]), "spec.template.spec.containers[c].args"),
    ("false is not absent where absent means true", obj("ServiceAccount", automountServiceAccountToken=False), obj("ServiceAccount"), "automountServiceAccountToken"),
    ("zero replicas", obj("Deployment", spec={"replicas": 0}), obj("Deployment", spec={}), "spec.replicas"),
    # What grants or selects must not hold more than was wanted.
    ("a port more in a policy", policy(ingress=[rule({"port": 1})]), policy(ingress=[rule({"port": 1, "protocol": "TCP"}, {"port": 2, "protocol": "TCP"})]), "spec.ingress"),
    ("a peer opened wider", policy(ingress=[rule(a="b")]), policy(ingress=[{"from": [{"podSelector": {"a": "b"}, "namespaceSelector": {"c": "d"}}], "ports": []}]), "spec.ingress"),
    ("a rule more", policy(egress=[]), policy(egress=[{"to": [{"podSelector": {"a": "b"}}]}]), "spec.egress"),
    ("a verb more", obj("Role", rules=[{"verbs": ["get"]}]), obj("Role", rules=[{"verbs": ["get", "list"]}]), "rules"),
    ("a label more in a selector", obj("Service", spec={"selector": {"a": "b"}}), obj("Service", spec={"selector": {"a": "b", "c": "d"}}), "spec.selector"),
    ("a size", obj("StatefulSet", spec={"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}}]}), obj("StatefulSet", spec={"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}]}), "spec.volumeClaimTemplates[d].spec.resources.requests.storage"),
    ("another type", obj("X", spec={"a": {"b": 1}}), obj("X", spec={"a": "b"}), "spec.a"),
    ("another type of items", obj("X", spec=[{"a": 1}]), obj("X", spec=["a"]), "spec[0]"),
]  # fmt: skip


def applied(wanted: Obj, live: Obj) -> Obj:
    """The live object after it was sent."""
    live = copy.deepcopy(live)
    live["metadata"].setdefault("annotations", {})[_labels.APPLIED_HASH] = _compare.applied_hash(
        wanted
    )
    return live


@pytest.mark.parametrize(("wanted", "live"), [case[1:] for case in SAME], ids=[c[0] for c in SAME])
def test_nothing_to_send(wanted: Obj, live: Obj) -> None:
    assert list(_compare.differences(wanted, live)) == []
    assert _compare.satisfied(wanted, applied(wanted, live))


@pytest.mark.parametrize(
    ("wanted", "live", "path"), [case[1:] for case in DIFFERENT], ids=[c[0] for c in DIFFERENT]
)
def test_something_to_send(wanted: Obj, live: Obj, path: str) -> None:
    assert next(_compare.differences(wanted, live)).path == path
    assert not _compare.satisfied(wanted, applied(wanted, live))


def test_both_sides_are_told_as_they_are() -> None:
    wanted = container(resources={"limits": {"cpu": "2000m"}})
    live = container(resources={"limits": {"cpu": "1"}})
    (difference,) = _compare.differences(wanted, live)
    assert (difference.wanted, difference.live) == ("2000m", "1")


def test_a_field_that_is_no_longer_wanted_is_noticed() -> None:
    first = obj("ConfigMap", data={"a": "b", "c": "d"})
    second = obj("ConfigMap", data={"a": "b"})
    live = applied(first, first)
    assert _compare.satisfied(first, live)
    assert not _compare.satisfied(second, live)


def test_what_was_never_applied_or_is_going_is_sent() -> None:
    wanted = obj("ConfigMap", data={"a": "b"})
    assert not _compare.satisfied(wanted, wanted)
    going = applied(wanted, wanted)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not _compare.satisfied(wanted, going)


def test_the_hash_does_not_depend_on_order() -> None:
    first, second = {"a": {"b": 1, "c": 2}, "d": 3}, {"d": 3, "a": {"c": 2, "b": 1}}
    assert _compare.applied_hash(first) == _compare.applied_hash(second)
    assert _compare.applied_hash(first) != _compare.applied_hash({**first, "d": 4})


def test_the_hash_of_a_secret_does_not_tell_its_values() -> None:
    first, second = obj("Secret", data={"a": "YQ=="}), obj("Secret", data={"a": "Yg=="})
    assert _compare.applied_hash(first) == _compare.applied_hash(second)
    assert _compare.applied_hash(first) != _compare.applied_hash(obj("Secret", data={"b": "YQ=="}))
    # A changed value is found all the same: values are compared themselves.
    assert not _compare.satisfied(second, applied(first, first))
