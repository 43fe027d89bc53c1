# SPDX-License-Identifier: MIT
"""A lab's identity: which checkout and profile it belongs to, and every name, path and address that follows from that."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lablib import files
from lablib.errors import LabError

CHECKOUT = Path(__file__).resolve().parents[3]
PROFILES = ("openshift", "kubernetes")
MODES = ("netns", "loopback")

NODE_NAME = "node1"
POD_CIDR = "10.244.0.0/24"
SIMULATED_POD_CIDR = (
    "10.128.0.0/10"  # of the pods of simulated nodes: nothing is there, and no route leads there
)
# From here the router connects to pods, so that policies can tell it from the rest of the node.
ROUTER_SOURCE = "10.244.1.1"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_ADDRESS = (
    "10.96.0.1"  # the first address of SERVICE_CIDR, which the API server takes for itself
)
CLUSTER_DOMAIN = "cluster.local"
APPS_DOMAIN = "apps.lab.test"
# Capabilities for namespaces, links and mounts: CAP_NET_ADMIN and CAP_SYS_ADMIN.
_NEEDED = 1 << 12 | 1 << 21

RUNTIME = Path(
    "/run/litemaas-lab"
)  # sockets, namespaces and what a reboot may forget; short, for a socket's 108 characters

# Ports inside the lab's own network namespace; without one (mode loopback) free ones are chosen and remembered.
PORTS = {
    "api": 6443,
    "etcd": 2379,
    "etcd-peer": 2380,
    "controller-manager": 10257,
    "scheduler": 10259,
    "dns": 53,
    "dns-ready": 8181,
}

# What a simulated node offers to pods: a worker of 16 processors and 64 GiB (m6a.4xlarge, a usual one on AWS) less what the
# system keeps for itself, OpenShift's limit of pods, and as many disks as can be attached to it.
SIMULATED_NODE = {"cpu": "15500m", "memory": "60Gi", "pods": "250", "volumes": "26"}


def cache_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Where build outputs and the labs' state live: outside every checkout."""
    base = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base).resolve() / "rhpds.litemaas"


@dataclass(frozen=True)
class Settings:
    """One lab. Kept as lab.json in its state folder, so that it can be taken down when its checkout is gone.

    Mode `netns` (root): the lab lives in a network namespace of its own; `address` is its end of the veth pair to the
    host and serves the API, DNS and the router. Mode `loopback` (no root): the control plane alone on 127.0.0.1.
    """

    checkout: Path
    profile: str
    cache: Path
    uid: int
    mode: str
    address: str = ""  # of API server, DNS and router
    host_address: str = ""  # the host's end of the veth pair; "" in mode loopback
    ports: Mapping[str, int] = field(default_factory=lambda: dict(PORTS))
    simulated_nodes: int = 0
    simulated_node: Mapping[str, str] = field(default_factory=lambda: dict(SIMULATED_NODE))

    @property
    def id(self) -> str:
        """8 hex digits: the same for every command of one user in one checkout, another for any other lab."""
        identity = "\0".join((str(self.checkout), self.profile, str(self.cache), str(self.uid)))
        return hashlib.sha256(identity.encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """The name of the lab's control groups."""
        return f"litemaas-{self.id}"

    @property
    def link(self) -> str:
        """The host's end of the veth pair (at most 15 characters)."""
        return f"lm-{self.id}"

    @property
    def netns(self) -> bool:
        return self.mode == "netns"

    # -- files ---------------------------------------------------------------------------------------------------------
    @property
    def labs(self) -> Path:
        return self.cache / "labs"

    @property
    def state(self) -> Path:
        return self.labs / f"{self.profile}-{self.id}"

    @property
    def runtime(self) -> Path:
        return RUNTIME / self.id

    @property
    def config(self) -> Path:
        """Generated configuration of the components."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def records(self) -> Path:
        """One file for each started process."""
        return self.state / "processes"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def controllers_state(self) -> Path:
        """What the controllers keep: the volumes' folders, the router's configuration."""
        return self.state / "controllers"

    @property
    def resolv_conf(self) -> Path:
        return self.config / "resolv.conf"

    @property
    def containerd_socket(self) -> Path:
        return self.runtime / "containerd.sock"

    @property
    def router_ca(self) -> Path:
        """The CA that signed the router's certificate: what a client of the routes must trust."""
        return self.pki / "router-ca.crt"

    @property
    def root_ca(self) -> Path:
        """What pods find in the ConfigMap kube-root-ca.crt: on OpenShift the router's CA is in it too."""
        return self.pki / "root-ca.crt"

    @property
    def router_pem(self) -> Path:
        """Certificate, then key, of *.apps.lab.test: one file, as HAProxy wants it."""
        return self.pki / "router.pem"

    # -- addresses -----------------------------------------------------------------------------------------------------
    @property
    def api_url(self) -> str:
        return f"https://{self.address}:{self.ports['api']}"

    @property
    def router_address(self) -> str:
        return self.address

    @property
    def apps_domain(self) -> str:
        return APPS_DOMAIN

    # -- keeping -------------------------------------------------------------------------------------------------------
    def save(self) -> None:
        """Write lab.json, atomically."""
        text = json.dumps(dataclasses.asdict(self), default=str, indent=1) + "\n"
        files.write(self.state / "lab.json", text)


def load(state: Path) -> Settings | None:
    """The lab kept in this state folder; None when there is none."""
    try:
        data = json.loads((state / "lab.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise LabError(
            f"{state}/lab.json is damaged ({error}): remove the folder {state}"
        ) from error
    data["checkout"], data["cache"] = Path(data["checkout"]), Path(data["cache"])
    known = {item.name for item in dataclasses.fields(Settings)}
    return Settings(**{name: value for name, value in data.items() if name in known})


def may_isolate(status: str) -> bool:
    """Whether a process of this /proc/PID/status may make namespaces, links and mounts.

    Not the same as being root: a container's root usually may not.
    """
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return match is not None and int(match[1], 16) & _NEEDED == _NEEDED


def current(profile: str, checkout: Path = CHECKOUT) -> Settings:
    """This checkout's lab of this profile: as it was kept, else a new one that has no addresses yet."""
    mode = "netns" if may_isolate(Path("/proc/self/status").read_text()) else "loopback"
    fresh = Settings(checkout, profile, cache_root(), os.geteuid(), mode)
    return load(fresh.state) or fresh
