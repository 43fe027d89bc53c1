# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a model server that speaks the OpenAI API which models it serves, and tries each.

Internal to rhpds.litemaas: no stable interface for other collections.

Its sockets are those of ``_litellm``. An address that leads into the cluster, and cannot be used
from here, is asked through the API server's service proxy, which passes no key on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateway_error as errors
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _gateways,
    _key_call,
    _model_address,
    _parallel,
    _resources,
    _retry,
    _served_models,
    _settle,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_error import GatewayError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_way import Way
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import (
    AddressTransport,
    Gateway,
    ProxyTransport,
    Web,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_address import Address

PATIENCE = 30.0  # seconds of passing trouble, at most
THREADS = 4  # models of one server that are tried at once
_UNUSABLE = (errors.NAME, errors.REFUSED, errors.TIMED_OUT, errors.UNREACHABLE)
# How a server refuses a request that it has no such API for, or that the model cannot answer.
_OTHER_MODE = (400, 404, 405, 415, 422, 501)


class Unsuitable(LitemaasError):
    """A server that is there, and none of models for the OpenAI API."""


@dataclass(frozen=True)
class Endpoint:
    """One model server, and how it is asked."""

    name: str
    url: str
    key: str = field(default="", repr=False)
    secret: Mapping[str, str] = field(default_factory=dict, hash=False)  # that the key is out of
    ca: str = ""
    models: tuple[str, ...] = ()  # only these
    mode: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass
class Answer:
    """What a model server said. ``models``: name → ``chat`` or ``embedding``."""

    base: str  # with what a client puts before /chat/completions
    via: str
    via_reason: str
    models: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Asker:
    """Asks model servers. Safe to use from several threads.

    *client*: to the cluster around them, None where there is none. *test*: make one small request
    to each model.
    """

    def __init__(
        self,
        client: Callable[[], Client | None],
        *,
        ca: str = "",
        timeout: float = 15.0,
        retries: int = 2,
        test: bool = True,
    ) -> None:
        self._client = client
        self._ca = ca
        self._timeout = timeout
        self._retries = retries
        self._test = test

    def ask(self, endpoint: Endpoint) -> Answer:
        """Ask one server. Raises LitemaasError in a sentence when it cannot be asked."""
        address = _model_address.parse(endpoint.url)
        if endpoint.key and not _gateways.is_private(address.root):
            raise LitemaasError(
                f"its key would be sent to {address.root} in clear text: use https://."
            )
        service = self._service(address)
        inside = _model_address.reached(address, service) if service else address
        way = self._direct(inside, endpoint)
        try:
            path, served = self._list(way, address.paths)
        except GatewayError as error:
            other = self._proxy(address, service, error)
            if other is None:
                raise LitemaasError(_said(error, way, endpoint.key)) from error
            way = other
            try:
                path, served = self._list(way, address.paths)
            except GatewayError as second:
                raise LitemaasError(_said(second, way, "")) from second
        answer = Answer(inside.root + path, way.via, way.reason)
        self._fill(answer, endpoint, way, path, served)
        return answer

    def _fill(
        self, answer: Answer, endpoint: Endpoint, way: Way, path: str, served: list[str]
    ) -> None:
        wanted, answer.problems = _served_models.chosen(endpoint.models, served, way.where)
        modes = _parallel.each(
            lambda name: self._mode(way.gateway, path, name, endpoint.mode), wanted, THREADS
        )
        for name, mode in zip(wanted, modes, strict=True):
            if not isinstance(mode, LitemaasError):
                answer.models[name] = mode
                continue
            key = "" if way.via == "proxy" else endpoint.key
            said = _said(mode, way, key) if isinstance(mode, GatewayError) else str(mode)
            answer.problems.append(f"its model {name} does not answer a test: {said}")

    def _mode(self, gateway: Gateway, path: str, name: str, given: str) -> str:
        """What a model does, seen by asking it. Raises GatewayError when it answers nothing."""
        likely = [given] if given else _served_models.guesses(name)
        if not self._test:
            return likely[0]
        first: GatewayError | None = None
        for mode in likely:
            if mode not in _key_call.CALLS:
                return mode  # the user says so, and there is no small request for it
            call, body = _key_call.CALLS[mode]
            sent = {"model": name, **body, **({"max_tokens": 5} if mode == "chat" else {})}
            try:
                self._post(gateway, path + call, sent)
                return mode
            except GatewayError as error:
                if error.status not in _OTHER_MODE:
                    raise
                first = first or error
        raise first or AssertionError("no mode to try")

    def _post(self, gateway: Gateway, path: str, sent: Mapping[str, Any]) -> None:
        timeout = max(_key_call.TIMEOUT, self._timeout)
        try:
            self._once_more(lambda: gateway.request("POST", path, sent, timeout=timeout))
        except GatewayError as error:
            if "max_completion_tokens" not in error.message:
                raise
            # Reasoning models of OpenAI know the limit by that name only.
            renamed = {k: v for k, v in sent.items() if k != "max_tokens"}
            gateway.request("POST", path, {**renamed, "max_completion_tokens": 5}, timeout=timeout)

    def _list(self, way: Way, paths: tuple[str, ...]) -> tuple[str, list[str]]:
        """(what stands before ``/models``, the names there)."""
        for path in paths:
            try:
                answer = self._once_more(partial(way.gateway.request, "GET", f"{path}/models"))
            except GatewayError as error:
                elsewhere = error.status in (200, 404, 405) and error.type != errors.PROXY
                if not elsewhere:
                    raise
                continue
            found = _served_models.names(answer)
            if found is not None:
                return path, found
        tried = ", ".join(f"{path}/models" for path in paths)
        raise Unsuitable(
            f"{way.where} answers, and has no list of models of the OpenAI API at {tried}: correct "
            "the path of its url, or leave it out if it serves no language models."
        )

    def _once_more(self, function: Callable[[], Any]) -> Any:
        return _settle.ask(function, _retry.Budget(self._retries, PATIENCE))

    def _direct(self, address: Address, endpoint: Endpoint) -> Way:
        web = Web("\n".join(filter(None, (self._ca, endpoint.ca))), connections=THREADS)
        transport = AddressTransport(address.root, web)
        gateway = Gateway(transport, endpoint.key, timeout=self._timeout)
        return Way(gateway, "address", "", address.root, address.root)

    def _service(self, address: Address) -> dict[str, Any] | None:
        """The Service that an address leads to, where it leads into the cluster and may be read."""
        client = self._client() if address.service else None
        if client is None or address.service is None:
            return None
        metadata = {"name": address.service.name, "namespace": address.service.namespace}
        obj = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
        try:
            return client.find(_resources.object_path(obj))
        except ApiError:
            return None

    def _proxy(
        self, address: Address, service: Mapping[str, Any] | None, error: GatewayError
    ) -> Way | None:
        """The way through the API server, where *error* shows that the address leads nowhere."""
        client = self._client() if service and error.type in _UNUSABLE else None
        if client is None or service is None or address.service is None or error.status:
            return None
        port = _model_address.service_port(service, address.port)
        if port is None:
            return None
        scheme = "https:" if address.scheme == "https" else ""
        metadata = service["metadata"]
        transport = ProxyTransport(
            client, metadata["namespace"], scheme + metadata["name"], str(port)
        )
        reason = f"{address.root} cannot be used from here: {error}"
        where = f"{address.root} through the API server's proxy"
        return Way(Gateway(transport, timeout=self._timeout), "proxy", reason, where)


def _said(error: GatewayError, way: Way, key: str) -> str:
    """A sentence that says what to do. *key*: that was sent."""
    where, status, words = way.where, error.status, error.message.rstrip(". ")
    if error.type == errors.UNTRUSTED:
        todo = "Give the CA that signed it as ca; the gateway has to trust it too."
        said = f"{where}: {words}. {todo}"
    elif error.type == errors.PROXY:
        todo = "See that the pods behind the Service are ready."
        if status == 403:
            todo = "Allow this user to use services/proxy, or run inside the cluster."
        said = f"{where}: {words}. {todo}"
    elif not status:
        said = f"{where}: {words}. Check its url, and that it can be reached from here."
    elif status in (401, 403) and way.via == "proxy":
        todo = "which passes no key on: give its address outside the cluster, or run inside it."
        said = f"{where} wants a key ({status}: {words}), {todo}"
    elif status in (401, 403) and key:
        said = f"{where} refuses the key ({status}: {words}). Give the right one."
    elif status in (401, 403):
        said = f"{where} wants a key ({status}: {words}). Give api_key or api_key_secret."
    elif 300 <= status < 400:
        todo = "Give the url it leads to, https:// as a rule."
        said = f"{where} answers with a redirection ({status}). {todo}"
    else:
        said = f"{where} answers {status}: {words}."
    return said
