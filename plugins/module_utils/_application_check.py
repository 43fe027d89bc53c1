# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a LiteMaaS application whether it really answers, after its gateway did.

Internal to rhpds.litemaas: no stable interface for other collections.

Through the frontend's address, as people come: its page, and behind it the backend's health. The backend
goes on when its migrations fail, and only its log says so; the tables that it must have are tested beside
it, what a later migration should have changed in them is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateway_error as errors
from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_way import Ways, left
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import (
    Gateway,
    GatewayError,
)

COMPONENT = "application"
HEALTH = "/api/v1/health/ready"
_LOG_BYTES = 65536  # of the beginning, where it starts
_FAILED = ("Failed to apply database migrations", "Database migration failed")
_CONTAINER = "backend"


def ask(
    client: Client, ways: Ways, instance: Mapping[str, Any], asking_for: float, end: float
) -> v.Verdict:
    """Ask the application of *instance*, once. *end*: until then, on the monotonic clock.

    *asking_for*: for how many seconds the instance has been asked already.
    """
    place = {
        "namespace": instance["namespace"],
        "expose": instance.get("expose"),
        "url": instance["frontend"].get("url") or "",
        "service": "frontend",
    }
    way, error = ways.ask(place, "", asking_for, lambda gateway: _answers(gateway, end))
    if error:
        return verdict(error, way.where, way.reason)
    return migrated(client, instance["namespace"])


def migrated(client: Client, namespace: str) -> v.Verdict:
    """Whether the backend's log tells of a migration that failed; ready where it cannot be read."""
    try:
        pods = client.list(
            _resources.collection_path("v1", "Pod", namespace), label_selector="app=backend"
        )
        for pod in pods:
            if "deletionTimestamp" in pod["metadata"]:
                continue
            path = f"{_resources.object_path({**pod, 'apiVersion': 'v1', 'kind': 'Pod'})}/log"
            text = client.text(path, container=_CONTAINER, limitBytes=_LOG_BYTES)
            line = failure(text)
            if line:
                reason = f"the backend's database was not migrated: {line}"
                reason += "; mend what it says and restart the Deployment backend"
                return v.permanent(COMPONENT, v.VERIFYING, reason, 30)
    except ApiError:
        pass  # only words: whether its tables are there is tested in the pod
    return v.ready(COMPONENT)


def failure(log: str) -> str:
    """The line by which a backend says that a migration failed; empty where none does."""
    lines = (line.strip() for line in log.splitlines())
    return v.brief(next((line for line in lines if any(each in line for each in _FAILED)), ""))


def verdict(error: GatewayError, where: str, why_there: str = "") -> v.Verdict:
    """What an error means for readiness, and how long it is worth asking again."""
    aside = f" (asked there because {why_there})" if why_there else ""
    said, patience = v.brief(error.message), None
    if error.type == errors.PROXY and error.status == 403:
        patience = 0
        reason = f"the frontend may not be asked through {where}: {said}; "
        reason += f"allow this user to get services/proxy{aside}"
    elif error.type == errors.PROXY or error.status == 0:
        reason = f"{where} does not reach the frontend: {said}{aside}"
    elif error.status in (502, 503, 504):
        reason = (
            f"{where} answers {error.status}: the frontend or the backend behind it is not up yet"
        )
    elif error.status < 500:
        patience = 30
        reason = f"something else than the application answers at {where}: {said}{aside}"
    else:
        reason = f"{where} answers {error.status}: {said}{aside}"
    if patience is None:
        return v.trouble(COMPONENT, v.VERIFYING, reason)
    return v.permanent(COMPONENT, v.VERIFYING, reason, patience)


def _answers(frontend: Gateway, end: float) -> None:
    """Raises GatewayError where the page is not served, or the backend behind it is not ready."""
    frontend.page("/", timeout=left(end))
    health = frontend.request("GET", HEALTH, timeout=left(end))
    if not isinstance(health, dict) or health.get("ready") is not True:
        raise GatewayError(503, f"the backend is not ready: {health}")
