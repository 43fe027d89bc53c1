# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a deployment: the options of the ``plan`` module and their types.

Internal to rhpds.litemaas: no stable interface for other collections.

Every option stands for one role variable, named by ``_problem.variable`` of its path. Sizes and
images have no default here: the role's defaults are the only place where they are written down.
"""

from __future__ import annotations

from typing import Any, TypedDict

PARTS = ("litellm", "postgres")
OPTIONAL_PARTS = ("redis", "pgbouncer", "backend", "frontend")
SHARED = "shared"
TENANCIES = ("dedicated", SHARED)
SIZES = ("cpu_request", "cpu_limit", "memory_request", "memory_limit")

_SIZE_SPEC: dict[str, Any] = {name: {"type": "str", "required": True} for name in SIZES}

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "cluster": {
        "type": "dict",
        "options": {
            "platform": {"type": "str", "default": ""},
            "apps_domain": {"type": "str", "default": ""},
            "routes": {"type": "bool", "required": True},
            "openshift": {"type": "bool", "required": True},
            "kubernetes_version": {"type": "str", "default": ""},
        },
    },
    "cluster_domain": {"type": "str", "default": ""},
    "namespace": {"type": "str", "required": True},
    "use_existing_namespace": {"type": "bool", "default": False},
    "version": {"type": "str", "required": True},
    "cloud_provider": {"type": "str", "default": ""},
    "route_name": {"type": "str", "required": True},
    "route": {
        "type": "dict",
        "apply_defaults": True,
        "options": {
            "host": {"type": "str", "default": ""},
            "tls_secret": {"type": "str", "default": "", "no_log": False},
            "tls_certificate": {"type": "str", "default": ""},
            "ca": {"type": "str", "default": ""},
        },
    },
    "multi_user": {"type": "bool", "default": False},
    "num_users": {"type": "raw"},
    "user_prefix": {"type": "str", "default": "user"},
    "tenancy": {"type": "str", "default": "dedicated"},
    "shared_limits": {"type": "dict", "default": {}},
    "allow_unsafe_image": {"type": "bool", "default": False},
    "image_registry": {"type": "str", "default": ""},
    "image_pull_secret": {"type": "str", "default": "", "no_log": False},
    "egress": {"type": "str", "default": "open"},
    "egress_allow": {"type": "raw", "default": []},
    "ignore_capacity": {"type": "bool", "default": False},
    "extra_manifests": {"type": "raw", "default": []},
    "deploy_redis": {"type": "bool", "default": False},
    "deploy_pgbouncer": {"type": "bool", "default": False},
    "database_secret": {"type": "dict", "default": {}, "no_log": False},
    "deploy_frontend": {"type": "bool", "default": False},
    "deploy_backend": {"type": "bool", "default": False},
    "oauth_enabled": {"type": "bool", "default": False},
    "litellm": {
        "type": "dict",
        "required": True,
        "options": {
            "image": {"type": "str", "required": True},
            "tag": {"type": "str", "default": ""},
            "replicas": {"type": "int", "required": True},
            "database_connections": {"type": "int", "default": 10},
            "config": {"type": "raw", "default": {}},
            "env_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "env": {"type": "dict", "default": {}},
            "ca_bundle": {"type": "str", "default": ""},
            "ui_username": {"type": "str", "required": True},
            **_SIZE_SPEC,
        },
    },
    "postgres": {
        "type": "dict",
        "required": True,
        "options": {
            "image": {"type": "str", "required": True},
            "tag": {"type": "str", "default": ""},
            "storage_class": {"type": "str", "default": ""},
            "storage_size": {"type": "str", "required": True},
            "storage_access_mode": {"type": "str", "default": "ReadWriteOnce"},
            "max_connections": {"type": "int", "default": 100},
            **_SIZE_SPEC,
        },
    },
    "redis": {
        "type": "dict",
        "options": {
            "image": {"type": "str", "required": True},
            "tag": {"type": "str", "default": ""},
            "storage_size": {"type": "str", "default": ""},
            **_SIZE_SPEC,
        },
    },
    "pgbouncer": {
        "type": "dict",
        "options": {
            "image": {"type": "str", "required": True},
            "tag": {"type": "str", "default": ""},
            "pool_size": {"type": "int", "default": 20},
            **_SIZE_SPEC,
        },
    },
    "backend": {
        "type": "dict",
        "options": {"image": {"type": "str", "required": True}, **_SIZE_SPEC},
    },
    "frontend": {
        "type": "dict",
        "options": {"image": {"type": "str", "required": True}, **_SIZE_SPEC},
    },
    "multi_user_litellm": {"type": "dict", "options": _SIZE_SPEC},
    "multi_user_postgres": {"type": "dict", "options": _SIZE_SPEC},
    "content": {"type": "dict", "no_log": True, "default": {}},
    "credentials": {"type": "dict", "no_log": True, "default": {}},
}
REQUIRED_IF = [
    ("multi_user", True, ("multi_user_litellm", "multi_user_postgres")),
    ("deploy_redis", True, ("redis",)),
    ("deploy_pgbouncer", True, ("pgbouncer",)),
    ("deploy_backend", True, ("backend",)),
    ("deploy_frontend", True, ("frontend",)),
]


class Cluster(TypedDict):
    platform: str
    apps_domain: str
    routes: bool
    openshift: bool
    kubernetes_version: str


class Sizes(TypedDict):
    """Kubernetes quantities as the user wrote them."""

    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str


class Litellm(Sizes):
    image: str
    tag: str
    replicas: int
    database_connections: int
    config: Any
    env_secrets: list[str]
    env: dict[str, Any]
    ca_bundle: str
    ui_username: str


class Postgres(Sizes):
    image: str
    tag: str
    storage_class: str
    storage_size: str
    storage_access_mode: str
    max_connections: int


class Redis(Sizes):
    image: str
    tag: str
    storage_size: str


class Pgbouncer(Sizes):
    image: str
    tag: str
    pool_size: int


class Route(TypedDict):
    host: str
    tls_secret: str
    tls_certificate: str
    ca: str
    """PEM text, or the path of a file."""


class Application(Sizes):
    """A part of the LiteMaaS application, whose tag is the release."""

    image: str


class Settings(TypedDict):
    """``module.params`` of the ``plan`` module, connection options apart."""

    cluster: Cluster
    cluster_domain: str
    namespace: str
    use_existing_namespace: bool
    version: str
    cloud_provider: str
    route_name: str
    route: Route
    multi_user: bool
    num_users: Any
    user_prefix: str
    tenancy: str
    shared_limits: dict[str, Any]
    allow_unsafe_image: bool
    image_registry: str
    image_pull_secret: str
    egress: str
    egress_allow: Any
    ignore_capacity: bool
    extra_manifests: Any
    deploy_redis: bool
    deploy_pgbouncer: bool
    database_secret: dict[str, Any]
    deploy_frontend: bool
    deploy_backend: bool
    oauth_enabled: bool
    litellm: Litellm
    postgres: Postgres
    redis: Redis | None
    pgbouncer: Pgbouncer | None
    backend: Application | None
    frontend: Application | None
    multi_user_litellm: Sizes | None
    multi_user_postgres: Sizes | None
    content: dict[str, Any]
    credentials: dict[str, str]


def parts(settings: Settings) -> tuple[str, ...]:
    """The parts that an instance is made of with these settings."""
    return PARTS + tuple(part for part in OPTIONAL_PARTS if _wanted(settings, part))


def shared(settings: Settings) -> bool:
    """Whether all users share one gateway."""
    return settings["multi_user"] and settings["tenancy"] == SHARED


def sizes(settings: Settings, part: str) -> tuple[str, Sizes]:
    """What *part* (one of :func:`parts`) asks for: the option it stands in, and its quantities.

    With an instance for each of several users each is a small one, so those have sizes of their own.
    """
    if settings["multi_user"] and not shared(settings):
        option = f"multi_user_{part}"
        found = settings.get(option)
        if found is not None:
            return option, found  # type: ignore[return-value]
    return part, settings[part]  # type: ignore[literal-required]


def image(settings: Settings, part: str) -> tuple[str, str]:
    """The image and the tag that the user wrote for *part*."""
    found = settings[part]  # type: ignore[literal-required]
    return found["image"], found.get("tag", settings["version"])


def tag_variable(part: str) -> tuple[str, ...]:
    """The path of the option that holds the tag of *part*: the application's is the release."""
    return ("version",) if part in ("backend", "frontend") else (part, "tag")


def _wanted(settings: Settings, part: str) -> bool:
    return bool(settings.get(f"deploy_{part}")) and settings.get(part) is not None
