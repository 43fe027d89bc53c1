# SPDX-License-Identifier: MIT
"""Routes: which of them the router admits, what it says about that in their status, and what it serves for them.

Order, reasons and messages are those of OpenShift's router: the oldest route holds a host, for its whole namespace.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lablib.controllers import certificate
from lablib.controllers.api import Api, ApiError, Object, path_of
from lablib.controllers.duration import duration
from lablib.controllers.mirror import Key, Mirror, key_of
from lablib.controllers.site import Endpoints, Site, servers

ROUTER = "default"
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LONGEST_LABEL = 63
PATH = re.compile(r"/[A-Za-z0-9/._~!$&()*+,;=:@%-]*")
ANNOTATION = "haproxy.router.openshift.io/"
BALANCE = ("roundrobin", "leastconn", "source", "random")
PLAIN = {"Allow": "serve", "Redirect": "redirect"}


@dataclass(frozen=True)
class Verdict:
    """Whether a route is admitted; if not, why."""

    admitted: bool
    reason: str = ""
    message: str = ""


def host_of(route: Object, apps_domain: str) -> str:
    """The host that the route asks for; "" when it asks for none."""
    spec = route["spec"]
    if spec.get("host"):
        return str(spec["host"])
    return f"{spec['subdomain']}.{apps_domain}" if spec.get("subdomain") else ""


def admit(
    routes: Iterable[Object], apps_domain: str, lookup: certificate.Lookup = certificate.none
) -> dict[Key, Verdict]:
    """The verdict on every route.

    The oldest route (creation time, then uid) takes its host for its namespace; within the namespace the oldest takes each
    path of that host. A route that is not fit to be served takes nothing.
    """
    verdicts: dict[Key, Verdict] = {}
    owners: dict[str, Object] = {}
    holders: dict[tuple[str, str], Object] = {}
    for route in sorted(routes, key=_age):
        host, name = host_of(route, apps_domain), route["metadata"]["name"]
        verdict = _fitness(route, host, lookup)
        if verdict.admitted:
            owner = owners.setdefault(host, route)
            holder = holders.setdefault((host, route["spec"].get("path") or ""), route)
            if owner["metadata"]["namespace"] != route["metadata"]["namespace"]:
                message = f"a route in another namespace holds {host} and is older than {name}"
                verdict = Verdict(False, "HostAlreadyClaimed", message)
            elif holder is not route:
                message = f"route {holder['metadata']['name']} already exposes {host} and is older"
                verdict = Verdict(False, "HostAlreadyClaimed", message)
        verdicts[key_of(route)] = verdict
    return verdicts


def _age(route: Object) -> tuple[str, str]:
    return route["metadata"]["creationTimestamp"], route["metadata"]["uid"]


def external(route: Object) -> str:
    """The Secret with the route's certificate; "" when it names none."""
    return ((route["spec"].get("tls") or {}).get("externalCertificate") or {}).get("name") or ""


def _fitness(route: Object, host: str, lookup: certificate.Lookup) -> Verdict:
    """The verdict on a route by itself."""
    spec = route["spec"]
    if spec.get("wildcardPolicy", "None") not in ("None", ""):
        return Verdict(False, "RouteNotAdmitted", "wildcard routes are not allowed")
    if not host:
        return Verdict(False, "NoHostValue", "no host value was defined for the route")
    problems = host_problems(host)
    if problems:
        text = ", ".join(f'spec.host: Invalid value: "{host}": {problem}' for problem in problems)
        return Verdict(False, "InvalidHost", f"host name validation errors: {text}")
    if not PATH.fullmatch(spec.get("path") or "/"):
        return Verdict(
            False, "ExtendedValidationFailed", f"spec.path: Invalid value: {spec['path']!r}"
        )
    termination = (spec.get("tls") or {}).get("termination", "edge")
    if termination != "edge":
        return Verdict(
            False,
            "NotServedByTheLab",
            f"the lab's router does not do TLS termination {termination}",
        )
    return _certificate(route, lookup)


def _certificate(route: Object, lookup: certificate.Lookup) -> Verdict:
    """The verdict on its certificate, where it names one."""
    secret = external(route)
    problem = lookup(route["metadata"]["namespace"], secret)[1] if secret else ""
    if problem:
        return Verdict(False, certificate.REFUSED, f"spec.tls.externalCertificate: {problem}")
    return Verdict(True)


