# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a deployment: one, or one a user, each with its names, sizes and address.

Internal to rhpds.litemaas: no stable interface for other collections.

A single deployment is the deployment of several users with one instance, and so is one gateway that
they share: there is one list and one code path. An instance never holds a credential.
"""

from __future__ import annotations

from typing import Any, TypedDict

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _application,
    _database_connections,
    _egress,
    _external_database,
    _extra,
    _gateway_config,
    _image,
    _labels,
    _quantity,
    _revision,
    _secret_names,
    _settings,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._external_database import Reference
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import shown
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

# In a host name of the site's own: what stands for one of several users.
USER = "{user}"
# What was tested; a slip of the finger (8000) must not become 8,000 namespaces.
MOST_USERS = 1000
# What the frontends' hosts begin with.
FRONT = "litemaas"


class Resources(TypedDict):
    requests: dict[str, str]
    limits: dict[str, str]


class Litellm(TypedDict):
    image: str
    replicas: int
    several: bool
    """Whether there may be more than one pod."""
    autoscaled: bool
    """Whether an autoscaler of the site's says how many pods there are."""
    config: dict[str, Any]
    """The configuration file; empty where none is needed."""
    env_secrets: list[str]
    """Secrets whose keys become environment variables."""
    env: dict[str, str]
    """Environment variables of the site's."""
    ca_bundle: bool
    """Whether it trusts the site's certificates; the text itself is too long to repeat."""
    resources: Resources
    revision: str
    """Of all that its pods are made of, by ``_revision``."""


class Postgres(TypedDict):
    image: str
    storage_class: str
    storage_size: str
    access_mode: str
    max_connections: int
    resources: Resources


class Redis(TypedDict):
    image: str
    storage_class: str
    storage_size: str
    """Empty where nothing is kept."""
    maxmemory: int
    """In bytes, below the container's limit."""
    resources: Resources


class Pgbouncer(TypedDict):
    image: str
    pool_size: int
    """How many connections to the database the gateway's pods share."""
    max_client_conn: int
    """How many it takes from them."""
    resources: Resources


class Instance(TypedDict):
    name: str
    """The namespace, or ``user1``… : the letters and the number, whatever the prefix; or ``shared``."""
    user: str
    """``user1``… where it is that user's alone."""
    deployment: str
    namespace: str
    create_namespace: bool
    labels: dict[str, str]
    host: str
    url: str
    expose: str
    tls_secret: str
    """The Secret with the certificate behind its address; empty for the router's own."""
    pull_secret: str
    """The Secret its images are pulled with; empty where none is needed."""
    own_secrets: list[str]
    """Of these two, the parts whose Secret is made with the instance."""
    egress: bool
    """Whether its pods may connect to no more than is said."""
    litellm: Litellm
    postgres: Postgres
    redis: Redis | None
    """None where it is switched off."""
    pgbouncer: Pgbouncer | None
    """None where the gateway connects to its database directly."""
    external_database: Reference | None
    """Where the URL of the site's database is kept; None where the instance has its own."""
    backend: _application.Backend | None
    """None where the LiteMaaS application is switched off, as is its frontend then."""
    frontend: _application.Frontend | None


def count(value: Any) -> int:
    """How many users ``num_users`` asks for; catalogs hand it over as text.

    ValueError is the message: it names the variable, the value, and what would be right.
    """
    number: int | None = None
    if isinstance(value, str):
        text = value.strip()
        digits = text[1:] if text[:1] in ("-", "+") else text
        if digits.isascii() and digits.isdigit() and len(digits) < 1000:
            number = int(text)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1:
        number = int(value)
    if number is None or number < 1:
        raise ValueError(f"must be a whole number of 1 or more, got {shown(value)}")
    if number > MOST_USERS:
        raise ValueError(f"must be {MOST_USERS} at most, got {number}")
    return number


def deployment(settings: Settings) -> str:
    """The value of the label that all objects of this deployment carry."""
    if settings["multi_user"]:
        return f"{settings['namespace']}-{settings['user_prefix']}"
    return settings["namespace"]


