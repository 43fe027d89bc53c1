# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels, annotations and names: how an object is known to be ours, and of which deployment.

Internal to rhpds.litemaas: no stable interface for other collections.

A *deployment* is everything one run of the role makes: one instance, or the instances of all
users. An *instance* is one private gateway with its database. Ownership is read from labels and
never from a name, because other collections use the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELD_MANAGER = "rhpds.litemaas"

MANAGED_BY = ("app.kubernetes.io/managed-by", "rhpds.litemaas")
PART_OF = ("app.kubernetes.io/part-of", "litemaas")
DEPLOYMENT = "rhpds.litemaas/deployment"
INSTANCE = "rhpds.litemaas/instance"
# On what an instance has only with some settings; its value says which part of the instance it is.
OPTIONAL = "rhpds.litemaas/optional"

# The part that keeps a record of the others, and the annotation that holds it.
RECORD = "record"
PARTS = "rhpds.litemaas/parts"

# On the gateway's Deployment: the parts that consist of a Secret alone, which is in no manifest.
SECRETS = "rhpds.litemaas/secrets"
# Of the gateway's Deployment, for whoever looks later without knowing how it was deployed: the
# LiteMaaS release, and what it is to be reached by.
VERSION = "rhpds.litemaas/version"
EXPOSE = "rhpds.litemaas/expose"
# On the gateway's pods: what they are made of, by `_revision`.
REVISION = "rhpds.litemaas/revision"
# On the gateway's Deployment: the Job whose migration its pods wait for.
MIGRATION = "rhpds.litemaas/migration"

# What was last sent, so that a second run knows without asking the API server to compare.
APPLIED_HASH = "rhpds.litemaas/applied-hash"

# Every object an instance may own, the Namespace apart: (apiVersion, kind, name). In a namespace
# that was there before us, one of these without our labels is somebody else's and stays untouched.
OBJECTS: tuple[tuple[str, str, str], ...] = (
    ("v1", "ServiceAccount", "litellm"),
    ("v1", "ServiceAccount", "postgres"),
    ("v1", "Secret", "litellm-secret"),
    ("v1", "Secret", "postgres-secret"),
    ("v1", "Secret", "litellm-virtual-keys"),
    ("v1", "Secret", "litellm-user-passwords"),
    ("v1", "Secret", "litellm-tls"),
    ("v1", "Secret", "litemaas-pull-secret"),
    ("v1", "Service", "litellm"),
    ("v1", "Service", "postgres"),
    # Made by the StatefulSet from its template `data`; a foreign one would be mounted as our data.
    ("v1", "PersistentVolumeClaim", "data-postgres-0"),
    ("v1", "ConfigMap", "litellm-ca"),
    ("v1", "ConfigMap", "litellm-config"),
    ("v1", "PersistentVolumeClaim", "redis"),
    ("v1", "Secret", "redis-secret"),
    ("v1", "Service", "redis"),
    ("v1", "ServiceAccount", "redis"),
    ("apps/v1", "Deployment", "redis"),
    ("networking.k8s.io/v1", "NetworkPolicy", "redis"),
    ("v1", "ConfigMap", "pgbouncer"),
    ("v1", "Secret", "pgbouncer-secret"),
    ("v1", "Secret", "database-secret"),
    ("v1", "Service", "pgbouncer"),
    ("v1", "ServiceAccount", "pgbouncer"),
    ("apps/v1", "Deployment", "pgbouncer"),
    ("networking.k8s.io/v1", "NetworkPolicy", "pgbouncer"),
    ("networking.k8s.io/v1", "NetworkPolicy", "pgbouncer-postgres"),
    ("apps/v1", "StatefulSet", "postgres"),
    ("apps/v1", "Deployment", "litellm"),
    ("policy/v1", "PodDisruptionBudget", "litellm"),
    ("networking.k8s.io/v1", "NetworkPolicy", "litellm"),
    ("networking.k8s.io/v1", "NetworkPolicy", "litellm-migration"),
    ("networking.k8s.io/v1", "NetworkPolicy", "postgres"),
    ("networking.k8s.io/v1", "Ingress", "litellm"),
    ("route.openshift.io/v1", "Route", "litellm"),
)
# The same of the LiteMaaS application: names that others use too, so only where it is wanted.
APPLICATION: tuple[tuple[str, str, str], ...] = (
    ("v1", "ConfigMap", "litemaas-database"),
    ("v1", "Secret", "backend-secret"),
    ("v1", "Secret", "backend-oauth-token"),
    *(
        (api_version, kind, name)
        for name in ("backend", "frontend")
        for api_version, kind in (
            ("v1", "ServiceAccount"),
            ("v1", "Service"),
            ("apps/v1", "Deployment"),
            ("networking.k8s.io/v1", "NetworkPolicy"),
        )
    ),
    ("networking.k8s.io/v1", "NetworkPolicy", "backend-database"),
    ("networking.k8s.io/v1", "Ingress", "frontend"),
    ("route.openshift.io/v1", "Route", "frontend"),
)


def objects(application: bool) -> tuple[tuple[str, str, str], ...]:
    """All that an instance may own, with or without the LiteMaaS application."""
    return OBJECTS + APPLICATION if application else OBJECTS


# With a certificate behind a Route. Nobody lists these kinds beforehand: a foreign one is refused when
# ours is applied.
ROUTER_OBJECTS: tuple[tuple[str, str, str], ...] = (
    ("rbac.authorization.k8s.io/v1", "Role", "litellm-certificate"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "litellm-certificate"),
)


def ownership(deployment: str, instance: str) -> dict[str, str]:
    """The labels that every object of *instance* carries."""
    return {
        MANAGED_BY[0]: MANAGED_BY[1],
        PART_OF[0]: PART_OF[1],
        DEPLOYMENT: deployment,
        INSTANCE: instance,
    }


def ownership_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """Those of the labels of ``ownership`` that an object carries, with its values."""
    carried = of(obj)
    return {name: carried[name] for name in ownership("", "") if name in carried}


def deployment_labels(deployment: str) -> dict[str, str]:
    """The labels that select everything of *deployment*, whatever the instance."""
    return {MANAGED_BY[0]: MANAGED_BY[1], DEPLOYMENT: deployment}


def selector(labels: Mapping[str, str]) -> str:
    """*labels* as the API's ``labelSelector``."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def of(obj: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a live object (``{}`` when it has none)."""
    return (obj.get("metadata") or {}).get("labels") or {}


def is_ours(obj: Mapping[str, Any], deployment: str = "") -> bool:
    """Whether a live object is this collection's and, when given, of that *deployment*."""
    labels = of(obj)
    if labels.get(MANAGED_BY[0]) != MANAGED_BY[1]:
        return False
    return not deployment or labels.get(DEPLOYMENT) == deployment
