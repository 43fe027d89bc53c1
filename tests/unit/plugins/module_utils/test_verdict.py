# SPDX-License-Identifier: MIT
"""Every kind of object in every state, as a row: what is said of it, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import Observation
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_claim import claim_verdict
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_exposure import (
    ingress_verdict,
    namespace_verdict,
    route_verdict,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_instance import (
    Details,
    instance_verdicts,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_pod import pod_verdict
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_workload import (
    deployment_verdict,
    refused,
    stateful_set_verdict,
)

FIXTURES = Path(__file__).parent / "fixtures/readiness"


def table(name: str) -> list[Any]:
    """The rows of a fixture, each with its name."""
    cases = yaml.safe_load((FIXTURES / f"{name}.yml").read_text())
    return [pytest.param(case, id=case["case"]) for case in cases]


def check(verdict: v.Verdict, expected: dict[str, Any]) -> None:
    assert verdict.severity is v.Severity[expected["severity"]], verdict
    assert verdict.phase == expected["phase"]
    assert verdict.patience == expected.get("patience")
    assert (verdict.patience is not None) is (verdict.severity is v.Severity.PERMANENT)
    for fragment in expected.get("reason", ()):
        assert fragment in verdict.reason
    for fragment in expected.get("without", ()):
        assert fragment not in verdict.reason
    assert verdict.reason == expected.get("reason_is", verdict.reason)
    assert bool(verdict.reason) is not verdict.ready
    if "log" in expected:
        assert verdict.log is not None
        assert verdict.log.previous is (expected["log"] == "previous")


@pytest.mark.parametrize("case", table("pods"))
def test_pod(case: dict[str, Any]) -> None:
    check(pod_verdict(case["pod"], "litellm", case.get("events", ())), case["expected"])


@pytest.mark.parametrize("case", table("deployments"))
def test_deployment(case: dict[str, Any]) -> None:
    verdict = deployment_verdict(
        case["deployment"],
        case.get("replica_sets", ()),
        case.get("pods", ()),
        (),
        case.get("events", ()),
    )
    check(verdict, case["expected"])
    assert verdict.component == "litellm"


@pytest.mark.parametrize("case", table("stateful_sets"))
def test_stateful_set(case: dict[str, Any]) -> None:
    verdict = stateful_set_verdict(
        case["stateful_set"], case.get("pods", ()), case.get("claims", ()), case.get("events", ())
    )
    check(verdict, case["expected"])
    assert verdict.component == "postgres"


@pytest.mark.parametrize("case", table("claims"))
def test_claim(case: dict[str, Any]) -> None:
    check(claim_verdict(case["claim"], "postgres", case.get("events", ())), case["expected"])


@pytest.mark.parametrize("case", table("routes"))
def test_route(case: dict[str, Any]) -> None:
    check(route_verdict(case["route"], case.get("holder", "")), case["expected"])


def test_ingress_counts_when_it_exists() -> None:
    assert ingress_verdict({"metadata": {"name": "litellm"}}).ready
    going = {"metadata": {"name": "litellm", "deletionTimestamp": "2026-11-23T08:00:00Z"}}
    assert ingress_verdict(going).phase == v.TERMINATING


@pytest.mark.parametrize(
    ("namespace", "phase", "fragment"),
    [
        (None, v.ABSENT, "namespace n does not exist"),
        ({"metadata": {"name": "n"}, "status": {"phase": "Active"}}, v.READY, ""),
        (
            {
                "metadata": {"name": "n", "deletionTimestamp": "2026-11-23T08:00:00Z"},
                "status": {
                    "phase": "Terminating",
                    "conditions": [
                        {
                            "type": "NamespaceFinalizersRemaining",
                            "status": "True",
                            "message": "Some content in the namespace has finalizers remaining: x/y",
                        },
                        {"type": "NamespaceContentRemaining", "status": "False", "message": "none"},
                    ],
                },
            },
            v.TERMINATING,
            "namespace n is being deleted (Some content in the namespace has finalizers",
        ),
    ],
)
def test_namespace(namespace: Any, phase: str, fragment: str) -> None:
    verdict = namespace_verdict(namespace, "n")
    assert verdict.phase == phase
    assert fragment in verdict.reason


@pytest.mark.parametrize(
    ("said", "severity", "fragment"),
    [
        ('pods "x-" is forbidden: exceeded quota: q', "TROUBLE", "raise the ResourceQuota"),
        ("failed quota: q: must specify limits.memory for: litellm", "PERMANENT", "wants requests"),
        (
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
            "PERMANENT",
            "LimitRange does not allow",
        ),
        ('failed calling webhook "x": connection refused', "TROUBLE", "cannot be created"),
        (
            'error looking up service account litemaas/litellm: serviceaccount "litellm" not found',
            "TROUBLE",
            "service account",
        ),
    ],
)
def test_refused(said: str, severity: str, fragment: str) -> None:
    verdict = refused("litellm", said)
    assert verdict.severity is v.Severity[severity]
    assert fragment in verdict.reason


def seen(**objects: Any) -> Observation:
    observation = Observation()
    for kind, obj in objects.items():
        observation.add({**obj, "kind": kind})
    return observation


def row(name: str, case: str, key: str) -> dict[str, Any]:
    return next(c.values[0][key] for c in table(name) if c.id == case)


INSTANCE = {"name": "litemaas", "namespace": "litemaas", "expose": "route"}
DEPLOYMENT = row("deployments", "rolled out", "deployment")
STATEFUL_SET = row("stateful_sets", "rolled out", "stateful_set")
ROUTE = row("routes", "admitted", "route")


def test_an_instance_is_ready_when_all_its_parts_are() -> None:
    observation = seen(Deployment=DEPLOYMENT, StatefulSet=STATEFUL_SET, Route=ROUTE)
    verdicts = instance_verdicts(INSTANCE, observation)
    assert [verdict.component for verdict in verdicts] == ["postgres", "litellm", "route"]
    assert v.worst(verdicts).ready


@pytest.mark.parametrize(
    ("objects", "expose", "reason"),
    [
        ({}, "none", "StatefulSet postgres does not exist in namespace litemaas"),
        ({"StatefulSet": STATEFUL_SET}, "none", "Deployment litellm does not exist"),
        ({"StatefulSet": STATEFUL_SET, "Deployment": DEPLOYMENT}, "route", "Route litellm does"),
        (
            {"StatefulSet": STATEFUL_SET, "Deployment": DEPLOYMENT},
            "ingress",
            "Ingress litellm does",
        ),
    ],
)
def test_what_is_missing_is_named(objects: dict[str, Any], expose: str, reason: str) -> None:
    verdict = v.worst(instance_verdicts({**INSTANCE, "expose": expose}, seen(**objects)))
    assert (verdict.severity, verdict.phase) == (v.Severity.PERMANENT, v.ABSENT)
    assert reason in verdict.reason


def test_further_workloads_of_an_instance_count() -> None:
    cache = {**DEPLOYMENT, "metadata": {**DEPLOYMENT["metadata"], "name": "redis"}, "status": {}}
    observation = seen(Deployment=DEPLOYMENT, StatefulSet=STATEFUL_SET, Route=ROUTE)
    observation.add({**cache, "kind": "Deployment"})
    verdicts = instance_verdicts(INSTANCE, observation)
    assert [verdict.component for verdict in verdicts] == ["postgres", "redis", "litellm", "route"]
    assert v.worst(verdicts).component == "redis"


def test_nobody_waits_for_what_was_switched_off() -> None:
    metadata = {
        **DEPLOYMENT["metadata"],
        "name": "redis",
        "labels": {"rhpds.litemaas/optional": "redis"},
    }
    observation = seen(Deployment=DEPLOYMENT, StatefulSet=STATEFUL_SET, Route=ROUTE)
    observation.add({**DEPLOYMENT, "metadata": metadata, "status": {}, "kind": "Deployment"})
    assert v.worst(instance_verdicts({**INSTANCE, "switched_off": ["redis"]}, observation)).ready
    for wanted in ({"switched_off": []}, {}):  # status knows no plan: what is there counts
        verdict = v.worst(instance_verdicts({**INSTANCE, **wanted}, observation))
        assert verdict.component == "redis"


def test_nobody_waits_for_a_database_whose_place_one_of_the_sites_takes() -> None:
    outside = {**INSTANCE, "external_database": {"name": "db"}}
    observation = seen(Deployment=DEPLOYMENT, Route=ROUTE)
    assert v.worst(instance_verdicts(outside, observation)).ready
    observation.add({**STATEFUL_SET, "kind": "StatefulSet", "status": {}})
    assert v.worst(instance_verdicts(outside, observation)).ready
    assert not v.worst(instance_verdicts(INSTANCE, observation)).ready


def test_a_namespace_that_goes_away_explains_what_is_missing() -> None:
    going = {"metadata": {"name": "litemaas"}, "status": {"phase": "Terminating"}}
    details = Details(namespace=going, namespace_read=True)
    verdict = v.worst(instance_verdicts(INSTANCE, seen(), details))
    assert verdict.phase == v.TERMINATING
    assert "deploy again" in verdict.reason


def test_what_may_not_be_read_is_said() -> None:
    observation = seen()
    observation.unreadable["litemaas"] = "Not allowed (403): cannot list deployments"
    (verdict,) = instance_verdicts(INSTANCE, observation)
    assert (verdict.phase, verdict.patience) == (v.UNKNOWN, 0)


def test_the_cause_wins_over_the_consequence_and_the_final_over_the_passing() -> None:
    database = v.trouble("postgres", v.PENDING, "no node")
    gateway = v.trouble("litellm", v.CRASHING, "cannot connect")
    host = v.permanent("route", v.EXPOSING, "claimed", 15)
    assert v.worst([v.ready("x"), database, gateway]) is database
    assert v.worst([database, gateway, host]) is host


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("a\n  b", 10, "a b"), ("abcdefghij", 10, "abcdefghij"), ("abcdefghijk", 10, "abcdefghi…")],
)
def test_brief(text: str, limit: int, expected: str) -> None:
    assert v.brief(text, limit) == expected


def test_an_application_is_ready_with_both_its_parts_and_its_route() -> None:
    def named(obj: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
        return {**obj, "kind": kind, "metadata": {**obj["metadata"], "name": name}}

    observation = seen(Deployment=DEPLOYMENT, StatefulSet=STATEFUL_SET, Route=ROUTE)
    for name in ("backend", "frontend"):
        observation.add(named(DEPLOYMENT, name, "Deployment"))
    wanted = {**INSTANCE, "frontend": {"host": "front.example.com"}}
    verdicts = instance_verdicts(wanted, observation)
    assert [verdict.component for verdict in verdicts] == [
        *("postgres", "litellm", "backend", "frontend", "route", "frontend route")
    ]
    assert (v.worst(verdicts).component, v.worst(verdicts).phase) == ("frontend route", v.ABSENT)
    assert v.worst(instance_verdicts({**INSTANCE, "frontend": None}, observation)).ready
    observation.add(named(ROUTE, "frontend", "Route"))
    assert v.worst(instance_verdicts(wanted, observation)).ready
