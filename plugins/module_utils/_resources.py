# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From apiVersion and kind to the path on the API server.

Internal to rhpds.litemaas: no stable interface for other collections.

The kinds this collection sends and reads are known, so discovery (dozens of requests, a second and
more) is replaced by a table; it remains for a kind that is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client


class Resource(NamedTuple):
    """How a kind appears in paths."""

    plural: str
    namespaced: bool


def _kinds(
    api_version: str, namespaced: str = "", cluster: str = ""
) -> dict[tuple[str, str], Resource]:
    """Read "Kind:plural Kind:plural"."""
    found = {}
    for text, in_namespace in ((namespaced, True), (cluster, False)):
        for entry in text.split():
            kind, plural = entry.split(":")
            found[api_version, kind] = Resource(plural, in_namespace)
    return found


# Kinds found by discovery or defined by the manifests are added: a module process talks to one cluster and ends.
KINDS: dict[tuple[str, str], Resource] = {
    **_kinds(
        "v1",
        "ConfigMap:configmaps Endpoints:endpoints Event:events LimitRange:limitranges "
        "PersistentVolumeClaim:persistentvolumeclaims Pod:pods ResourceQuota:resourcequotas "
        "Secret:secrets Service:services ServiceAccount:serviceaccounts",
        "Namespace:namespaces Node:nodes PersistentVolume:persistentvolumes",
    ),
    **_kinds(
        "apps/v1",
        "DaemonSet:daemonsets Deployment:deployments ReplicaSet:replicasets "
        "StatefulSet:statefulsets",
    ),
    **_kinds("batch/v1", "CronJob:cronjobs Job:jobs"),
    **_kinds("autoscaling/v2", "HorizontalPodAutoscaler:horizontalpodautoscalers"),
    **_kinds("discovery.k8s.io/v1", "EndpointSlice:endpointslices"),
    **_kinds("networking.k8s.io/v1", "Ingress:ingresses NetworkPolicy:networkpolicies"),
    **_kinds("networking.k8s.io/v1", cluster="IngressClass:ingressclasses"),
    **_kinds("policy/v1", "PodDisruptionBudget:poddisruptionbudgets"),
    **_kinds(
        "rbac.authorization.k8s.io/v1",
        "Role:roles RoleBinding:rolebindings",
        "ClusterRole:clusterroles ClusterRoleBinding:clusterrolebindings",
    ),
    **_kinds(
        "storage.k8s.io/v1",
        "CSIStorageCapacity:csistoragecapacities",
        "CSIDriver:csidrivers CSINode:csinodes StorageClass:storageclasses "
        "VolumeAttachment:volumeattachments",
    ),
    **_kinds("scheduling.k8s.io/v1", cluster="PriorityClass:priorityclasses"),
    **_kinds(
        "apiextensions.k8s.io/v1", cluster="CustomResourceDefinition:customresourcedefinitions"
    ),
    **_kinds(
        "authorization.k8s.io/v1",
        "LocalSubjectAccessReview:localsubjectaccessreviews",
        "SelfSubjectAccessReview:selfsubjectaccessreviews "
        "SelfSubjectRulesReview:selfsubjectrulesreviews",
    ),
    **_kinds("authentication.k8s.io/v1", cluster="SelfSubjectReview:selfsubjectreviews"),
    **_kinds("quota.openshift.io/v1", "AppliedClusterResourceQuota:appliedclusterresourcequotas"),
    **_kinds("metrics.k8s.io/v1beta1", "PodMetrics:pods", "NodeMetrics:nodes"),
    **_kinds(
        "monitoring.coreos.com/v1",
        "PodMonitor:podmonitors PrometheusRule:prometheusrules ServiceMonitor:servicemonitors",
    ),
    **_kinds("route.openshift.io/v1", "Route:routes"),
    **_kinds("serving.kserve.io/v1beta1", "InferenceService:inferenceservices"),
    **_kinds(
        "config.openshift.io/v1",
        cluster="ClusterOperator:clusteroperators ClusterVersion:clusterversions DNS:dnses "
        "Infrastructure:infrastructures Ingress:ingresses Network:networks OAuth:oauths",
    ),
}


def group_path(api_version: str) -> str:
    """``v1`` → ``/api/v1``, ``apps/v1`` → ``/apis/apps/v1``."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def lookup(api_version: str, kind: str) -> Resource:
    """Return the table's entry. Raises LitemaasError for a kind that was never resolved."""
    try:
        return KINDS[api_version, kind]
    except KeyError:
        raise LitemaasError(f"The kind {kind} of {api_version} is not known here.") from None


def collection_path(api_version: str, kind: str, namespace: str | None = None) -> str:
    """Return the path of all objects of a kind: in one namespace, or in the whole cluster."""
    resource = lookup(api_version, kind)
    inside = f"/namespaces/{quote(namespace, safe='')}" if namespace and resource.namespaced else ""
    return f"{group_path(api_version)}{inside}/{resource.plural}"


def object_path(obj: Mapping[str, Any]) -> str:
    """Return the path of one object, from its apiVersion, kind, metadata.namespace and .name."""
    metadata = obj["metadata"]
    collection = collection_path(obj["apiVersion"], obj["kind"], metadata.get("namespace"))
    return f"{collection}/{quote(metadata['name'], safe='')}"


def resolve(client: Client, api_version: str, kind: str) -> Resource:
    """Return a kind's entry, asking the server when the table has none.

    Raises LitemaasError when the cluster does not have the kind.
    """
    known = KINDS.get((api_version, kind))
    if known:
        return known
    found = client.find(group_path(api_version)) or {}
    for entry in found.get("resources") or ():
        if "/" not in entry["name"]:  # deployments/scale is a subresource
            KINDS.setdefault(
                (api_version, entry["kind"]), Resource(entry["name"], entry["namespaced"])
            )
    if (api_version, kind) not in KINDS:
        raise LitemaasError(
            f"This cluster has no kind {kind} in {api_version}: check the spelling, or install the "
            "operator or CustomResourceDefinition that brings it."
        )
    return KINDS[api_version, kind]


def declare(definition: Mapping[str, Any]) -> None:
    """Add the kinds that a CustomResourceDefinition brings: the same text may use them."""
    try:
        spec = definition["spec"]
        resource = Resource(spec["names"]["plural"], spec["scope"] == "Namespaced")
        for version in spec["versions"]:
            key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
            KINDS.setdefault(key, resource)
    except (KeyError, TypeError):
        return  # no definition: the server says what is wrong with it


def exists(client: Client, api_version: str, kind: str) -> bool:
    """Whether the cluster serves a kind: one request, whatever the table says."""
    found = client.find(group_path(api_version)) or {}
    return any(entry["kind"] == kind for entry in found.get("resources") or ())
