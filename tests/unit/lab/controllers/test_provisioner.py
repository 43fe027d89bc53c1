# SPDX-License-Identifier: MIT
"""Provisioning, expanding and deleting, against a cluster of plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lablib.controllers.api import ApiError
from lablib.controllers.provisioner import Provisioner
from lablib.controllers.volume import ASKED, PROVISIONED_BY, SELECTED_NODE

UID = "d9b0c4b0-d6bb-4c33-b456-680a350c2849"
EBS = "ebs.csi.aws.com"


class Cluster:
    """Answers for the API server, and for the copies of both kinds."""

    def __init__(
        self, claim: dict[str, Any] | None = None, volume: dict[str, Any] | None = None
    ) -> None:
        self.claim, self.volume = claim, volume
        self.mode = "WaitForFirstConsumer"
        self.nodes = [
            {
                "metadata": {
                    "name": "n1",
                    "creationTimestamp": "1",
                    "labels": {"kubernetes.io/hostname": "host1"},
                },
                "spec": {},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            }
        ]
        self.calls: list[tuple[str, str, Any]] = []
        self.exists: set[str] = set()

    def get(self, path: str) -> dict[str, Any]:
        if "storageclasses" in path:
            return {
                "metadata": {"name": path.rsplit("/", 1)[1]},
                "provisioner": EBS,
                "volumeBindingMode": self.mode,
                "reclaimPolicy": "Delete",
            }
        return {"items": self.nodes} if path.endswith("nodes") else self.nodes[0]

    def create(self, path: str, body: dict[str, Any]) -> None:
        if path in self.exists:
            raise ApiError(409, "exists")
        self.exists.add(path)
        self.calls.append(("create", path, body))

    def patch(self, path: str, body: dict[str, Any]) -> None:
        self.calls.append(("patch", path, body))

    def delete(self, path: str) -> None:
        self.calls.append(("delete", path, None))


class Copy:
    def __init__(self, item: dict[str, Any] | None) -> None:
        self.item = item

    def get(self, key: tuple[str, str]) -> dict[str, Any] | None:
        return self.item

    def items(self) -> list[dict[str, Any]]:
        return [self.item] if self.item else []


def provisioner(cluster: Cluster, root: Path) -> Provisioner:
    return Provisioner(cluster, Copy(cluster.claim), Copy(cluster.volume), root)  # type: ignore[arg-type]


def claim(node: str = "n1", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "a",
            "name": "data",
            "uid": UID,
            "annotations": {ASKED: EBS, **({SELECTED_NODE: node} if node else {})},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "gp3-csi",
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
    }


def volume(root: Path, **changes: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"pvc-{UID}", "annotations": {PROVISIONED_BY: EBS}},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "persistentVolumeReclaimPolicy": "Delete",
            "local": {"path": str(root / f"pvc-{UID}")},
            **changes,
        },
        "status": {"phase": "Released"},
    }


def test_a_claim_gets_its_volume_on_the_node_of_its_pod(tmp_path: Path) -> None:
    cluster = Cluster(claim())
    serving = provisioner(cluster, tmp_path)
    serving.reconcile("PersistentVolumeClaim", ("a", "data"))
    ((verb, path, body),) = cluster.calls
    assert (verb, path) == ("create", "/api/v1/persistentvolumes")
    assert body["spec"]["local"]["path"] == str(tmp_path / f"pvc-{UID}")
    assert "host1" in str(body["spec"]["nodeAffinity"])
    assert (tmp_path / f"pvc-{UID}").is_dir()
    serving.reconcile("PersistentVolumeClaim", ("a", "data"))  # once more, before anybody bound it
    assert len(cluster.calls) == 1


def test_no_volume_before_a_node_is_chosen(tmp_path: Path) -> None:
    cluster = Cluster(claim(node=""))
    with pytest.raises(ApiError, match="no node was selected"):
        provisioner(cluster, tmp_path).reconcile("PersistentVolumeClaim", ("a", "data"))
    assert cluster.calls == []


def test_immediate_binding_waits_for_any_node(tmp_path: Path) -> None:
    cluster = Cluster(claim(node=""))
    cluster.mode = "Immediate"
    provisioner(cluster, tmp_path).reconcile("PersistentVolumeClaim", ("a", "data"))
    assert len(cluster.calls) == 1
    cluster = Cluster(claim(node=""))
    cluster.mode, cluster.nodes = "Immediate", []
    with pytest.raises(ApiError, match="no node is ready"):
        provisioner(cluster, tmp_path).reconcile("PersistentVolumeClaim", ("a", "data"))


def test_what_cannot_be_served_is_said_in_the_claims_events_once(tmp_path: Path) -> None:
    cluster = Cluster(claim(accessModes=["ReadWriteMany"]))
    for _ in range(2):
        provisioner(cluster, tmp_path).reconcile("PersistentVolumeClaim", ("a", "data"))
    ((verb, path, body),) = cluster.calls
    assert (verb, path, body["reason"]) == (
        "create",
        "/api/v1/namespaces/a/events",
        "ProvisioningFailed",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_claim_of_another_provisioner_is_left_alone(tmp_path: Path) -> None:
    item = claim()
    item["metadata"]["annotations"][ASKED] = "absent.csi.lab.test"
    cluster = Cluster(item)
    provisioner(cluster, tmp_path).reconcile("PersistentVolumeClaim", ("a", "data"))
    assert cluster.calls == []


def test_a_claim_that_asks_for_more_gets_more(tmp_path: Path) -> None:
    item = claim(volumeName=f"pvc-{UID}", resources={"requests": {"storage": "2Gi"}})
    item["status"] = {"capacity": {"storage": "1Gi"}}
    cluster = Cluster(item, volume(tmp_path))
    provisioner(cluster, tmp_path).reconcile("PersistentVolumeClaim", ("a", "data"))
    assert [(path, body) for _, path, body in cluster.calls] == [
        (f"/api/v1/persistentvolumes/pvc-{UID}", {"spec": {"capacity": {"storage": "2Gi"}}}),
        (
            "/api/v1/namespaces/a/persistentvolumeclaims/data/status",
            {"status": {"capacity": {"storage": "2Gi"}, "conditions": None}},
        ),
    ]


def test_a_released_volume_goes_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / f"pvc-{UID}"
    (folder / "userdata").mkdir(parents=True)
    cluster = Cluster(volume=volume(tmp_path))
    serving = provisioner(cluster, tmp_path)
    serving.reconcile("PersistentVolume", ("", f"pvc-{UID}"))
    serving.reconcile("PersistentVolume", ("", f"pvc-{UID}"))
    assert not folder.exists()
    assert {call[:2] for call in cluster.calls} == {
        ("delete", f"/api/v1/persistentvolumes/pvc-{UID}")
    }


def test_no_folder_but_its_own_is_removed(tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.mkdir()
    cluster = Cluster(volume=volume(tmp_path, local={"path": str(other)}))
    (tmp_path / f"pvc-{UID}").mkdir()
    provisioner(cluster, tmp_path).reconcile("PersistentVolume", ("", f"pvc-{UID}"))
    assert other.is_dir()
    assert (tmp_path / f"pvc-{UID}").is_dir()


def test_sweep_removes_only_left_over_folders(tmp_path: Path) -> None:
    left = "pvc-00000000-0000-0000-0000-000000000000"
    for name in (left, f"pvc-{UID}", "pvc-mine", "other"):
        (tmp_path / name).mkdir()
    provisioner(Cluster(claim()), tmp_path).sweep()
    assert {path.name for path in tmp_path.iterdir()} == {f"pvc-{UID}", "pvc-mine", "other"}
    provisioner(Cluster(), tmp_path / "absent").sweep()
