# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a gateway whether it really answers: the last step of readiness.

Internal to rhpds.litemaas: no stable interface for other collections.

Each call asks once; the wait around it asks again. Through the address people will use where that
works from here; where it does not, through the API server, and then with the reason why.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _application_check
from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateway_error as errors
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_way import Ways, left
from ansible_collections.rhpds.litemaas.plugins.module_utils._keys import SECRET, Keys
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import (
    Gateway,
    GatewayError,
    Web,
    ca_bundle,
)

COMPONENT = "gateway"


class Answer(NamedTuple):
    """What asking one gateway showed."""

    verdict: v.Verdict
    via: str = ""  # route, ingress or proxy
    via_reason: str = ""  # why not through its address
    models: int = 0


class GatewayCheck:
    """Asks the gateways of one run. Safe to use from several threads.

    *unusable*: domains found unusable by an earlier slice, with the reason; ``.unusable`` is what
    the next slice should know. *authorities*: PEM of those who are trusted beside the system's and
    the router's own.
    """

    def __init__(
        self, client: Client, keys: Keys, unusable: Mapping[str, str], authorities: str = ""
    ) -> None:
        self._client, self._keys = client, keys
        self._ways = Ways(client, Web(f"{ca_bundle(client)}\n{authorities}"), unusable)
        self.unusable = self._ways.unusable

    def ask(self, instance: Mapping[str, Any], asking_for: float, seconds: float) -> Answer:
        """Ask one gateway, once. *asking_for*: for how many seconds it has been asked already.

        *seconds*: about how long all of it may take, whatever hangs.
        """
        end = time.monotonic() + seconds
        try:
            key = self._keys.master_key(instance["namespace"])
        except LitemaasError as error:
            return Answer(v.permanent(COMPONENT, v.VERIFYING, str(error), 10))
        way, models = self._ways.ask(
            instance, key, asking_for, lambda gateway: _models(gateway, end)
        )
        if isinstance(models, GatewayError):
            return Answer(_verdict(models, way.where, way.reason), way.via, way.reason)
        verdict = v.ready(COMPONENT)
        if instance.get("frontend"):
            application = _application_check.ask(
                self._client, self._ways, instance, asking_for, end
            )
            verdict = v.worst([verdict, application])
        return Answer(verdict, way.via, way.reason, models)


def _models(gateway: Gateway, end: float) -> int:
    """The number of models, after the gateway has said that its database is connected."""
    health = gateway.request("GET", "/health/readiness", timeout=left(end))
    database = health.get("db") if isinstance(health, dict) else None
    if database != "connected":
        raise GatewayError(200, f"it runs without its database (db: {database})", "database")
    models = gateway.request("GET", "/v1/models", timeout=left(end))
    if not isinstance(models, dict) or not isinstance(models.get("data"), list):
        raise GatewayError(200, "the answer to /v1/models is not a list of models")
    return len(models["data"])


def _verdict(error: GatewayError, where: str, why_there: str = "") -> v.Verdict:
    """What an error means for readiness, and how long it is worth asking again."""
    aside = f" (asked there because {why_there})" if why_there else ""
    said, patience = v.brief(error.message), None
    if error.type == errors.PROXY and error.status == 403:
        patience = 0
        reason = f"the gateway may not be asked through {where}: {said}; "
        reason += f"allow this user to get services/proxy{aside}"
    elif error.type == errors.PROXY:
        reason = f"{where} does not reach the gateway: {said}{aside}"
    elif error.status in (401, 403):
        patience = 30
        reason = (
            f"the gateway behind {where} refuses the master key of Secret {SECRET} "
            f"({error.status}: {said}): its pod was started with another key, or another gateway "
            "answers there; restart the Deployment litellm"
        )
    elif error.status == 0:
        reason = f"{where}: {said}{aside}"
    elif error.status == 503 and error.type == errors.FOREIGN:
        reason = f"{where} answers 503: the router does not lead to the gateway's pod yet"
    elif error.type == "database" or error.status == 503:
        reason = f"the gateway behind {where} is not healthy: {said}{aside}"
    elif error.status < 500:
        patience = 30
        reason = f"something else than the gateway answers at {where}: {said}{aside}"
    else:
        reason = f"{where} answers {error.status}: {said}{aside}"
    if patience is None:
        return v.trouble(COMPONENT, v.VERIFYING, reason)
    return v.permanent(COMPONENT, v.VERIFYING, reason, patience)
