# SPDX-License-Identifier: MIT
"""Network policies as nftables rules."""

from __future__ import annotations

from typing import Any

import pytest
from lablib.controllers.network_policy import Pod, matches, pods, render

ROUTER = "10.244.1.1"
NAMESPACES: list[dict[str, Any]] = [
    {"metadata": {"name": "one", "labels": {"team": "a"}}},
    {"metadata": {"name": "two"}},
    {
        "metadata": {
            "name": "openshift-host-network",
            "labels": {"policy-group.network.openshift.io/host-network": ""},
        }
    },
]
DATABASE = Pod("one", "10.244.0.2", {"app": "postgres"}, {("TCP", "postgresql"): 5432})
GATEWAY = Pod("one", "10.244.0.3", {"app": "litellm"}, {("TCP", "http"): 4000})
STRANGER = Pod("two", "10.244.0.4", {"app": "litellm"})


def rules(direction: str = "ingress", *, pod: Pod = DATABASE, **spec: Any) -> list[str] | None:
    """The lines of the pod's chain; None when it has none."""
    spec.setdefault("podSelector", {"matchLabels": pod.labels})
    policy = {"metadata": {"namespace": pod.namespace, "name": "p"}, "spec": spec}
    text = render([policy], [DATABASE, GATEWAY, STRANGER], NAMESPACES, ROUTER)
    name = f"{direction}-{pod.address}"
    assert (f"{pod.address} : jump {name}" in text) == (f"chain {name} {{" in text)
    if f"chain {name} {{" not in text:
        return None
    chain = text.split(f"chain {name} {{\n")[1].split("  }\n")[0].splitlines()
    own = {"ingress": "saddr", "egress": "daddr"}[direction]
    lines = [line.strip() for line in chain]
    assert f"ip {own} {pod.address} return" in lines
    assert lines[-1] == "counter drop"
    return [line for line in lines[:-1] if line != f"ip {own} {pod.address} return"]


HOST_NETWORK = {"matchLabels": {"policy-group.network.openshift.io/host-network": ""}}
GATEWAYS = {"podSelector": {"matchLabels": {"app": "litellm"}}}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"from": [GATEWAYS]}, ["ip saddr 10.244.0.3 return"]),
        (
            {"from": [GATEWAYS], "ports": [{"port": 5432}]},
            ["ip saddr 10.244.0.3 tcp dport 5432 return"],
        ),
        ({"ports": [{"port": "postgresql"}]}, ["tcp dport 5432 return"]),
        ({"ports": [{"port": "absent"}]}, []),
        ({"ports": [{"port": 80, "endPort": 90}]}, ["tcp dport 80-90 return"]),
        ({"ports": [{"port": 53, "protocol": "UDP"}]}, ["udp dport 53 return"]),
        ({"ports": [{"protocol": "UDP"}]}, ["meta l4proto udp return"]),
        ({}, ["return"]),
        ({"from": []}, ["return"]),
        # Both selectors in one entry: of those namespaces, those pods.
        ({"from": [{"namespaceSelector": {}, **GATEWAYS}]},
         ["ip saddr 10.244.0.3 return", "ip saddr 10.244.0.4 return"]),
        ({"from": [{"namespaceSelector": HOST_NETWORK}]}, [f"ip saddr {ROUTER} return"]),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]},
            ["ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16 } return"],
        ),
    ],
)  # fmt: skip
def test_what_comes_in(rule: dict[str, Any], expected: list[str]) -> None:
    assert rules(ingress=[rule]) == expected


def test_a_pod_that_no_policy_selects_takes_everything() -> None:
    assert rules(podSelector={"matchLabels": {"app": "other"}}) is None
    assert rules("egress", ingress=[]) is None


def test_a_policy_without_rules_lets_nothing_in() -> None:
    assert rules() == []
    assert rules(podSelector={}) == []


def test_what_goes_out() -> None:
    egress = [{"to": [{"podSelector": {}}], "ports": [{"port": "postgresql"}]}]
    assert rules("egress", pod=GATEWAY, egress=egress) == [
        "ip daddr 10.244.0.2 tcp dport 5432 return"
    ]
    assert rules("egress", pod=GATEWAY, policyTypes=["Egress"]) == []
    assert rules("ingress", pod=GATEWAY, policyTypes=["Egress"]) is None


def test_policies_add_up() -> None:
    def policy(**rule: Any) -> dict[str, Any]:
        spec = {"podSelector": {}, "ingress": [rule]}
        return {"metadata": {"namespace": "one", "name": "p"}, "spec": spec}

    both = [policy(ports=[{"port": 1}]), policy(ports=[{"port": 2}])]
    text = render(both, [DATABASE], NAMESPACES, ROUTER)
    assert "tcp dport 1 return" in text
    assert "tcp dport 2 return" in text


def test_of_what_the_node_sends_only_the_routers_is_looked_at() -> None:
    text = render([], [DATABASE], NAMESPACES, ROUTER)
    output = text.split("chain output {")[1].split("}")[0]
    assert f"ip saddr {ROUTER} jump pods" in output
    assert "drop" not in output


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "1", "b": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "In", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors(selector: dict[str, Any], selected: bool) -> None:
    assert matches(selector, {"a": "1"}) == selected


def test_pods_with_an_address_of_their_own() -> None:
    container = {"ports": [{"name": "http", "containerPort": 4000}, {"containerPort": 1}]}

    def pod(phase: str = "Running", **spec: Any) -> dict[str, Any]:
        status = {"podIP": "10.244.0.3", "phase": phase}
        spec = {"containers": [container], **spec}
        return {"metadata": {"namespace": "one", "name": "p"}, "spec": spec, "status": status}

    (found,) = pods([pod(), pod("Succeeded"), pod(hostNetwork=True)])
    assert found == Pod("one", "10.244.0.3", {}, {("TCP", "http"): 4000})


def test_the_clusters_dns_is_known_by_its_namespace() -> None:
    rule = {
        "to": [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}
        ],
        "ports": [{"protocol": "UDP", "port": 53}],
    }
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]}
    policy = {"metadata": {"namespace": "one", "name": "p"}, "spec": spec}
    name = "openshift-dns"
    named = {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
    dns = Pod(name, "198.18.0.2")
    text = render([policy], [GATEWAY], [*NAMESPACES, named], ROUTER, [dns])
    assert "ip daddr 198.18.0.2 udp dport 53 return" in text
    assert "198.18.0.2" not in render([policy], [GATEWAY], [*NAMESPACES, named], ROUTER)
