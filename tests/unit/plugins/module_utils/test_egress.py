# SPDX-License-Identifier: MIT
"""What gateways may reach: entries become rules of NetworkPolicies, and what is none is named."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _egress, _instances

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
DNS = _egress.dns(True)
INSIDE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "models"}}}


def settings(egress: str = "restricted", allow: Any = (), **more: Any) -> Any:
    allowed = list(allow) if isinstance(allow, tuple) else allow
    return copy.deepcopy(SETTINGS) | {"egress": egress, "egress_allow": allowed, **more}


def block(cidr: str, port: int = 0) -> dict[str, Any]:
    ports = {"ports": [{"protocol": "TCP", "port": port}]} if port else {}
    return {"to": [{"ipBlock": {"cidr": cidr}}], **ports}


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ("203.0.113.0/24", block("203.0.113.0/24")),
        ("203.0.113.7", block("203.0.113.7/32")),
        (" 203.0.113.7:443 ", block("203.0.113.7/32", 443)),
        ("10.0.0.0/8:8080", block("10.0.0.0/8", 8080)),
        ("2001:db8::/32", block("2001:db8::/32")),
        ("[2001:db8::7]:443", block("2001:db8::7/128", 443)),
        ({"to": [INSIDE]}, {"to": [INSIDE]}),
        ({"to": [INSIDE], "ports": [{"port": "http"}]}, {"to": [INSIDE], "ports": [{"port": "http"}]}),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": []},
         {"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}),
    ],
)  # fmt: skip
def test_an_entry_is_a_rule(entry: Any, rule: Any) -> None:
    found = settings(allow=(entry,))
    assert list(_egress.problems(found)) == list(_egress.warnings(found)) == []
    assert _egress.rules(found) == [DNS, rule]


@pytest.mark.parametrize(
    ("allow", "words"),
    [
        ("203.0.113.7", ["egress_allow must be a list"]),
        (("models.example.com",), ["entry 1 that is no address (models.example.com); host names"]),
        (("https://203.0.113.7",), ["entry 1 that is no address"]),
        (("203.0.113.7/24",), ["entry 1 that is no network (203.0.113.7/24): bits are set"]),
        (("203.0.113.7:0", "203.0.113.7:99999"), ["entry 1 that has the port 0", "entry 2 that has the port 99999"]),
        ((7,), ["entry 1 that is neither an address nor a rule"]),
        (({},), ["entry 1 that names nothing in to"]),
        (({"ports": [{"port": 443}]},), ["entry 1 that names nothing in to"]),
        (({"from": [INSIDE]},), ["entry 1 that has from beside to and ports"]),
        (({"to": INSIDE},), ["entry 1 that has no list in to or ports"]),
        (({"to": [{}]},), ["entry 1 that has something else in to than ipBlock"]),
        (({"to": [{"cidr": "10.0.0.0/8"}]},), ["entry 1 that has something else in to"]),
        (({"to": [{"ipBlock": {"cidr": "x"}}]},), ["entry 1 that has an ipBlock without a network"]),
        (({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}, **INSIDE}]},), ["has an ipBlock and a selector"]),
        (({"to": [INSIDE], "ports": [443]},), ["has something else in ports"]),
        (({"to": [INSIDE], "ports": [{"port": True}]},), ["neither a number nor a name"]),
        (({"to": [INSIDE], "ports": [{"port": 70000}]},), ["has the port 70000"]),
        (({"to": [INSIDE], "ports": [{"port": 1, "protocol": "tcp"}]},), ["has the protocol tcp"]),
    ],
)  # fmt: skip
def test_what_is_none(allow: Any, words: list[str]) -> None:
    found = [str(problem) for problem in _egress.problems(settings(allow=allow))]
    assert len(found) == len(words)
    assert all(part in text for part, text in zip(words, found, strict=True)), found


def test_a_database_elsewhere_has_to_be_among_what_is_allowed() -> None:
    outside = {"name": "database", "key": "url"}
    (problem,) = _egress.problems(settings(database_secret=outside))
    assert "no gateway would reach its database" in str(problem)
    assert (
        list(_egress.problems(settings(allow=("203.0.113.7:5432",), database_secret=outside))) == []
    )


def test_open_is_open() -> None:
    assert _egress.rules(settings("open")) == []
    (problem,) = _egress.problems(settings("open", ("203.0.113.7",)))
    assert "allows something where ocp4_workload_litemaas_egress is open" in str(problem)
    (problem,) = _egress.problems(settings("closed"))
    assert "must be open or restricted, got 'closed'" in str(problem)


def test_a_gateway_that_reaches_no_model_is_warned_of() -> None:
    (warning,) = _egress.warnings(settings())
    assert "no model" in warning
    assert list(_egress.warnings(settings("open"))) == []


def test_dns_is_where_the_cluster_has_it() -> None:
    assert DNS["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "openshift-dns"
    }
    assert {(each["protocol"], each["port"]) for each in DNS["ports"]} == {
        ("UDP", 5353), ("TCP", 5353), ("UDP", 53), ("TCP", 53),
    }  # fmt: skip
    plain = _egress.dns(False)
    assert plain["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "kube-system"
    }
    assert {each["port"] for each in plain["ports"]} == {53}


def test_a_restricted_gateway_looks_for_nothing_on_the_internet() -> None:
    found = settings(litellm={**SETTINGS["litellm"], "env": {"LITELLM_LOCAL_BLOG_POSTS": "False"}})
    (instance,) = _instances.instances(found, 1)
    assert instance["egress"] is True
    assert instance["litellm"]["env"] == {
        **_egress.LOCAL_ENVIRONMENT, "LITELLM_LOCAL_BLOG_POSTS": "False",
    }  # fmt: skip
    (usual,) = _instances.instances(settings("open"), 1)
    assert (usual["egress"], usual["litellm"]["env"]) == (False, {})
