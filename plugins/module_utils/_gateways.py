# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways to be managed: where they are, with which key, and the same done to all at once.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _key_store,
    _labels,
    _management,
    _parallel,
    _password,
    _pem,
    _retry,
    _settle,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_error import GatewayError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_way import Way, Ways
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import Web, ca_bundle
from ansible_collections.rhpds.litemaas.plugins.module_utils._management import Management

THREADS = 16  # requests at once, all gateways together
# To one of them: LiteLLM makes 80 keys in 6.2 s with 8 at once, in 7.7 s with 4 and in 11 s with 16.
THREADS_OF_ONE = 8
SECRET, SECRET_KEY = "litellm-secret", "LITELLM_MASTER_KEY"

OPTIONS: dict[str, dict[str, Any]] = {
    "gateway_url": {"type": "str"},
    "gateway_key": {"type": "str", "no_log": True},
    "gateway_namespace": {"type": "str"},
    "gateway_secret": {"type": "str", "default": SECRET, "no_log": False},
    "gateway_secret_key": {"type": "str", "default": SECRET_KEY, "no_log": False},
    "gateway_ca": {"type": "str"},
    "gateway_timeout": {"type": "int", "default": 15},
    "gateway_retries": {"type": "int", "default": 6},
}


@dataclass(frozen=True)
class Target:
    """One gateway. Without a namespace there is no Secret to read and no way but its address."""

    name: str
    namespace: str = ""
    url: str = ""
    expose: str = "none"
    key: str = field(default="", repr=False)
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def place(self) -> dict[str, str]:
        return {"namespace": self.namespace, "url": self.url, "expose": self.expose}


@dataclass
class Connected:
    """A gateway that has answered with its list of models."""

    target: Target
    way: Way
    key: str = field(repr=False)
    management: Management


def one(params: Mapping[str, Any]) -> Target:
    """The gateway of a module that manages one. Raises LitemaasError naming what is missing."""
    url, namespace = params["gateway_url"] or "", params["gateway_namespace"] or ""
    item = {"name": namespace or url, "namespace": namespace, "url": url}
    return many([item], params)[0]


def many(given: Iterable[Mapping[str, Any]], params: Mapping[str, Any]) -> list[Target]:
    """Read a list of gateways, such as the ``instances`` of a plan. Raises LitemaasError."""
    found = []
    for number, item in enumerate(given, 1):
        namespace, url = item.get("namespace") or "", item.get("url") or ""
        key, name = params["gateway_key"] or "", item.get("name") or namespace or url
        if not namespace and not url:
            raise LitemaasError(f"Gateway {number} has neither a namespace nor a url: give one.")
        if not namespace and not key:
            raise LitemaasError(
                f"The key of the gateway {name} is missing: give it as gateway_key, or the namespace "
                f"whose Secret {params['gateway_secret']} holds it."
            )
        if not namespace and not is_private(url):
            raise LitemaasError(
                f"The key of the gateway {name} would be sent in clear text: use https://."
            )
        expose = item.get("expose") or ("address" if url else "none")
        labels = item.get("labels") or {}
        found.append(Target(name, namespace, url.rstrip("/"), expose, key, dict(labels)))
    if not found:
        raise LitemaasError("There is no gateway to manage: the list is empty.")
    return found


class Gateways:
    """Ways and keys to the gateways of one run. Safe to use from several threads."""

    def __init__(self, params: Mapping[str, Any], targets: list[Target]) -> None:
        self._params = params
        self.targets = targets
        self._lock = threading.Lock()
        self._client: _client.Client | None = None
        cluster = any(target.namespace for target in targets)
        bundle = _pem.pem(params.get("gateway_ca"), "gateway_ca")
        if cluster:
            bundle += "\n" + ca_bundle(self.client)
        self._ways = Ways(
            self._client,
            Web(bundle, connections=THREADS),
            timeout=float(params["gateway_timeout"]),
        )

    @property
    def client(self) -> _client.Client:
        """To the API server; made on first use, since a gateway may have none around it."""
        with self._lock:
            if self._client is None:
                self._client = _client.connect(self._params)
            return self._client

    @property
    def retries(self) -> int:
        return int(self._params["gateway_retries"])

    def each(self, function: Callable[[Connected], Any]) -> list[Any]:
        """Call *function* for all gateways at once; a LitemaasError takes its result's place."""
        return _parallel.each(lambda target: function(self.connect(target)), self.targets, THREADS)

    @property
    def threads(self) -> int:
        """Requests at once to each gateway."""
        return max(1, min(THREADS_OF_ONE, THREADS // len(self.targets)))

    def connect(self, target: Target) -> Connected:
        """Find the way to a gateway. Raises LitemaasError in its words when there is none."""
        key = target.key or _key_store.read(
            self.client,
            target.namespace,
            self._params["gateway_secret"],
            self._params["gateway_secret_key"],
        )
        way = self._ways.to(target.place, key)
        budget = _retry.Budget(self.retries, _settle.PATIENCE)
        began = time.monotonic()
        while True:
            management = Management(way.gateway)
            try:
                management.models()
                self._ways.worked(way)
                return Connected(target, way, key, management)
            except GatewayError as error:
                other = self._ways.instead(way, target.place, key, error, time.monotonic() - began)
                if other:
                    way = other
                    continue
                wait = budget.delay() if _management.is_passing(error) else None
                if wait is None:
                    raise LitemaasError(_failed(error, way)) from error
                time.sleep(wait)

    def store(self, target: Target, where: Mapping[str, Any]) -> _key_store.KeyStore:
        """Where values are kept. *where*: ``namespace``, ``name`` and ``kind`` that were asked for."""
        namespace = where.get("namespace") or target.namespace
        name = where.get("name") or _key_store.NAME
        labels = target.labels or self._labels(namespace)
        kind: _password.Kind = where.get("kind") or "key"
        return _key_store.KeyStore(self.client, namespace, labels, name, kind)

    def _labels(self, namespace: str) -> dict[str, str]:
        """The ownership labels of a namespace's instance, from its own Secret."""
        path = f"/api/v1/namespaces/{namespace}/secrets/{SECRET}"
        found = self.client.find(path) or {}
        if _labels.is_ours(found):
            return _labels.ownership_of(found)
        return dict([_labels.MANAGED_BY, _labels.PART_OF])


def _failed(error: GatewayError, way: Way) -> str:
    text = _settle.said(error, way.where)
    if error.status in (401, 403) and error.type not in ("proxy", "http"):
        text += " (that is its answer to the key it is managed with)"
    return f"{text}; asked there because {way.reason}" if way.reason else text


def is_private(url: str) -> bool:
    """Whether a key may be sent there: encrypted, or not leaving the machine or the cluster."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith((".svc", ".svc.cluster.local"))