def number(settings: Settings, users: int) -> int:
    """How many instances so many users need."""
    return 1 if _settings.shared(settings) else users


def namespace(settings: Settings, number: int) -> str:
    """The namespace of user *number*; without users, or when they share it, there is only the one."""
    if _settings.shared(settings):
        return f"{deployment(settings)}-{_settings.SHARED}"
    if settings["multi_user"]:
        return f"{deployment(settings)}{number}"
    return settings["namespace"]


def host_label(settings: Settings, number: int, first: str = "litellm") -> str:
    """The first DNS label of an instance's address; of its frontend's with *first* ``litemaas``."""
    if _settings.shared(settings):
        return f"{first}-{settings['user_prefix']}-{_settings.SHARED}-{settings['route_name']}"
    if settings["multi_user"]:
        return f"{first}-{settings['user_prefix']}{number}-{settings['route_name']}"
    return f"{first}-{settings['route_name']}"


def host(settings: Settings, number: int) -> str:
    """The host name of an instance's address."""
    if settings["route"]["host"]:
        return settings["route"]["host"].replace(USER, f"{settings['user_prefix']}{number}")
    return f"{host_label(settings, number)}.{settings['cluster']['apps_domain']}"


def exposure(settings: Settings) -> str:
    """How the gateway is reached from outside: ``route``, ``ingress`` or ``none``."""
    if settings["cluster"]["routes"]:
        return "route"
    named = settings["cluster"]["apps_domain"] or settings["route"]["host"]
    return "ingress" if named else "none"


def traits(settings: Settings) -> tuple[str, ...]:
    """What else of these settings brings objects of its own.

    ``several``: more pods than one; ``config``: a ConfigMap; ``extra``: what the site adds;
    ``host``: a host of the site's own; ``certificate``: one that a router has to be let read;
    ``external_database``: one of the site's in place of the instance's own.
    """
    most = max(settings["litellm"]["replicas"], _extra.most_replicas(settings))
    file = bool(_gateway_config.config(settings) or settings["litellm"]["ca_bundle"].strip())
    found = {
        "several": most > 1,
        "config": file,
        "extra": bool(settings["extra_manifests"]),
        "host": settings["cluster"]["routes"] and bool(settings["route"]["host"]),
        "certificate": settings["cluster"]["routes"] and bool(_secret_names.tls(settings)),
        "secrets": bool(_secret_names.own(settings)),
        "external_database": _external_database.wanted(settings),
    }
    return tuple(trait for trait, is_so in found.items() if is_so)


def instances(settings: Settings, users: int, existing: set[str] | None = None) -> list[Instance]:
    """The instances, in the order of the users.

    :param users: from :func:`count`; 1 without users.
    :param existing: namespaces that are there and not ours, so never labelled or deleted.
    """
    images = {part: _resolved(settings, part) for part in _settings.parts(settings)}
    litellm = _litellm(settings, images)
    places = range(1, number(settings, users) + 1)
    return [_instance(settings, place, images, existing or set(), litellm) for place in places]


def _resolved(settings: Settings, part: str) -> str:
    text, tag = _settings.image(settings, part)
    try:
        return str(_image.resolve(text, tag, settings["image_registry"]))
    except ValueError:
        return text  # the preflight refuses it


def _litellm(settings: Settings, images: dict[str, str]) -> Litellm:
    """The gateway, the same in every instance."""
    found = settings["litellm"]
    bundle = found["ca_bundle"].strip()
    litellm: Litellm = {
        "image": images["litellm"],
        "replicas": found["replicas"],
        "several": "several" in traits(settings),
        "autoscaled": _extra.most_replicas(settings) > 0,
        "config": _gateway_config.config(settings),
        "env_secrets": found["env_secrets"],
        "env": {
            **(_egress.LOCAL_ENVIRONMENT if _egress.restricted(settings) else {}),
            **{name: str(value) for name, value in found["env"].items()},
        },
        "ca_bundle": bool(bundle),
        "resources": _resources(settings, "litellm"),
        "revision": "",
    }
    litellm["revision"] = _revision.revision(
        litellm,
        helper=images["postgres"],
        redis="redis" in images,
        pgbouncer="pgbouncer" in images,
        external=_external_database.wanted(settings),
        ca_bundle=bundle,
        pull_secret=_secret_names.pull(settings),
    )
    return litellm


