# SPDX-License-Identifier: MIT
"""What the installer may not do: asked in few requests, told in one problem, granted by two files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _labels,
    _permissions,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

ROOT = Path(__file__).resolve().parents[4]
RULES = {
    kind: yaml.safe_load((ROOT / path).read_text())
    for kind, path in (("cluster", _permissions.CLUSTER_ROLE), ("role", _permissions.ROLE))
}
# In the ClusterRole, and asked for only where it helps: what the cluster is like.
EXTRA = {
    ("", "namespaces", "list"),
    ("config.openshift.io", "authentications", "get"),
    ("config.openshift.io", "clusterversions", "get"),
    ("config.openshift.io", "infrastructures", "get"),
    ("config.openshift.io", "ingresses", "get"),
    ("storage.k8s.io", "storageclasses", "get"),
    ("storage.k8s.io", "storageclasses", "list"),
}
Rule = tuple[str, str, str]


def granted(document: dict[str, Any]) -> set[Rule]:
    return {
        (group, resource, verb)
        for rule in document["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def needed(needs: Iterable[_permissions.Need]) -> set[Rule]:
    return {(need.group, need.resource, verb) for need in needs for verb in need.verbs}


PARTS = tuple(_permissions.OF_PARTS)
NAMESPACED = needed((*_permissions.needs("route", PARTS), *_permissions.needs("ingress")))


class Reviewer:
    """An API server that answers access reviews: allowed((group, resource, verb), namespace).

    *rules*: the document whose rules it tells of; without, its authorizer tells of none.
    """

    def __init__(
        self,
        allowed: Callable[[Rule, str], bool],
        rules: dict[str, Any] | None = None,
        status: int = 201,
    ) -> None:
        self.allowed = allowed
        self.rules = rules
        self.status = status
        self.asked: list[dict[str, str]] = []
        self.requests = 0

    def request(self, method: str, path: str, *, body: Any) -> tuple[int, Any]:
        self.requests += 1
        if self.status == 403:
            raise ApiError("not allowed", status=403)
        if path.endswith("selfsubjectreviews"):
            return 201, {"status": {"userInfo": {"username": "system:serviceaccount:a:b"}}}
        if path.endswith("selfsubjectrulesreviews"):
            assert body["spec"]["namespace"]
            return 201, {"status": {"resourceRules": self.rules["rules"] if self.rules else None}}
        asked = body["spec"]["resourceAttributes"]
        self.asked.append(asked)
        resource = asked["resource"] + (
            f"/{asked['subresource']}" if "subresource" in asked else ""
        )
        rule = (asked.get("group", ""), resource, asked["verb"])
        return 201, {"status": {"allowed": self.allowed(rule, asked.get("namespace", ""))}}

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [function(item) for item in items]


def missing(reviewer: Reviewer, expose: str = "route", **names: list[str]) -> Any:
    wanted = {"absent": [], "ours": [], "others": []} | names
    return _permissions.missing(reviewer, _permissions.needs(expose), **wanted)


def test_the_cluster_role_grants_what_is_needed_and_no_more() -> None:
    assert granted(RULES["cluster"]) == (
        NAMESPACED | needed([_permissions.NAMESPACE]) | needed(_permissions.CAPACITY) | EXTRA
    )


def test_the_role_grants_what_is_needed_in_a_namespace_and_no_more() -> None:
    assert granted(RULES["role"]) == NAMESPACED | needed([_permissions.NAMESPACE_READ])
    assert "namespace" not in RULES["role"]["metadata"]


def test_every_object_of_an_instance_may_be_written() -> None:
    for api_version, kind, _name in _labels.OBJECTS + _labels.ROUTER_OBJECTS:
        group = api_version.rpartition("/")[0]
        plural = _resources.lookup(api_version, kind).plural
        verbs = {verb for rule in NAMESPACED if rule[:2] == (group, plural) for verb in rule[2:]}
        # Whoever lets the router watch a Secret must be allowed to.
        verbs -= {"watch"} if kind == "Secret" else set()
        assert verbs == {"get", "list", "create", "patch", "delete"}, kind


def test_only_who_wants_redis_needs_what_it_needs() -> None:
    without, with_it = (
        needed(_permissions.needs("none", parts)) for parts in ((), ("redis", "config"))
    )
    assert ("", "persistentvolumeclaims", "create") not in without
    assert {("", "persistentvolumeclaims", "create"), ("", "configmaps", "patch")} <= with_it


def test_only_who_wants_pgbouncer_needs_what_it_needs() -> None:
    without, with_it = (needed(_permissions.needs("none", parts)) for parts in ((), ("pgbouncer",)))
    assert ("batch", "jobs", "create") not in without
    assert {("batch", "jobs", "create"), ("", "configmaps", "patch")} <= with_it


def test_only_an_address_of_the_sites_own_needs_what_it_needs() -> None:
    usual = needed(_permissions.needs("route", ("redis", "config", "several", "extra")))
    host, certificate = (
        needed(_permissions.needs("route", [part])) for part in ("host", "certificate")
    )
    assert host - usual == {("route.openshift.io", "routes/custom-host", "update")}
    assert {rule for rule in certificate - usual if rule not in host} == {
        ("", "secrets", "watch"),
        *(
            ("rbac.authorization.k8s.io", resource, verb)
            for resource in ("roles", "rolebindings")
            for verb in ("get", "list", "create", "patch", "delete")
        ),
    }


USERS = [f"litemaas-user{n}" for n in range(1, 81)]


def test_an_administrator_costs_one_request() -> None:
    reviewer = Reviewer(lambda rule, namespace: True)
    assert missing(reviewer, absent=USERS) == []
    assert reviewer.requests == 1


@pytest.mark.parametrize(
    ("kind", "names", "most"),
    [
        # One request that asks for everything, one for the rules, and to create namespaces.
        ("cluster", {"absent": USERS[:1]}, 3),
        ("cluster", {"absent": USERS}, 60),
        ("cluster", {"ours": USERS}, 60),
        ("role", {"others": USERS[:1]}, 2),
        ("role", {"others": USERS}, 2 * 80),
    ],
)
def test_what_it_costs(kind: str, names: dict[str, list[str]], most: int) -> None:
    rules = granted(RULES[kind])
    reviewer = Reviewer(
        lambda rule, namespace: rule in rules and (kind == "cluster" or bool(namespace)),
        RULES[kind],
    )
    assert missing(reviewer, **names) == []
    assert reviewer.requests <= most


def test_rules_for_single_names_do_not_count() -> None:
    question = _permissions.Question("get", "", "secrets", "n")
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}
    assert question.granted([rule])
    assert question.granted([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}])
    assert not question.granted([{**rule, "resourceNames": ["one"]}])
    assert not question.granted([{**rule, "resources": ["secrets/x"]}])
    assert not question.granted([])


def test_the_role_is_enough_where_the_namespace_exists() -> None:
    rules = granted(RULES["role"])
    reviewer = Reviewer(lambda rule, namespace: namespace == "theirs" and rule in rules)
    assert missing(reviewer, others=["theirs"]) == []
    # RBAC counts a Namespace to the Roles in it when its name is asked for.
    (asked,) = [a for a in reviewer.asked if a["resource"] == "namespaces" and "namespace" in a]
    assert asked["name"] == asked["namespace"] == "theirs"


def test_without_rights_one_problem_names_everything() -> None:
    reviewer = Reviewer(lambda rule, namespace: False)
    denied = missing(reviewer, absent=["litemaas"])
    (problem,), warnings = _permissions.problems(denied, "system:serviceaccount:a:b")
    text = str(problem)
    assert text.startswith("permissions of system:serviceaccount:a:b are missing: ")
    for part in (
        "create namespaces in the whole cluster",
        "get, patch, delete namespaces in litemaas",
        "get, list, create, patch, delete secrets in litemaas",
        "get, list, create, patch, delete statefulsets.apps in litemaas",
        "create routes.route.openshift.io/custom-host in litemaas",
        "installer-clusterrole.yml",
    ):
        assert part in text, part
    assert len(warnings) == 7
    words = "get, create, patch services/proxy in litemaas: a gateway is verified"
    assert any(words in each for each in warnings)


def test_what_is_missing_in_one_of_several_namespaces_is_said_of_that_one() -> None:
    rules = granted(RULES["role"])

    def allowed(rule: Rule, namespace: str) -> bool:
        if not namespace or rule not in rules:
            return False
        return not (namespace == "b" and rule == ("", "secrets", "patch"))

    (problem,), warnings = _permissions.problems(missing(Reviewer(allowed), others=["a", "b", "c"]))
    assert str(problem) == (
        "permissions are missing: patch secrets in b. "
        "roles/ocp4_workload_litemaas/files/installer-role.yml grants them in a namespace, "
        "roles/ocp4_workload_litemaas/files/installer-clusterrole.yml in all."
    )
    assert warnings == []


def test_comforts_are_warnings() -> None:
    rules = granted(RULES["cluster"]) - {("", "services/proxy", "get")}
    denied = missing(Reviewer(lambda rule, namespace: rule in rules), absent=["litemaas"])
    problems, (warning,) = _permissions.problems(denied)
    assert problems == []
    assert warning.startswith("Not allowed to get services/proxy in litemaas: a gateway is ")


@pytest.mark.parametrize(
    ("names", "verbs"),
    [
        ({"absent": ["n"]}, {"get", "create", "patch", "delete"}),
        ({"ours": ["n"]}, {"get", "patch", "delete"}),
        ({"others": ["n"]}, {"get"}),
        ({"ours": ["m"], "others": ["n"]}, {"get", "patch", "delete"}),
    ],
)
def test_what_is_done_to_namespaces(names: dict[str, list[str]], verbs: set[str]) -> None:
    reviewer = Reviewer(lambda rule, namespace: rule[1] != "*")
    missing(reviewer, **names)
    assert {a["verb"] for a in reviewer.asked if a["resource"] == "namespaces"} == verbs


def test_routes_and_ingresses_are_asked_for_where_they_are_used() -> None:
    for expose, resource in (("route", "routes"), ("ingress", "ingresses"), ("none", "")):
        reviewer = Reviewer(lambda rule, namespace: rule[1] != "*")
        missing(reviewer, expose, absent=["n"])
        asked = {a["resource"] for a in reviewer.asked} & {"routes", "ingresses"}
        assert asked == ({resource} if resource else set())


def test_who() -> None:
    assert _permissions.who(Reviewer(lambda rule, namespace: True)) == "system:serviceaccount:a:b"
    assert _permissions.who(Reviewer(lambda rule, namespace: True, status=403)) == ""
