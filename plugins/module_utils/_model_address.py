# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of model servers, in the many ways people write them, brought to one.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

_PORTS = {"http": 80, "https": 443}
# What people copy along with the address: a call of the OpenAI API, or one of KServe's own.
_CALL = re.compile(
    r"(/models|/(chat/)?completions|/embeddings|/v[12]/models/[^/]+(:predict|:explain|/infer))$"
)
_VERSION = re.compile(r"/v\d+$")
_INSIDE = re.compile(r"^(?P<name>[^.]+)\.(?P<namespace>[^.]+)\.svc(\.cluster\.local)?$")


class Service(NamedTuple):
    """A Service of the cluster, as an address names it."""

    name: str
    namespace: str
    port: int


class Address(NamedTuple):
    """Where a model server is: ``https://host:8443``, and what may stand before ``/models``."""

    scheme: str
    host: str  # as in a URL
    port: int
    paths: tuple[str, ...] = ()  # the likeliest first

    @property
    def root(self) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def service(self) -> Service | None:
        """The Service it names, where it leads into the cluster."""
        found = _INSIDE.match(self.host)
        return Service(found["name"], found["namespace"], self.port) if found else None


def parse(text: str) -> Address:
    """Read an address: with or without scheme, port, ``/v1`` or a slash at its end.

    Raises LitemaasError, without the address where it holds a password.
    """
    url = text.strip()
    if "://" not in url:
        url = f"{_scheme(url)}://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise LitemaasError(f"the url {text} cannot be read ({error}): correct it.") from error
    if parts.username or parts.password:
        raise LitemaasError("the url holds a user name or password: give the key as api_key.")
    if parts.scheme not in _PORTS or not host:
        raise LitemaasError(
            f"the url {text} is none of a server: it begins with https:// and a host."
        )
    if parts.query or parts.fragment:
        raise LitemaasError(f"the url {text} is that of one page: leave out what follows the path.")
    host = f"[{host}]" if ":" in host else host
    path = _CALL.sub("", re.sub(r"/+", "/", parts.path).rstrip("/"))
    # vLLM and most others; then KServe's own runtime for Hugging Face models; then as it is given.
    paths = [path] if _VERSION.search(path) else [f"{path}/v1", f"{path}/openai/v1", path]
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], tuple(paths))


def _scheme(text: str) -> str:
    """Inside a cluster model servers speak plain HTTP, unless the port says otherwise."""
    host, _colon, port = text.partition("/")[0].partition(":")
    return "http" if _INSIDE.match(host.lower()) and port not in ("443", "8443") else "https"


def service_port(service: Mapping[str, Any], asked: int) -> int | None:
    """The port of a Service that an address means: by its number, or by that of the pods behind."""
    ports = (service.get("spec") or {}).get("ports") or ()
    for field in ("port", "targetPort"):
        for port in ports:
            if port.get(field) == asked:
                return int(port["port"])
    return None


def reached(address: Address, service: Mapping[str, Any]) -> Address:
    """The address by which pods reach a Service.

    The name of one without an address of its own (``clusterIP: None``) leads to the pods, which
    listen on their port and not on the Service's. KServe of OpenShift AI makes such Services, and
    did not always say the port.
    """
    spec = service.get("spec") or {}
    if spec.get("clusterIP") != "None":
        return address
    for port in spec.get("ports") or ():
        target = port.get("targetPort")
        if port.get("port") == address.port and isinstance(target, int):
            return address._replace(port=target)
    return address
