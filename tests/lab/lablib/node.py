# SPDX-License-Identifier: MIT
"""The one real node: containerd, kubelet and kube-proxy, their configuration and command lines."""

from __future__ import annotations

import json
import os
from pathlib import Path

import yaml
from lablib import files, kubeconfig, mounts, network
from lablib.errors import LabError
from lablib.process import Component
from lablib.settings import CLUSTER_DOMAIN, NODE_NAME, POD_CIDR, Settings

PAUSE = "registry.k8s.io/pause:3.10"
CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))  # Debian's packages, everybody else
LABELS = (
    "node-role.kubernetes.io/worker=",
    "topology.kubernetes.io/region=us-east-2",
    "topology.kubernetes.io/zone=us-east-2a",
)


def cni_folder() -> Path:
    for folder in CNI_FOLDERS:
        if (folder / "ptp").exists():
            return folder
    raise LabError(f"no CNI plug-in `ptp` in {' or '.join(map(str, CNI_FOLDERS))}")


def containerd_config(settings: Settings) -> str:
    """Root on disk (images stay), state and sockets in the runtime folder; nothing outside the lab's own folders."""
    base, cri = settings.runtime / "containerd", 'plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = {_toml(settings.state / 'containerd')}
state = {_toml(base)}
# Snapshotters and services that the lab has no use for.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = {_toml(settings.containerd_socket)}
[plugins."io.containerd.internal.v1.opt"]
  path = {_toml(settings.state / 'opt')}
[{cri}]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE nobody may lower the score (runc: "can't get final child's PID from pipe").
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  disable_hugetlb_controller = true
  [{cri}.cni]
    bin_dir = {_toml(cni_folder())}
    conf_dir = {_toml(settings.config / 'cni')}
  [{cri}.containerd]
    snapshotter = "overlayfs"
    [{cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [{cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = {_toml(settings.runtime / 'runc')}
"""


def cni_config(settings: Settings) -> dict[str, object]:
    """Routed pods (ptp); no masquerading, for there is nowhere to go."""
    addresses = {
        "type": "host-local",
        "dataDir": str(settings.runtime / "cni"),
        "ranges": [[{"subnet": POD_CIDR}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": "lab",
        "plugins": [{"type": "ptp", "ipMasq": False, "ipam": addresses}],
    }


def kubelet_config(settings: Settings) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": settings.address,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(settings.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(settings.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(settings.pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{settings.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{settings.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [settings.address],
        "resolvConf": str(settings.resolv_conf),
        "podCIDR": POD_CIDR,
        "podLogsDir": str(settings.state / "pod-logs"),
        "volumePluginDir": str(settings.state / "volume-plugins"),
        "maxPods": 250,
        # Images cannot be pulled again: never collect them, whatever the disk says.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        "registryPullQPS": 0,
    }


def proxy_config(settings: Settings) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(kubeconfig.path(settings, "proxy"))},
        "hostnameOverride": NODE_NAME,
        "clusterCIDR": POD_CIDR,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # The limits of connection tracking are the machine's, not the lab's.
        "conntrack": {"maxPerCore": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
    }


def configure(settings: Settings) -> None:
    """Write the node's configuration files."""
    files.write(settings.config / "containerd.toml", containerd_config(settings))
    files.write(
        settings.config / "cni" / "lab.conflist", json.dumps(cni_config(settings), indent=1)
    )
    for name, document in (
        ("kubelet", kubelet_config(settings)),
        ("proxy", proxy_config(settings)),
    ):
        files.write(settings.config / f"{name}.yaml", yaml.safe_dump(document, sort_keys=False))


def containerd(settings: Settings) -> Component:
    config = settings.config / "containerd.toml"
    command = ["containerd", "--config", str(config), "--log-level", "warn"]
    return Component("containerd", [*mounts.enter(settings), *command], inputs=[config])


def kubelet(settings: Settings, binaries: Path) -> Component:
    config, credentials = settings.config / "kubelet.yaml", kubeconfig.path(settings, "node")
    command = [
        str(binaries / "kubelet"),
        f"--config={config}",
        f"--kubeconfig={credentials}",
        f"--root-dir={settings.state / 'kubelet'}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={settings.address}",
    ]
    served = [settings.pki / "kubelet.crt", settings.pki / "ca.crt"]
    return Component(
        "kubelet", [*mounts.enter(settings), *command], inputs=[config, credentials, *served]
    )


def kube_proxy(settings: Settings, binaries: Path) -> Component:
    config = settings.config / "proxy.yaml"
    command = [*network.enter(settings), str(binaries / "kube-proxy"), f"--config={config}"]
    return Component("kube-proxy", command, inputs=[config, kubeconfig.path(settings, "proxy")])


def _toml(path: os.PathLike[str]) -> str:
    return json.dumps(str(path))  # a TOML basic string is written as a JSON string
