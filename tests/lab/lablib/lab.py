# SPDX-License-Identifier: MIT
"""Bringing a lab up: what is built, started and waited for, in which order.

Idempotent: starts what is missing or changed, leaves what runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lablib import (
    addresses,
    cgroups,
    containers,
    control_plane,
    dns,
    images,
    kube,
    kubeconfig,
    kwok,
    mounts,
    network,
    node,
    openshift,
    pki,
    prerequisites,
    process,
    simulation,
    waiting,
)
from lablib.errors import LabError
from lablib.kubectl import Kubectl
from lablib.process import Component
from lablib.report import Report
from lablib.settings import NODE_NAME, ROUTER_SOURCE, Settings

LAB = Path(__file__).resolve().parent.parent  # tests/lab, where the package `lablib` is found

CONTROL_PLANE = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("coredns", "controllers"),
)
NODE = ("containerd", "kube-proxy", "kubelet")
SIMULATION = ("kwok",)


@dataclass(frozen=True)
class Lab:
    """A lab that is being brought up."""

    settings: Settings
    binaries: Path
    report: Report

    @property
    def kubectl(self) -> Kubectl:
        return Kubectl(self.binaries / "kubectl", self.settings.kubeconfig)

    def start(self, component: Component) -> None:
        settings = self.settings
        if process.start(component, settings.records, settings.logs, settings.id):
            self.report(f"{component.name}: started")


def up(
    settings: Settings, report: Report, *, real_node: bool, only: Sequence[str] = ()
) -> Settings:
    """Bring this lab up; returns its settings with the addresses it got. The caller holds the lab's lock.

    `only`: references of the images to build and import, beside the one every pod needs; the usual ones when empty. The
    simulated nodes are those of `settings`.
    """
    if real_node and not settings.netns:
        raise LabError(
            "the real node needs root (namespaces, mounts, control groups): "
            "`lab up --no-real-node` runs the control plane alone without it"
        )
    tools = dict(prerequisites.CONTROL_PLANE)
    tools |= prerequisites.NETWORK if settings.netns else {}
    tools |= prerequisites.NODE if real_node else {}
    prerequisites.ensure(tools, report, root=settings.uid == 0)

    with ThreadPoolExecutor(max_workers=2) as builds:
        # The Go build wants the processors, the images mostly wait for downloads: both at once.
        archives = builds.submit(_archives, settings, report, only) if real_node else None
        binaries = kube.binaries(settings.cache, report)
        simulator = kwok.build(settings.cache, report) if settings.simulated_nodes else None
        crds = (
            kube.custom_resource_definitions(settings.cache, report)
            if settings.profile == "openshift"
            else Path()
        )
        try:
            lab = Lab(_prepared(settings), binaries, report)
            _control_plane(lab, crds)
            _simulation(lab, simulator, tainted=real_node)
        except LabError:
            if archives and not archives.done():
                report("the control plane failed; its reason follows the end of the image build")
            raise
        if archives:
            _node(lab, archives)
    nodes = (*(NODE if real_node else ()), *(SIMULATION if simulator else ()))
    waiting.all_run(settings, (*CONTROL_PLANE, *nodes))
    return lab.settings


def _archives(settings: Settings, report: Report, only: Sequence[str]) -> dict[str, Path]:
    wanted = [node.PAUSE, *only] if only else None
    try:
        return images.build(settings.cache / "images", report, wanted)
    except (images.BuildError, ValueError) as error:
        raise LabError(str(error)) from error


def _prepared(settings: Settings) -> Settings:
    """Addresses, network, keys and configuration files."""
    settings = addresses.resolve(settings, running=bool(running(settings)))
    settings.save()
    for folder in (settings.config, settings.logs, settings.controllers_state):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.netns:
        network.ensure(settings)
    pki.ensure(settings)
    kubeconfig.ensure(settings)
    control_plane.configure(settings)
    dns.configure(settings)
    return settings


def _control_plane(lab: Lab, crds: Path) -> None:
    settings, binaries, kubectl = lab.settings, lab.binaries, lab.kubectl
    lab.start(control_plane.etcd(settings, binaries))
    lab.start(control_plane.apiserver(settings, binaries))
    ready = ("get", "--raw", "/readyz")
    waiting.until(settings, ("etcd", "kube-apiserver"), lambda: kubectl.succeeds(*ready))
    lab.start(control_plane.controller_manager(settings, binaries))
    lab.start(control_plane.scheduler(settings, binaries))
    lab.start(dns.coredns(settings, binaries))
    openshift.install(kubectl, crds, settings, settings.profile)
    # The controllers make this file once they follow everything.
    told = settings.controllers_state / "ready"
    if not process.running(settings.records / "controllers"):
        told.unlink(missing_ok=True)
    lab.start(controllers(settings))
    waiting.until(settings, ("kube-apiserver", "controllers"), told.exists)


def controllers(settings: Settings) -> Component:
    """What OpenShift's operators do on a real cluster, and in both profiles volumes and the router."""
    sources = LAB / "lablib" / "controllers"
    command = [
        *(*network.enter(settings), sys.executable, "-m", "lablib.controllers"),
        *("--kubeconfig", str(kubeconfig.path(settings, "controllers"))),
        *("--profile", settings.profile),
        *("--state", str(settings.controllers_state)),
        *("--router-certificate", str(settings.router_pem)),
        *("--router-address", settings.router_address),
        *("--dns-address", settings.address),
        *("--apps-domain", settings.apps_domain),
    ]
    if settings.netns:
        command += ["--node", NODE_NAME, "--router-source", ROUTER_SOURCE]
    else:  # ports 80 and 443 of the loopback address are not ours
        command += ["--https-port", "0"]
    environment = {"PYTHONPATH": str(LAB)}
    # A process of older code is another component: it is replaced at the next `up`.
    inputs = [
        *sorted(sources.glob("**/*.py")),
        settings.router_pem,
        kubeconfig.path(settings, "controllers"),
    ]
    return Component("controllers", command, environment, inputs)