def _instance(
    settings: Settings,
    number: int,
    images: dict[str, str],
    existing: set[str],
    litellm: Litellm,
) -> Instance:
    home = namespace(settings, number)
    shared = _settings.shared(settings)
    user = f"user{number}" if settings["multi_user"] and not shared else ""
    name = _settings.SHARED if shared else user or home
    expose = exposure(settings)
    address = host(settings, number) if expose != "none" else ""
    domain = settings["cluster"]["apps_domain"]
    front = f"{host_label(settings, number, FRONT)}.{domain}" if expose != "none" else ""
    return {
        "name": name,
        "user": user,
        "deployment": deployment(settings),
        "namespace": home,
        "create_namespace": home not in existing,
        "labels": _labels.ownership(deployment(settings), name),
        "host": address,
        "url": f"https://{address}" if address else f"http://litellm.{home}.svc:4000",
        "expose": expose,
        "tls_secret": _secret_names.tls(settings),
        "pull_secret": _secret_names.pull(settings),
        "own_secrets": _secret_names.own(settings),
        "egress": _egress.restricted(settings),
        "litellm": litellm,
        "postgres": {
            "image": images["postgres"],
            "storage_class": settings["postgres"]["storage_class"],
            "storage_size": settings["postgres"]["storage_size"],
            "access_mode": settings["postgres"]["storage_access_mode"],
            "max_connections": settings["postgres"]["max_connections"],
            "resources": _resources(settings, "postgres"),
        },
        "redis": _redis(settings, images),
        "pgbouncer": _pgbouncer(settings, images),
        "external_database": _external_database.reference(settings, name, home),
        "backend": (
            _application.backend(images["backend"], _resources(settings, "backend"), home, front)
            if "backend" in images
            else None
        ),
        "frontend": (
            _application.frontend(images["frontend"], _resources(settings, "frontend"), front)
            if "frontend" in images
            else None
        ),
    }


def _redis(settings: Settings, images: dict[str, str]) -> Redis | None:
    found = settings["redis"]
    if "redis" not in images or found is None:
        return None
    size = found["storage_size"]
    return {
        "image": images["redis"],
        "storage_class": settings["postgres"]["storage_class"],
        "storage_size": size,
        "maxmemory": maxmemory(found["memory_limit"], keeps=bool(size)),
        "resources": _resources(settings, "redis"),
    }


def _pgbouncer(settings: Settings, images: dict[str, str]) -> Pgbouncer | None:
    found = settings["pgbouncer"]
    if "pgbouncer" not in images or found is None:
        return None
    return {
        "image": images["pgbouncer"],
        "pool_size": found["pool_size"],
        "max_client_conn": _database_connections.demand(settings).clients,
        "resources": _resources(settings, "pgbouncer"),
    }


def migrates_by_job(instance: Instance) -> bool:
    """Whether a Job migrates the database: before several pods, and past PgBouncer.

    Through that a migration would lose its lock and its settings from one statement to the next.
    """
    return instance["litellm"]["several"] or bool(instance["pgbouncer"])


def maxmemory(limit: str, *, keeps: bool) -> int:
    """How many bytes of its memory *limit* Redis may fill: what is left is its own and, where it
    *keeps* its data, that of the process that writes them, which shares memory until it changes.
    """
    try:
        return int(_quantity.parse(limit) * (5 if keeps else 7) / 10)
    except ValueError:
        return 0  # the preflight refuses it


def _resources(settings: Settings, part: str) -> Resources:
    _option, sizes = _settings.sizes(settings, part)
    return {
        "requests": {"cpu": sizes["cpu_request"], "memory": sizes["memory_request"]},
        "limits": {"cpu": sizes["cpu_limit"], "memory": sizes["memory_limit"]},
    }
