# SPDX-License-Identifier: MIT
"""What the router serves: a host and path, from whatever kind of object, and the pods behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lablib.controllers.api import Object

MOST_WEIGHT = 256  # of a server in HAProxy
STAND_IN_HEADER = "X-Lab-Namespace"


@dataclass(frozen=True)
class Server:
    """One pod's port."""

    name: str
    address: str
    port: int
    weight: int = 1


@dataclass(frozen=True)
class Site:
    """A host (and path) and how it is served. The texts are checked where they are read: nothing odd gets this far."""

    name: str  # of the backend; unique
    host: str
    namespace: str = ""  # of the object that asks for it
    servers: tuple[Server, ...] = ()
    path: str = ""  # a prefix, by whole segments; "" is everything
    exact: bool = False  # the path itself only
    secure: bool = False  # over TLS
    plain: str = "serve"  # over HTTP: serve | redirect | refuse
    timeout_server: str = ""  # HAProxy's times ("600s"); "" is the router's default
    timeout_tunnel: str = ""
    balance: str = ""
    cookie: str = ""  # name of the cookie that ties a client to a server; "" is none
    certificate: str = ""  # of its own with its key, PEM; "" is the router's
    stand_in: bool = False  # the server is the lab's stand-in, which must be told the namespace


class Endpoints:
    """The ready endpoints of all services."""

    def __init__(self, services: Iterable[Object], slices: Iterable[Object]) -> None:
        self._services = {_key(item): item for item in services}
        self._slices: dict[tuple[str, str], list[Object]] = {}
        for item in slices:
            metadata = item["metadata"]
            service = (metadata.get("labels") or {}).get("kubernetes.io/service-name")
            if service and item.get("addressType") == "IPv4":
                self._slices.setdefault((metadata["namespace"], service), []).append(item)

    def of(
        self, namespace: str, service: str, port: int | str | None
    ) -> list[tuple[str, str, int]]:
        """(pod's name, address, port), sorted. `port` is the name of a service port, the number of a pod's port, or
        None for all of them."""
        found = set()
        for item in self._slices.get((namespace, service), ()):
            for endpoint_port in item.get("ports") or ():
                number = endpoint_port.get("port")
                if port not in (None, number, endpoint_port.get("name") or ""):
                    continue
                for endpoint in item.get("endpoints") or ():
                    if (endpoint.get("conditions") or {}).get("ready", True) is False or not number:
                        continue
                    address = endpoint["addresses"][0]
                    pod = (endpoint.get("targetRef") or {}).get("name", address)
                    found.add((pod, address, number))
        return sorted(found)

    def port_name(self, namespace: str, service: str, number: int) -> str | None:
        """The name ("" when it has none) of the service port of this number; None when there is none."""
        item = self._services.get((namespace, service))
        for port in (item or {}).get("spec", {}).get("ports") or ():
            if port["port"] == number:
                return str(port.get("name") or "")
        return None


def servers(groups: Iterable[tuple[int, list[tuple[str, str, int]]]]) -> tuple[Server, ...]:
    """The servers of several services: each service's weight is shared out among its endpoints.

    `groups` holds (weight of the service, its endpoints). The largest share becomes HAProxy's largest weight.
    """
    shares = [(weight / len(found), found) for weight, found in groups if found]
    largest = max((share for share, _ in shares), default=0)
    result = []
    for share, found in shares:
        weight = max(1, round(share / largest * MOST_WEIGHT)) if share else 0
        result += [
            Server(f"{pod}:{address}:{port}", address, port, weight) for pod, address, port in found
        ]
    return tuple(result)


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]
