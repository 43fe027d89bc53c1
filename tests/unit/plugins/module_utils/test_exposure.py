# SPDX-License-Identifier: MIT
"""Hosts and certificates of the site's own: what fits, and one clear sentence for what does not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _exposure,
    _instances,
    _preflight,
)

from ....pki import Authority

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
P = "ocp4_workload_litemaas_route_"
AUTHORITY = Authority()
PAIR = AUTHORITY.pair("llm.example.com")
WILDCARD = AUTHORITY.pair("*.example.com")


def settings(key: str = "", **route: Any) -> Any:
    more = route.pop("more", {})
    found = copy.deepcopy(SETTINGS)
    found["route"] |= route
    found["credentials"] = {f"{P}tls_key": key} if key else {}
    for path, value in more.items():
        place = found
        *parents, last = path.split(".")
        for parent in parents:
            place = place[parent]
        place[last] = value
    return found


def problems(found: Any, users: int = 1) -> list[str]:
    return [str(problem) for problem in _preflight.check(found, users)[0]]


USERS = {"multi_user": True, "num_users": 80}


@pytest.mark.parametrize(
    ("host", "more", "hosts"),
    [
        ("llm.example.com", {}, ["llm.example.com"]),
        ("llm.example.com", {**USERS, "tenancy": "shared"}, ["llm.example.com"]),
        ("llm-{user}.example.com", {**USERS, "user_prefix": "dev"}, ["llm-dev1.example.com", "llm-dev2.example.com"]),
        ("{user}.llm.example.com", USERS, ["user1.llm.example.com", "user2.llm.example.com"]),
        # The cluster's own domain is not needed then.
        ("llm.example.com", {"cluster.apps_domain": ""}, ["llm.example.com"]),
        ("llm.example.com", {"cluster.apps_domain": "", "cluster.routes": False, "cluster.openshift": False},
         ["llm.example.com"]),
    ],
)  # fmt: skip
def test_hosts(host: str, more: Any, hosts: list[str]) -> None:
    found = settings(host=host, more=more)
    assert problems(found, 80 if "num_users" in more else 1) == []
    instances = _instances.instances(found, len(hosts))
    assert [each["host"] for each in instances] == hosts
    assert [each["url"] for each in instances] == [f"https://{each}" for each in hosts]
    assert {each["expose"] for each in instances} == {
        "route" if found["cluster"]["routes"] else "ingress"
    }


@pytest.mark.parametrize(
    ("host", "more", "words"),
    [
        ("llm.example.com", USERS, "gives all users the same host, got 'llm.example.com'. Write {user} where"),
        ("llm-{user}.example.com", {}, "has {user}, and there is one address only"),
        ("llm-{user}.example.com", {**USERS, "tenancy": "shared"}, "has {user}, and there is one address only"),
        ("https://llm.example.com", {}, "is no host name"),
        ("llm.example.com/v1", {}, "is no host name"),
        ("llm.example.com:443", {}, "is no host name"),
        ("*.example.com", {}, "is no host name"),
        ("LLM.example.com", {}, "is no host name"),
        ("llm", {}, "is no host name"),
        ("llm..example.com", {}, "is no host name"),
        ("llm_1.example.com", {}, "is no host name"),
        ("{name}.example.com", {}, "is no host name"),
        (f"{'l' * 64}.example.com", {}, "is no host name"),
        (f"{'l' * 60}{{user}}.example.com", USERS, "is no host name"),
        ("203.0.113.7", {}, "is an address"),
        (".".join(["l" * 60] * 5), {}, "makes a host of 304 characters, 253 are allowed"),
    ],
)  # fmt: skip
def test_what_is_no_host(host: str, more: Any, words: str) -> None:
    (problem,) = problems(settings(host=host, more=more), 80 if more else 1)
    assert problem.startswith(f"{P}host {words}"), problem


def test_the_longest_host_is_the_last_users() -> None:
    host = f"{'l' * 58}-{{user}}.example.com"
    assert problems(settings(host=host, more={**USERS, "user_prefix": "dev"}), 9) == []
    (problem,) = problems(settings(host=host, more={**USERS, "user_prefix": "dev"}), 10)
    assert "is no host name" in problem


PLAIN = {"cluster.routes": False, "cluster.openshift": False}


@pytest.mark.parametrize(
    ("key", "route", "words"),
    [
        ("", {"tls_secret": "llm-tls"}, None),
        (PAIR.key, {"host": "llm.example.com", "tls_certificate": PAIR.certificate}, None),
        (PAIR.key, {"host": "llm.example.com", "tls_certificate": PAIR.certificate, "ca": AUTHORITY.pem}, None),
        (WILDCARD.key, {"host": "{user}.example.com", "tls_certificate": WILDCARD.certificate, "more": USERS}, None),
        ("", {"ca": AUTHORITY.pem}, None),  # of a certificate that the router has
        ("", {"ca": "/no/such/file.pem"}, "ca cannot be read. "),
        ("", {"ca": "-----BEGIN RUBBISH-----"}, "ca holds no certificate"),
        (PAIR.key, {"tls_certificate": PAIR.certificate}, "tls_certificate is for llm.example.com, and not for litellm-rhpds.apps.example.com"),
        (PAIR.key, {}, "tls_certificate is empty where "),
        ("", {"tls_certificate": PAIR.certificate}, "tls_key is empty where "),
        (PAIR.key, {"tls_secret": "x", "tls_certificate": PAIR.certificate}, "tls_secret is given beside a certificate"),
        (WILDCARD.key, {"host": "llm.example.com", "tls_certificate": PAIR.certificate}, "tls_key is not that of the certificate"),
        (PAIR.key, {"host": "llm.example.com", "tls_certificate": PAIR.certificate, "ca": Authority("x").pem},
         "tls_certificate is not signed by those who are to be trusted"),
        ("", {"tls_secret": "llm_tls"}, "tls_secret is no name of a Secret"),
        ("", {"tls_secret": "x", "more": {"cluster.kubernetes_version": "v1.31.7"}}, "tls_secret needs OpenShift 4.19 or newer"),
        ("", {"tls_secret": "x", "more": {"cluster.kubernetes_version": "v1.32.0"}}, None),
        ("", {"tls_secret": "x", "more": {**PLAIN, "cluster.kubernetes_version": "v1.28.0"}}, None),
        ("", {"tls_secret": "x", "more": {**PLAIN, "cluster.apps_domain": ""}}, "tls_secret is given for gateways without an address"),
    ],
)  # fmt: skip
def test_certificates(key: str, route: Any, words: str | None) -> None:
    users = 80 if "multi_user" in route.get("more", {}) else 1
    found = problems(settings(key, **route), users)
    if words is None:
        assert found == []
    else:
        (problem,) = found
        assert words in problem and problem.startswith(P), problem
        assert all(line not in problem for line in key.splitlines()[1:-1])


def test_a_ca_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(AUTHORITY.pem)
    route = {"host": "llm.example.com", "tls_certificate": PAIR.certificate, "ca": str(file)}
    assert problems(settings(PAIR.key, **route)) == []


def test_what_else_an_address_of_its_own_needs() -> None:
    def traits(**route: Any) -> set[str]:
        return set(_instances.traits(settings(**route)))

    assert traits() == set()
    assert traits(host="llm.example.com") == {"host"}
    assert traits(tls_secret="x") == {"certificate"}
    assert traits(tls_certificate="x") == {"certificate", "secrets"}
    assert traits(host="llm.example.com", tls_secret="x", more=PLAIN) == set()
    assert _exposure.EXTERNAL_CERTIFICATES == (1, 32)


@pytest.mark.parametrize(
    ("config", "warned"),
    [
        ({}, []),
        ({"litellm_settings": {"request_timeout": 600}, "router_settings": {"timeout": 30}}, []),
        (
            {"litellm_settings": {"request_timeout": 900}},
            ["litellm_settings.request_timeout to 900"],
        ),
        ({"router_settings": {"timeout": 600.5}}, ["router_settings.timeout to 600.5"]),
        ({"litellm_settings": "x", "router_settings": {"timeout": "long"}}, []),
        ("no mapping", []),
    ],
)
def test_no_answer_takes_longer_than_the_router_waits(config: Any, warned: list[str]) -> None:
    found = list(_exposure.warnings(settings(more={"litellm.config": config})))
    assert len(found) == len(warned)
    assert all(part in text for part, text in zip(warned, found, strict=True))
    role = Path(__file__).resolve().parents[4] / "roles/ocp4_workload_litemaas/vars/main.yml"
    timeout = yaml.safe_load(role.read_text())["_ocp4_workload_litemaas_route_timeout"]
    assert timeout == _exposure.TIMEOUT
