# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the installer must be allowed to do, and which of it it may not.

Internal to rhpds.litemaas: no stable interface for other collections.

The table is the same as in the ClusterRole and the Role that the collection ships (a test compares
them). The API server answers with SelfSubjectAccessReviews, so whatever authorizer it uses counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import Problem, listed

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

FILES = "roles/ocp4_workload_litemaas/files"
CLUSTER_ROLE = f"{FILES}/installer-clusterrole.yml"
ROLE = f"{FILES}/installer-role.yml"

# From this many namespaces on, asking about the whole cluster first is cheaper.
_MANY = 20
# Server-side apply is a patch that must also be allowed to create, where there is nothing yet.
_WRITTEN = ("get", "list", "create", "patch", "delete")


@dataclass(frozen=True)
class Need:
    """Verbs on one resource; ``resource`` may be ``pods/log``, ``group`` is empty for core."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    without: str = ""
    """What happens without it; empty when nothing works without it."""


NAMESPACE = Need("", "namespaces", ("get", "create", "patch", "delete"))
NAMESPACE_READ = Need("", "namespaces", ("get",))
IN_NAMESPACE: tuple[Need, ...] = (
    Need("", "secrets", _WRITTEN),
    Need("", "serviceaccounts", _WRITTEN),
    Need("", "services", _WRITTEN),
    Need("apps", "deployments", _WRITTEN),
    Need("apps", "statefulsets", _WRITTEN),
    Need("networking.k8s.io", "networkpolicies", _WRITTEN),
    # Made by the StatefulSet; ours to remove.
    Need("", "persistentvolumeclaims", ("get", "list", "delete")),
    Need("", "pods", ("get", "list")),
    Need("apps", "replicasets", ("list",), "why a quota refuses pods is not told"),
    Need("", "events", ("list",), "why something is not ready is told less well"),
    Need("", "pods/log", ("get",), "the last line of a crashing pod's log is not told"),
    Need("", "resourcequotas", ("list",), "a quota that is too small shows only later"),
    Need("", "limitranges", ("list",), "a limit range that refuses shows only later"),
    Need(
        "",
        "services/proxy",
        ("get", "create", "patch"),
        "a gateway is verified, and given models and keys, through its address or not at all",
    ),
)
# OpenShift has Routes, and these with them.
ROUTES: tuple[Need, ...] = (
    Need("route.openshift.io", "routes", _WRITTEN),
    # OpenShift lets only those set spec.host who may do this.
    Need("route.openshift.io", "routes/custom-host", ("create",)),
    Need(
        "quota.openshift.io",
        "appliedclusterresourcequotas",
        ("list",),
        "a quota over several namespaces that is too small shows only later",
    ),
)
INGRESSES: tuple[Need, ...] = (Need("networking.k8s.io", "ingresses", _WRITTEN),)
# In the whole cluster, to tell beforehand whether it has room. Nobody asks whether this is allowed:
# the attempt tells.
CAPACITY: tuple[Need, ...] = (
    Need("", "nodes", ("list",), "whether the cluster has room is unknown"),
    Need("", "pods", ("list",), "whether the cluster has room is unknown"),
    Need("storage.k8s.io", "csinodes", ("list",), "how many volumes a node takes is unknown"),
    Need(
        "storage.k8s.io",
        "volumeattachments",
        ("list",),
        "how many volumes the nodes have already is unknown",
    ),
    Need("storage.k8s.io", "csistoragecapacities", ("list",)),
    Need("autoscaling.openshift.io", "machineautoscalers", ("list",)),
)


@dataclass(frozen=True)
class Question:
    """One thing to be allowed: a verb on a resource, in a namespace or (empty) in all of them."""

    verb: str
    group: str
    resource: str
    namespace: str
    without: str = ""

    def granted(self, rules: Iterable[Mapping[str, Any]]) -> bool:
        """Whether rules of RBAC allow it; those for single names do not count."""
        return any(
            _holds(rule.get("verbs"), self.verb)
            and _holds(rule.get("apiGroups"), self.group)
            and _holds(rule.get("resources"), self.resource)
            and not rule.get("resourceNames")
            for rule in rules
        )

    def review(self) -> dict[str, object]:
        """As a SelfSubjectAccessReview."""
        resource, _slash, subresource = self.resource.partition("/")
        attributes = {
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace,
            # RBAC grants a Namespace to the Roles inside it, when it is asked for by name.
            "name": self.namespace if resource == "namespaces" else "",
        }
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: text for key, text in attributes.items() if text}},
        }


# What only some parts need; each of them a ConfigMap that keeps a record of it.
_RECORD = Need("", "configmaps", _WRITTEN)
_CUSTOM_HOST = Need("route.openshift.io", "routes/custom-host", ("create", "update"))
OF_PARTS: dict[str, tuple[Need, ...]] = {
    "config": (_RECORD,),
    "extra": (_RECORD,),
    "secrets": (_RECORD,),
    # Choosing another host or certificate for a Route that is there.
    "host": (_CUSTOM_HOST,),
    "certificate": (
        _RECORD,
        _CUSTOM_HOST,
        # Nobody may grant the router what he may not do himself.
        Need("", "secrets", ("get", "list", "watch")),
        Need("rbac.authorization.k8s.io", "roles", _WRITTEN),
        Need("rbac.authorization.k8s.io", "rolebindings", _WRITTEN),
    ),
    "several": (
        _RECORD,
        Need("batch", "jobs", _WRITTEN),
        Need("policy", "poddisruptionbudgets", _WRITTEN),
    ),
    "redis": (_RECORD, Need("", "persistentvolumeclaims", ("create", "patch"))),
    "pgbouncer": (_RECORD, Need("batch", "jobs", _WRITTEN)),
    "external_database": (_RECORD,),
    "backend": (_RECORD,),
}


def needs(expose: str, parts: Iterable[str] = ()) -> tuple[Need, ...]:
    """What is needed in the namespace of an instance that is exposed so and has these *parts*."""
    exposed = {"route": ROUTES, "ingress": INGRESSES}.get(expose, ())
    more = (need for part in parts for need in OF_PARTS.get(part, ()))
    return tuple(dict.fromkeys((*IN_NAMESPACE, *exposed, *more)))


def missing(
    client: Client,
    wanted: Sequence[Need],
    *,
    absent: Sequence[str],
    ours: Sequence[str],
    others: Sequence[str],
) -> list[Question]:
    """Ask the API server, and return what it does not allow.

    :param wanted: from :func:`needs`.
    :param absent: namespaces that will be created.
    :param ours: namespaces that an earlier run created.
    :param others: namespaces of others that are used as they are.

    An administrator is known by one request. With many namespaces the rights in the whole cluster
    are asked for first, some fifty requests whatever their number. What is left is looked up in
    the rules that apply in each namespace, one request each; only what they do not grant is asked
    for by itself, because an authorizer need not have rules.
    """
    if not _denied(client, [Question("*", "*", "*", "")]):
        return []
    homes = (*absent, *ours, *others)
    namespaces = NAMESPACE if absent or ours else NAMESPACE_READ
    general = [each for need in (namespaces, *wanted) for each in _questions(need)]
    if len(homes) > _MANY:
        general = _denied(client, general)
    left = []
    for each in general:
        if each.resource != "namespaces" or each.verb == "get":
            left += [replace(each, namespace=name) for name in homes]
        elif each.verb != "create":
            left += [replace(each, namespace=name) for name in (*absent, *ours)]
        elif absent:
            left.append(each)
    rules = _rules(client, sorted({each.namespace for each in left} - {""}))
    return _denied(
        client, [each for each in left if not each.granted(rules.get(each.namespace, ()))]
    )


def problems(denied: Iterable[Question], user: str = "") -> tuple[list[Problem], list[str]]:
    """One problem for everything without which nothing works, and a warning for each comfort."""
    denied = list(denied)
    warnings = [
        f"Not allowed to {what}: {without}. {CLUSTER_ROLE} grants it."
        for what, without in _words(question for question in denied if question.without)
    ]
    lacking = [what for what, _without in _words(each for each in denied if not each.without)]
    if not lacking:
        return [], warnings
    whole = any(question.resource == "namespaces" and question.verb != "get" for question in denied)
    grant = (
        f"{CLUSTER_ROLE} grants them"
        if whole
        else f"{ROLE} grants them in a namespace, {CLUSTER_ROLE} in all"
    )
    who = f" of {user}" if user else ""
    problem = f"{who.strip()} are missing: {'; '.join(lacking)}".strip()
    return [Problem("permissions", problem, f"{grant}.")], warnings


def unseen(resources: Iterable[str]) -> Iterator[str]:
    """A warning for each thing unknown because *resources* of :data:`CAPACITY` may not be listed."""
    lacking = set(resources)
    found: dict[str, list[str]] = {}
    for need in CAPACITY:
        if need.resource in lacking and need.without:
            full = f"{need.resource}.{need.group}" if need.group else need.resource
            found.setdefault(need.without, []).append(full)
    for without, names in found.items():
        what = " and ".join(names)
        yield f"Not allowed to list {what} in the whole cluster: {without}. {CLUSTER_ROLE} grants it."


def who(client: Client) -> str:
    """The name the API server knows us by; empty where it does not tell (before 1.28)."""
    try:
        _status, review = client.request(
            "POST",
            _resources.collection_path("authentication.k8s.io/v1", "SelfSubjectReview"),
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        )
    except ApiError:
        return ""
    return review.get("status", {}).get("userInfo", {}).get("username", "")


def _questions(need: Need) -> list[Question]:
    return [Question(verb, need.group, need.resource, "", need.without) for verb in need.verbs]


def _rules(client: Client, namespaces: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """The rules that the API server knows for us in each namespace; none where it tells none."""
    path = _resources.collection_path("authorization.k8s.io/v1", "SelfSubjectRulesReview")
    head = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}

    def rules(namespace: str) -> list[Mapping[str, Any]]:
        body = {**head, "spec": {"namespace": namespace}}
        _status, review = client.request("POST", path, body=body)
        return (review.get("status") or {}).get("resourceRules") or []

    answers = client.each(rules, namespaces)
    return {
        namespace: [] if isinstance(answer, LitemaasError) else answer
        for namespace, answer in zip(namespaces, answers, strict=True)
    }


def _denied(client: Client, questions: list[Question]) -> list[Question]:
    path = _resources.collection_path("authorization.k8s.io/v1", "SelfSubjectAccessReview")

    def denied(question: Question) -> bool:
        _status, review = client.request("POST", path, body=question.review())
        return not review["status"].get("allowed")

    answers = client.each(denied, questions)
    for answer in answers:
        if isinstance(answer, LitemaasError):
            raise answer
    return [question for question, no in zip(questions, answers, strict=True) if no]


def _holds(patterns: Iterable[str] | None, text: str) -> bool:
    return any(pattern in ("*", text) for pattern in patterns or ())


def _words(denied: Iterable[Question]) -> list[tuple[str, str]]:
    """(``create and patch secrets in litemaas``, what happens without) for each resource."""
    verbs: dict[tuple[str, str, str, str], list[str]] = {}
    for each in denied:
        key = (each.group, each.resource, each.namespace, each.without)
        verbs.setdefault(key, []).append(each.verb)
    homes: dict[tuple[str, str, str, str], list[str]] = {}
    for (group, resource, namespace, without), names in verbs.items():
        homes.setdefault((", ".join(names), group, resource, without), []).append(namespace)
    words = []
    for (names_text, group, resource, without), namespaces in homes.items():
        name, slash, sub = resource.partition("/")
        full = f"{name}.{group}{slash}{sub}" if group else resource
        where = f"in {listed(namespaces)}" if all(namespaces) else "in the whole cluster"
        words.append((f"{names_text} {full} {where}", without))
    return words
