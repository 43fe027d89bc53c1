# SPDX-License-Identifier: MIT
"""The volume for a claim of one of our storage classes: a folder of the real node, as a `local` PersistentVolume.

A simulated node has no folders: there it is a volume that no node is asked for, a disk of a CSI driver (of which the scheduler
lets a node have only so many) or a share. `local` rather than `hostPath`, because the kubelet gives such a volume to the pod's fsGroup, as it does with a cloud's disk:
a random user id can write to it, and a pod without fsGroup cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kubernetes.utils.quantity import parse_quantity
from lablib.controllers.api import Object

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
# By these the control plane asks for a volume: the first names the provisioner, the second the node the scheduler chose.
ASKED = "volume.kubernetes.io/storage-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
HOSTNAME = "kubernetes.io/hostname"
FAILS = "lab.test/fails"  # the label of a claim that a test lets fail
FOLDER = re.compile(r"pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Driver:
    """What a provisioner can do, and how the root of its fresh volumes looks."""

    access_modes: frozenset[str]
    mode: int  # of the volume's root, owned by root
    lost_and_found: bool = (
        False  # a formatted disk has that folder: an empty-folder check fails on it
    )


DISK = Driver(frozenset({"ReadWriteOnce", "ReadWriteOncePod"}), 0o755, lost_and_found=True)
SHARE = Driver(
    frozenset({"ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany"}), 0o777
)
HOST = Driver(frozenset({"ReadWriteOnce", "ReadWriteOncePod"}), 0o777)
DRIVERS = {
    "ebs.csi.aws.com": DISK,
    "openshift-storage.rbd.csi.ceph.com": DISK,
    "k8s-sigs.io/nfs-subdir-external-provisioner": SHARE,
    "rancher.io/local-path": HOST,
}


class Unprovisionable(Exception):
    """This claim can never be served; the message goes into its events."""


def volume_name(claim: Object) -> str:
    return f"pvc-{claim['metadata']['uid']}"


def asked_of(claim: Object) -> str:
    """The provisioner that is asked for a volume for this claim; "" when none is, or it has its volume."""
    if claim["spec"].get("volumeName") or claim["metadata"].get("deletionTimestamp"):
        return ""
    return str((claim["metadata"].get("annotations") or {}).get(ASKED, ""))


def local(folder: Path, hostname: str) -> Object:
    """The part of a PersistentVolume's spec that says where it is: a folder of the node of this host name."""
    here = {"key": HOSTNAME, "operator": "In", "values": [hostname]}
    terms = [{"matchExpressions": [here]}]
    return {
        "local": {"path": str(folder)},
        "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
    }


def nowhere(provisioner: str, name: str) -> Object:
    """The same for a volume that only simulated pods use. A driver's name has no slash in it."""
    if "/" in provisioner:
        return {"nfs": {"server": "nowhere.lab.test", "path": f"/{name}"}}
    return {"csi": {"driver": provisioner, "volumeHandle": name}}


def is_simulated(node: Object) -> bool:
    return "kwok.x-k8s.io/node" in (node["metadata"].get("annotations") or {})


def volume(claim: Object, storage_class: Object, source: Object) -> Object:
    """The PersistentVolume for a claim, of this source (`local` or `nowhere`).

    Unprovisionable when the class cannot give what the claim wants.
    """
    provisioner = storage_class["provisioner"]
    spec = claim["spec"]
    modes = spec.get("accessModes") or []
    if set(modes) - DRIVERS[provisioner].access_modes or spec.get("volumeMode") == "Block":
        raise Unprovisionable(
            f'failed to provision volume with StorageClass "{storage_class["metadata"]["name"]}": '
            "rpc error: code = InvalidArgument desc = Volume capabilities not supported"
        )
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name(claim), "annotations": {PROVISIONED_BY: provisioner}},
        "spec": {
            "accessModes": modes,
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim["metadata"]["namespace"],
                "name": claim["metadata"]["name"],
                "uid": claim["metadata"]["uid"],
            },
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": "Filesystem",
            **source,
        },
    }


def make_folder(folder: Path, driver: Driver) -> None:
    """Idempotent; the mode does not depend on the umask."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(driver.mode)
    if driver.lost_and_found:
        (folder / "lost+found").mkdir(mode=0o700, exist_ok=True)


def to_delete(item: Object) -> bool:
    """Whether this PersistentVolume is ours, and its claim has gone, and it shall go with it."""
    annotations = item["metadata"].get("annotations") or {}
    return (
        annotations.get(PROVISIONED_BY) in DRIVERS
        and item.get("status", {}).get("phase") == "Released"
        and item["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
    )


def grown(claim: Object, item: Object) -> str:
    """The capacity to give to a claim's PersistentVolume when the claim asks for more than that has; else ""."""
    wanted = claim["spec"]["resources"]["requests"]["storage"]
    shown = claim.get("status", {}).get("capacity", {}).get("storage", wanted)
    smaller = min(parse_quantity(item["spec"]["capacity"]["storage"]), parse_quantity(shown))
    return str(wanted) if parse_quantity(wanted) > smaller else ""


def node_for(nodes: Iterable[Object]) -> Object | None:
    """The node for a volume that no pod waits for: the oldest real one that is ready, else a simulated one."""

    def ready(node: Object) -> bool:
        conditions = node.get("status", {}).get("conditions") or []
        return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)

    candidates = [node for node in nodes if ready(node) and not node["spec"].get("unschedulable")]
    candidates.sort(key=lambda node: (is_simulated(node), node["metadata"]["creationTimestamp"]))
    return candidates[0] if candidates else None
