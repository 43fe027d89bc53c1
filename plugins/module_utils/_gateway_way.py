# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way leads to a gateway from here: its own address, or else the API server's service proxy.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateway_error as errors
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import (
    TIMEOUT,
    AddressTransport,
    Gateway,
    GatewayError,
    ProxyTransport,
    Web,
)

# What never changes while one waits, and what a router that is just reloading shows as well.
_UNUSABLE = (errors.NAME, errors.UNTRUSTED)
_PERHAPS_UNUSABLE = (errors.REFUSED, errors.TIMED_OUT, errors.UNREACHABLE)
GRACE = 10.0  # seconds of that before the address counts as unusable from here
_LEAST = 1.0  # seconds for one answer, however little is left
T = TypeVar("T")


class Way(NamedTuple):
    """A gateway, and how it is asked."""

    gateway: Gateway
    via: str  # route, ingress, address or proxy
    reason: str  # why not at its address
    where: str  # in the words of a message
    url: str = ""


class Ways:
    """The ways to the gateways of one run. Safe to use from several threads.

    *client*: None where there is no cluster to go through. *unusable*: domains found unusable by an
    earlier run, with the reason; ``.unusable`` is what the next one should know.
    """

    def __init__(
        self,
        client: Client | None,
        web: Web,
        unusable: Mapping[str, str] | None = None,
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self._client = client
        self._web = web
        self._timeout = timeout
        self._lock = threading.Lock()
        self._usable: set[str] = set()
        self.unusable = dict(unusable or {})

    def to(self, place: Mapping[str, Any], key: str) -> Way:
        """The way to try first. *place*: ``namespace``, ``url`` and ``expose`` of an instance."""
        expose, url = place.get("expose") or "none", place.get("url") or ""
        if not place.get("namespace"):
            return self._address(url, "address", key)
        reason = self._not_by_address(expose, url)
        return self._proxy(place, key, reason) if reason else self._address(url, expose, key)

    def ask(
        self,
        place: Mapping[str, Any],
        key: str,
        asking_for: float,
        question: Callable[[Gateway], T],
    ) -> tuple[Way, T | GatewayError]:
        """What *question* is answered, or why it is not, and the way on which that is so.

        Each way that can be used from here is tried once. The others are as of :meth:`to` and
        :meth:`instead`.
        """
        way = self.to(place, key)
        while True:
            try:
                answer = question(way.gateway)
            except GatewayError as error:
                other = self.instead(way, place, key, error, asking_for)
                if other is None:
                    return way, error
                way = other
            else:
                self.worked(way)
                return way, answer

    def instead(
        self,
        way: Way,
        place: Mapping[str, Any],
        key: str,
        error: GatewayError,
        asking_for: float,
    ) -> Way | None:
        """Another way, where *error* shows that *way* cannot be used from here; else None.

        *asking_for*: for how many seconds the gateway has been asked already.
        """
        if way.via == "proxy" or not place.get("namespace") or self._client is None:
            return None
        if not self._is_unusable(way.url, error, asking_for):
            return None
        return self._proxy(place, key, f"{way.url} cannot be used from here: {error}")

    def worked(self, way: Way) -> None:
        """Remember that an address can be used from here."""
        if way.url:
            with self._lock:
                self._usable.add(_domain(way.url))

    def _address(self, url: str, via: str, key: str) -> Way:
        gateway = Gateway(AddressTransport(url, self._web), key, timeout=self._timeout)
        return Way(gateway, via, "", url, url)

    def _proxy(self, place: Mapping[str, Any], key: str, reason: str) -> Way:
        if self._client is None:
            raise AssertionError("a gateway with a namespace and no client to go there")
        service = place.get("service") or "litellm"
        transport = ProxyTransport(self._client, place["namespace"], service)
        gateway = Gateway(transport, key, timeout=self._timeout)
        return Way(gateway, "proxy", reason, "the API server's proxy")

    def _not_by_address(self, expose: str, url: str) -> str:
        """Why the address is not even tried; empty to try it."""
        if expose == "none" or not url:
            return "it has no address outside the cluster"
        if not url.startswith("https://"):
            return f"{url} is not encrypted, and the key is not sent in clear text"
        with self._lock:
            return self.unusable.get(_domain(url), "")

    def _is_unusable(self, url: str, error: GatewayError, asking_for: float) -> bool:
        """Whether this machine cannot use the address; then neither any other of that domain.

        The hosts of all instances lead to the same router: eighty time-outs would cost minutes.
        """
        certain = error.type in _UNUSABLE or asking_for >= GRACE
        if error.status or error.type not in (*_UNUSABLE, *_PERHAPS_UNUSABLE) or not certain:
            return False
        with self._lock:
            if _domain(url) not in self._usable:
                self.unusable[_domain(url)] = f"{url} cannot be used from here: {error}"
        return True


def left(end: float) -> float:
    """Seconds until *end* on the monotonic clock, and enough to get an answer at all."""
    return max(_LEAST, end - time.monotonic())


def _domain(url: str) -> str:
    """The part that all instances share: apps.example.com of litellm-user1.apps.example.com."""
    return (urlsplit(url).hostname or "").partition(".")[2]
