# SPDX-License-Identifier: MIT
"""Ingresses of the class `lab`: their status, and what the router serves for them.

The annotations are those of ingress-nginx, which kind's documentation installs: its timeouts, in seconds, and ssl-redirect.
"""

from __future__ import annotations

from collections.abc import Iterable

from lablib.controllers import certificate
from lablib.controllers.api import Api, Object, path_of
from lablib.controllers.duration import duration
from lablib.controllers.mirror import Key, Mirror, key_of
from lablib.controllers.route import PATH, host_problems
from lablib.controllers.site import Endpoints, Site, servers

CLASS = "lab"
ANNOTATION = "nginx.ingress.kubernetes.io/"
READ_TIMEOUT = "60"  # seconds, ingress-nginx's own default


def ours(ingress: Object) -> bool:
    """Whether the router is meant. The API server fills in the default class when an Ingress names none."""
    old = (ingress["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    return (ingress["spec"].get("ingressClassName") or old) == CLASS


def status(ingress: Object, address: str) -> list[Object] | None:
    """The new `status.loadBalancer.ingress`; None when it is as it should be."""
    wanted = [{"ip": address}]
    present = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return None if [{"ip": item.get("ip")} for item in present] == wanted else wanted


def sites(
    ingresses: Iterable[Object],
    endpoints: Endpoints,
    lookup: certificate.Lookup = certificate.none,
) -> list[Site]:
    """What the router serves: rules with a host and a Service; of two for one host and path the older Ingress's."""
    found: dict[tuple[str, str, bool], Site] = {}
    ordered = sorted(
        filter(ours, ingresses),
        key=lambda item: (item["metadata"]["creationTimestamp"], key_of(item)),
    )
    for ingress in ordered:
        for site in _sites(ingress, endpoints, lookup):
            found.setdefault((site.host, site.path, site.exact), site)
    return list(found.values())


def _sites(ingress: Object, endpoints: Endpoints, lookup: certificate.Lookup) -> Iterable[Site]:
    namespace, name = key_of(ingress)
    annotations = ingress["metadata"].get("annotations") or {}
    with_tls = {
        host: item.get("secretName") or ""
        for item in ingress["spec"].get("tls") or ()
        for host in item.get("hosts") or ()
    }
    redirect = annotations.get(ANNOTATION + "ssl-redirect", "true").lower() != "false"
    read = annotations.get(ANNOTATION + "proxy-read-timeout", READ_TIMEOUT)
    paths = [
        (rule["host"], item)
        for rule in ingress["spec"].get("rules") or ()
        if rule.get("host") and not host_problems(rule["host"])
        for item in (rule.get("http") or {}).get("paths") or ()
        if item["backend"].get("service") and PATH.fullmatch(item.get("path") or "/")
    ]
    for index, (host, item) in enumerate(paths):
        service = item["backend"]["service"]
        yield Site(
            name=f"be_ingress:{namespace}:{name}:{index}",
            host=host,
            namespace=namespace,
            path=(item.get("path") or "").rstrip("/"),
            exact=item.get("pathType") == "Exact",
            secure=True,
            plain="redirect" if redirect and host in with_tls else "serve",
            timeout_server=duration(f"{read}s") or f"{READ_TIMEOUT}s",
            balance="roundrobin",
            # As ingress-nginx: where there is none, its own.
            certificate=lookup(namespace, with_tls[host])[0] if with_tls.get(host) else "",
            servers=servers([(1, _endpoints(namespace, service, endpoints))]),
        )


def _endpoints(namespace: str, service: Object, endpoints: Endpoints) -> list[tuple[str, str, int]]:
    port = service.get("port") or {}
    name = port.get("name") or endpoints.port_name(
        namespace, service["name"], port.get("number", 0)
    )
    return [] if name is None else endpoints.of(namespace, service["name"], name)


class IngressAdmission:
    """Writes the router's address into the status of our Ingresses."""

    kinds = ("Ingress",)

    def __init__(self, api: Api, ingresses: Mirror, address: str) -> None:
        self._api = api
        self._ingresses = ingresses
        self._address = address

    def due(self, kind: str, key: Key) -> tuple[Key, float]:
        return key, 0.2

    def reconcile(self, kind: str, key: Key) -> None:
        ingress = self._ingresses.get(key)
        if ingress is None or not ours(ingress):
            return
        wanted = status(ingress, self._address)
        if wanted is not None:
            self._api.patch(
                path_of("Ingress", ingress, "status"),
                {"status": {"loadBalancer": {"ingress": wanted}}},
            )
