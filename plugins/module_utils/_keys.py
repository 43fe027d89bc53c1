# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of instances, for modules that must use them and never return them.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources, _secret
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import (
    Observation,
    Observer,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._redaction import Redactor

SECRET, MASTER_KEY = "litellm-secret", "LITELLM_MASTER_KEY"
_DATABASE = "postgres-secret"
# Addresses and names among the backend's values, without which its messages say nothing.
_PUBLIC = ("OAUTH_", "CORS_", "PG")


class Keys:
    """Master keys by namespace, and what must not be shown of each namespace's Secrets.

    Each is read once: with one LIST for all *namespaces*, or for those that are asked for where they
    are few; where Secrets may only be got by name, by name.
    """

    def __init__(self, client: Client, observer: Observer, namespaces: Iterable[str]) -> None:
        self._client, self._observer = client, observer
        self._namespaces = set(namespaces)
        self._read: set[str] = set()
        self._values: dict[str, dict[str, dict[str, str]]] = {}
        self._refused: dict[str, str] = {}

    def read(self, namespaces: Iterable[str]) -> None:
        """Make sure that what is in the Secrets of these namespaces is known."""
        wanted = set(namespaces) - self._read
        if not wanted:
            return
        places = sorted(wanted if self._observer.few(wanted) else self._namespaces - self._read)
        seen = Observation()
        self._observer.observe([("v1", "Secret")], seen, places, required=False)
        self._read.update(places)
        for place in places:
            for secret in seen.of(place, "Secret"):
                self._keep(place, secret)
        missing = [place for place in places if SECRET not in self._values.get(place, {})]
        for place, found in zip(missing, self._client.each(self._get, missing), strict=True):
            if isinstance(found, LitemaasError):
                self._refused[place] = str(found)
            elif found:
                self._keep(place, found)

    def master_key(self, namespace: str) -> str:
        """The key the gateway was deployed with. Raises LitemaasError saying why there is none."""
        key = self._values.get(namespace, {}).get(SECRET, {}).get(MASTER_KEY, "")
        if key:
            return key
        if namespace in self._refused:
            raise LitemaasError(f"Secret {SECRET} cannot be read: {self._refused[namespace]}")
        if SECRET in self._values.get(namespace, {}):
            raise LitemaasError(f"Secret {SECRET} in namespace {namespace} has no {MASTER_KEY}")
        raise LitemaasError(f"Secret {SECRET} does not exist in namespace {namespace}")

    def redactor(self, namespace: str) -> Redactor:
        """Takes this instance's secrets out of text. Names of users and databases are none."""
        secrets = self._values.get(namespace, {}).values()
        return Redactor(
            value
            for secret in secrets
            for key, value in secret.items()
            if not key.endswith("USERNAME") and (not key.startswith(_PUBLIC) or key == "PGPASSWORD")
        )

    def _get(self, namespace: str) -> dict[str, Any] | None:
        metadata = {"name": SECRET, "namespace": namespace}
        path = _resources.object_path({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
        return self._client.find(path)

    def _keep(self, namespace: str, secret: Mapping[str, Any]) -> None:
        name = secret["metadata"]["name"]
        if name in (SECRET, _DATABASE, *_secret.OPTIONAL):
            values = {
                key: base64.b64decode(value).decode("utf-8", "replace")
                for key, value in (secret.get("data") or {}).items()
            }
            self._values.setdefault(namespace, {})[name] = values