def host_problems(host: str) -> list[str]:
    """What is wrong with a host name, in the words of Kubernetes' validation."""
    problems = []
    if len(host) > 253:
        problems.append("must be no more than 253 characters")
    for label in host.split("."):
        if len(label) > LONGEST_LABEL:
            problems.append(f"must be no more than {LONGEST_LABEL} characters")
        if not LABEL.fullmatch(label):
            problems.append(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                "and must start and end with an alphanumeric character"
            )
    return problems


def status(route: Object, verdict: Verdict, apps_domain: str, now: str) -> list[Object] | None:
    """The route's new `status.ingress`; None when it is as it should be. Other routers' entries stay."""
    present = (route.get("status") or {}).get("ingress") or []
    ours: Object = next((item for item in present if item.get("routerName") == ROUTER), {})
    before: Object = next(
        (item for item in ours.get("conditions") or [] if item["type"] == "Admitted"), {}
    )
    condition = {"type": "Admitted", "status": "True" if verdict.admitted else "False"}
    if verdict.reason:
        condition.update(reason=verdict.reason, message=verdict.message)
    same = before.get("status") == condition["status"]
    condition["lastTransitionTime"] = before["lastTransitionTime"] if same else now
    wanted = {
        "conditions": [condition],
        "host": host_of(route, apps_domain),
        "routerCanonicalHostname": f"router-default.{apps_domain}",
        "routerName": ROUTER,
        "wildcardPolicy": route["spec"].get("wildcardPolicy") or "None",
    }
    if ours == wanted:
        return None
    return [*(item for item in present if item.get("routerName") != ROUTER), wanted]


def sites(
    routes: Iterable[Object],
    verdicts: Mapping[Key, Verdict],
    endpoints: Endpoints,
    apps_domain: str,
    lookup: certificate.Lookup = certificate.none,
) -> list[Site]:
    """What the router serves for the admitted routes."""
    return [
        _site(route, endpoints, apps_domain, lookup)
        for route in routes
        if verdicts[key_of(route)].admitted
    ]


def _site(
    route: Object, endpoints: Endpoints, apps_domain: str, lookup: certificate.Lookup
) -> Site:
    namespace, name = key_of(route)
    spec = route["spec"]
    annotations = route["metadata"].get("annotations") or {}
    tls = spec.get("tls")
    target = (spec.get("port") or {}).get("targetPort")
    backends = [spec["to"], *(spec.get("alternateBackends") or [])]
    balance = annotations.get(ANNOTATION + "balance", "")
    if balance not in BALANCE:
        balance = "roundrobin" if len(backends) > 1 else ""
    sticky = annotations.get(ANNOTATION + "disable_cookies", "").lower() != "true"
    return Site(
        name=f"{'be_edge_http' if tls else 'be_http'}:{namespace}:{name}",
        host=host_of(route, apps_domain),
        namespace=namespace,
        path=(spec.get("path") or "").rstrip("/"),
        secure=bool(tls),
        plain=PLAIN.get(tls.get("insecureEdgeTerminationPolicy", ""), "refuse") if tls else "serve",
        timeout_server=duration(annotations.get(ANNOTATION + "timeout", "")),
        timeout_tunnel=duration(annotations.get(ANNOTATION + "timeout-tunnel", "")),
        balance=balance,
        cookie=hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:32] if sticky else "",
        certificate=lookup(namespace, external(route))[0] if external(route) else "",
        servers=servers(
            (backend.get("weight", 100), endpoints.of(namespace, backend["name"], target))
            for backend in backends
        ),
    )


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class RouteAdmission:
    """Writes the verdicts into the routes' status."""

    kinds = ("Route", "Secret")

    def __init__(
        self,
        api: Api,
        routes: Mirror,
        apps_domain: str,
        now: Callable[[], str] = _now,
        lookup: certificate.Lookup = certificate.none,
    ) -> None:
        self._api = api
        self._routes = routes
        self._apps_domain = apps_domain
        self._now = now
        self._lookup = lookup

    def due(self, kind: str, key: Key) -> tuple[Key, float]:
        return ("", ""), 0.1  # a route's verdict depends on the others: all together, soon

    def reconcile(self, kind: str, key: Key) -> None:
        routes = self._routes.items()
        verdicts = admit(routes, self._apps_domain, self._lookup)
        failure = None
        for route in routes:
            ingress = status(route, verdicts[key_of(route)], self._apps_domain, self._now())
            if ingress is None:
                continue
            version = {"resourceVersion": route["metadata"]["resourceVersion"]}
            try:
                self._api.patch(
                    path_of("Route", route, "status"),
                    {"metadata": version, "status": {"ingress": ingress}},
                )
            except ApiError as error:
                if error.status != 404:
                    failure = error
        if failure:
            raise failure
