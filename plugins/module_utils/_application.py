# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LiteMaaS application of an instance: a frontend and a backend that people enter with OpenShift's login.

Internal to rhpds.litemaas: no stable interface for other collections.

The three switches belong together. The backend knows no passwords of its own; without the frontend there
is no address to which OpenShift could send people back; and the frontend shows what the backend says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from ansible_collections.rhpds.litemaas.plugins.module_utils import _settings
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

BACKEND = "backend"
CALLBACK = "/api/auth/callback"
# Connections of one backend to its own database: what the template sets for its pool.
POOL = 10
# One more while it is replaced; and two for the check of its tables, and for a look into LiteLLM's.
SURGE, ASIDE = 1, 2
CONNECTIONS = POOL * (1 + SURGE) + ASIDE
_SWITCHES = ("deploy_frontend", "deploy_backend", "oauth_enabled")
_WHY = {
    "deploy_frontend": "nobody could enter: OpenShift's login leads back to the frontend",
    "deploy_backend": "there would be nothing behind it",
    "oauth_enabled": "nobody could enter: the backend knows no passwords, only OpenShift's login",
}


class Backend(TypedDict):
    image: str
    resources: Any
    client_id: str
    """Under which OpenShift's OAuth server knows it: its ServiceAccount."""
    issuer: str
    """The OAuth server; empty until the cluster told it."""
    callback_url: str
    """Where people come back from the login."""
    origin: str
    """Of the pages that may ask it."""


class Frontend(TypedDict):
    image: str
    resources: Any
    host: str
    url: str


def wanted(settings: Settings) -> bool:
    """Whether all of it is switched on."""
    return all(settings.get(name) for name in _SWITCHES)


def problems(settings: Settings) -> Iterator[Problem]:
    """Switches that make no sense by themselves, and a cluster that has no such login."""
    given = [name for name in _SWITCHES if settings.get(name)]
    missing = [name for name in _SWITCHES if name not in given]
    if not given:
        return
    for name in missing:
        what = " and ".join(variable(each) for each in given)
        one = len(given) == 1
        problem = f"must be true where {what} {'is' if one else 'are'}: {_WHY[name]}"
        yield wrong(
            variable(name),
            False,
            problem,
            f"Set it to true, or {'that' if one else 'those'} to false.",
        )
    if "deploy_backend" in given and settings.get("database_secret"):
        yield Problem(
            variable("deploy_backend"),
            f"needs the PostgreSQL of the instance, in place of which {variable('database_secret')} names another",
            "Its role and database are made at the start of the instance's own. Leave one of the two out.",
        )
    if "oauth_enabled" in given and not settings["cluster"]["openshift"]:
        yield Problem(
            variable("oauth_enabled"),
            "needs the OAuth server of OpenShift, and this cluster is plain Kubernetes",
            f"Leave {', '.join(variable(name) for name in _SWITCHES)} false and use the gateway's own web UI.",
        )


def backend(image: str, resources: Mapping[str, Any], namespace: str, host: str) -> Backend:
    """The backend of an instance in *namespace* whose frontend has *host*."""
    return {
        "image": image,
        "resources": resources,
        "client_id": f"system:serviceaccount:{namespace}:{BACKEND}",
        "issuer": "",
        "callback_url": f"https://{host}{CALLBACK}",
        "origin": f"https://{host}",
    }


def frontend(image: str, resources: Mapping[str, Any], host: str) -> Frontend:
    """The frontend at *host*."""
    return {"image": image, "resources": resources, "host": host, "url": f"https://{host}"}


def connections(settings: Settings) -> int:
    """How many connections to the database it may ask for; 0 without it."""
    return CONNECTIONS if BACKEND in _settings.parts(settings) else 0


def words(instances: list[Any]) -> list[str]:
    """The application of all *instances*, for people; nothing where there is none."""
    first, last = instances[0], instances[-1]
    if not (first["backend"] and first["frontend"]):
        return []
    address = first["frontend"]["url"]
    if len(instances) > 1:
        address += f" to {last['frontend']['url']}"
    return [
        f"Application: {first['backend']['image']} and {first['frontend']['image']}, at {address}, "
        f"with the login of {first['backend']['issuer']}"
    ]
