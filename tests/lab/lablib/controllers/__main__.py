# SPDX-License-Identifier: MIT
"""Run the controllers and the router of a lab until SIGTERM."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lablib.controllers import certificate, haproxy, ingress, route
from lablib.controllers.api import Api
from lablib.controllers.certificate import Certificates
from lablib.controllers.controller import Controller, Controllers
from lablib.controllers.ingress import IngressAdmission
from lablib.controllers.mirror import Mirror
from lablib.controllers.network_policy import DNS, NetworkPolicies, Pod
from lablib.controllers.provisioner import Provisioner
from lablib.controllers.pull_secret import PullSecrets
from lablib.controllers.route import RouteAdmission
from lablib.controllers.router import Router
from lablib.controllers.site import Endpoints, Site
from lablib.controllers.stand_in import StandIn, divert
from lablib.controllers.uid_range import UidRanges

log = logging.getLogger("controllers")
POLICED = ("NetworkPolicy", "Pod", "Namespace")
COMMON = ("PersistentVolumeClaim", "PersistentVolume", "Service", "EndpointSlice", "Secret")
KINDS = {
    "openshift": (*COMMON, "Route", "Namespace", "ServiceAccount"),
    "kubernetes": (*COMMON, "Ingress"),
}
SETTLE = 0.2  # seconds to let further changes come before the router's configuration is written
TICK = 1.0  # seconds between two looks at HAProxy
INTERVAL = 1.0  # seconds between two reloads at least: endpoints change in swarms
REST = 4.0  # times what the last turn took: a thousand routes must not keep a processor busy


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lablib.controllers", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--profile", choices=tuple(KINDS), required=True)
    parser.add_argument(
        "--state", type=Path, required=True, help="folder for volumes and the router's files"
    )
    parser.add_argument(
        "--router-address", required=True, help="IPv4 address that the router listens on"
    )
    parser.add_argument("--apps-domain", required=True)
    parser.add_argument(
        "--router-certificate", type=Path, help="PEM; default STATE/../pki/router.pem"
    )
    parser.add_argument("--node", default="", help="enforce network policies for its pods")
    parser.add_argument(
        "--router-source", default="", help="address from which the router connects to pods"
    )
    parser.add_argument("--dns-address", default="", help="address of the cluster's DNS")
    parser.add_argument("--http-port", type=int, default=80)
    parser.add_argument("--https-port", type=int, default=443, help="0: no router")
    return parser.parse_args(words)


def main() -> int:
    options = arguments()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s"
    )
    stopping, changed = threading.Event(), threading.Event()

    def stop(number: int, frame: object) -> None:
        stopping.set()
        changed.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    state = options.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    ready = state / "ready"
    ready.unlink(missing_ok=True)

    api = Api(options.kubeconfig)
    kinds = {*KINDS[options.profile], *(POLICED if options.node else ())}
    fields = {"Pod": f"spec.nodeName={options.node}", "Secret": f"type={certificate.TYPE}"}
    mirrors = {kind: Mirror(api, kind, fields.get(kind, "")) for kind in sorted(kinds)}
    certificates = Certificates(api, mirrors["Secret"])
    provisioner = Provisioner(
        api, mirrors["PersistentVolumeClaim"], mirrors["PersistentVolume"], state / "volumes"
    )
    namespace, labels = DNS[options.profile]
    beside = [Pod(namespace, options.dns_address, labels)] if options.dns_address else []
    source = options.router_source
    policies = [NetworkPolicies(mirrors, source, beside=beside)] if options.node else []
    profile = of_profile(options, api, mirrors, certificates)
    controllers = Controllers(mirrors, [provisioner, *policies, *profile])
    for kind in ("Route", "Ingress", "Service", "EndpointSlice", "Secret"):
        if kind in mirrors:
            mirrors[kind].listen(lambda kind, key: changed.set())

    for mirror in mirrors.values():
        mirror.start()
    controllers.start()
    for mirror in mirrors.values():
        while not mirror.listed.wait(0.5) and not stopping.is_set():
            pass
    if not stopping.is_set():
        provisioner.sweep()
        stand_in = StandIn(api)
        stand_in.start()

        def served() -> list[Site]:
            return divert(sites(options, mirrors, certificates), stand_in.port)

        route_traffic(options, state, served, changed, stopping)
    ready.unlink(missing_ok=True)
    return 0


def of_profile(
    options: argparse.Namespace,
    api: Api,
    mirrors: Mapping[str, Mirror],
    certificates: Certificates,
) -> list[Controller]:
    """The controllers that only this profile has."""
    if options.profile == "kubernetes":
        return [IngressAdmission(api, mirrors["Ingress"], options.router_address)]
    return [
        UidRanges(api, mirrors["Namespace"]),
        PullSecrets(api, mirrors["ServiceAccount"]),
        RouteAdmission(api, mirrors["Route"], options.apps_domain, lookup=certificates.for_router),
    ]


def sites(
    options: argparse.Namespace, mirrors: Mapping[str, Mirror], certificates: Certificates
) -> list[Site]:
    """What is to be served now."""
    endpoints = Endpoints(mirrors["Service"].items(), mirrors["EndpointSlice"].items())
    if options.profile == "openshift":
        routes = mirrors["Route"].items()
        lookup = certificates.for_router
        verdicts = route.admit(routes, options.apps_domain, lookup)
        return route.sites(routes, verdicts, endpoints, options.apps_domain, lookup)
    return ingress.sites(mirrors["Ingress"].items(), endpoints, certificates.get)


def route_traffic(
    options: argparse.Namespace,
    state: Path,
    served: Callable[[], list[Site]],
    changed: threading.Event,
    stopping: threading.Event,
) -> None:
    """Keep the router serving what `served` says, until `stopping`."""
    ready = state / "ready"
    if not options.https_port:
        ready.touch()
        stopping.wait()
        return
    router = Router(state / "router")
    certificate = options.router_certificate or state.parent / "pki" / "router.pem"
    listen = haproxy.Listen(
        options.router_address,
        options.http_port,
        options.https_port,
        certificate.resolve(),
        router.error_page,
        options.router_source,
        router.certificates,
    )
    config, files = "", {}
    changed.set()
    while not stopping.is_set():
        again = changed.wait(TICK)
        if again:
            time.sleep(SETTLE)
            changed.clear()
        began = time.monotonic()
        if again:
            found = served()
            config, files = haproxy.render(found, listen), haproxy.files(found, listen)
        done = router.serve(config, files)
        if not ready.exists():
            ready.touch()
        stopping.wait(max(INTERVAL if done else 0, REST * (time.monotonic() - began)))
    router.stop()


if __name__ == "__main__":
    sys.exit(main())