def _simulation(lab: Lab, simulator: Path | None, *, tainted: bool) -> None:
    """As many simulated nodes as the settings say; `simulator` is the folder of KWOK, None when there are to be none."""
    settings, kubectl = lab.settings, lab.kubectl
    if simulator:
        kwok.configure(settings, simulator)
        lab.start(kwok.component(settings, simulator))
    elif "kwok" in started(settings):
        process.end("kwok", settings.records)
    simulation.ensure(kubectl, settings.simulated_nodes, settings.simulated_node, tainted=tainted)
    if simulator:
        components = ("kube-apiserver", "kube-controller-manager", *SIMULATION)
        waiting.until(settings, components, lambda: simulation.ready(kubectl))


def _node(lab: Lab, archives: Future[dict[str, Path]]) -> None:
    settings, kubectl = lab.settings, lab.kubectl
    cgroups.ensure(settings.name)
    mounts.ensure(settings)
    node.configure(settings)
    lab.start(node.containerd(settings))
    waiting.until(settings, ("containerd",), lambda: containers.answers(settings))
    containers.load(settings, archives.result(), lab.report)
    lab.start(node.kube_proxy(settings, lab.binaries))
    lab.start(node.kubelet(settings, lab.binaries))
    # First kubelet itself (through the API server, as logs and exec go): the node's condition may be of its last life.
    answers = ("get", "--raw", f"/api/v1/nodes/{NODE_NAME}/proxy/healthz")
    ready = ("wait", f"node/{NODE_NAME}", "--for=condition=Ready", "--timeout=1s")
    components = ("containerd", "kube-apiserver", "kubelet")
    waiting.until(
        settings, components, lambda: kubectl.succeeds(*answers) and kubectl.succeeds(*ready)
    )
    kubectl(["label", "--overwrite", "node", NODE_NAME, *node.LABELS])


def started(settings: Settings) -> list[str]:
    """The names of the components that were started since the last `down`."""
    return sorted(path.stem for path in settings.records.glob("*.json"))


def running(settings: Settings) -> dict[str, process.Process]:
    """name → process of the components that run now."""
    found = {name: process.running(settings.records / name) for name in started(settings)}
    return {name: known for name, known in found.items() if known}
