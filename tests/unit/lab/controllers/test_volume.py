# SPDX-License-Identifier: MIT
"""The volume that a claim gets."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from lablib.controllers.volume import (
    ASKED,
    DISK,
    DRIVERS,
    FOLDER,
    PROVISIONED_BY,
    SHARE,
    Unprovisionable,
    asked_of,
    grown,
    local,
    make_folder,
    node_for,
    nowhere,
    to_delete,
    volume,
    volume_name,
)

UID = "d9b0c4b0-d6bb-4c33-b456-680a350c2849"


def claim(**changes: Any) -> dict[str, Any]:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "gp3-csi",
        "volumeMode": "Filesystem",
        "resources": {"requests": {"storage": "10Gi"}},
        **changes.pop("spec", {}),
    }
    return {
        "metadata": {"namespace": "a", "name": "data", "uid": UID, **changes.pop("metadata", {})},
        "spec": spec,
        **changes,
    }


def storage_class(provisioner: str = "ebs.csi.aws.com", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "gp3-csi"}, "provisioner": provisioner, **more}


def test_volume() -> None:
    item = volume(claim(), storage_class(), local(Path("/state/volumes/x"), "node1"))
    assert item["metadata"] == {
        "name": f"pvc-{UID}",
        "annotations": {PROVISIONED_BY: "ebs.csi.aws.com"},
    }
    spec = item["spec"]
    assert spec["capacity"] == {"storage": "10Gi"}
    assert spec["accessModes"] == ["ReadWriteOnce"]
    assert spec["local"] == {"path": "/state/volumes/x"}
    assert spec["claimRef"]["uid"] == UID  # a claim of the same name made later is another claim
    assert spec["storageClassName"] == "gp3-csi"
    assert spec["persistentVolumeReclaimPolicy"] == "Delete"
    (term,) = spec["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node1"]}
    ]


@pytest.mark.parametrize(
    ("provisioner", "source"),
    [
        ("ebs.csi.aws.com", {"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "pvc-1"}}),
        ("rancher.io/local-path", {"nfs": {"server": "nowhere.lab.test", "path": "/pvc-1"}}),
    ],
)
def test_a_volume_of_simulated_pods_needs_no_node(provisioner: str, source: dict[str, Any]) -> None:
    assert nowhere(provisioner, "pvc-1") == source
    spec = volume(claim(), storage_class(provisioner), source)["spec"]
    assert source.items() <= spec.items()
    assert not {"local", "nodeAffinity"} & set(spec)


def test_reclaim_policy_is_the_classs() -> None:
    item = volume(claim(), storage_class(reclaimPolicy="Retain"), local(Path("/x"), "node1"))
    assert item["spec"]["persistentVolumeReclaimPolicy"] == "Retain"


@pytest.mark.parametrize(
    ("provisioner", "spec", "possible"),
    [
        ("ebs.csi.aws.com", {"accessModes": ["ReadWriteOncePod"]}, True),
        ("ebs.csi.aws.com", {"accessModes": ["ReadWriteMany"]}, False),
        ("ebs.csi.aws.com", {"accessModes": ["ReadWriteOnce", "ReadOnlyMany"]}, False),
        ("k8s-sigs.io/nfs-subdir-external-provisioner", {"accessModes": ["ReadWriteMany"]}, True),
        ("rancher.io/local-path", {"accessModes": ["ReadWriteMany"]}, False),
        ("ebs.csi.aws.com", {"volumeMode": "Block"}, False),
    ],
)
def test_what_a_driver_can_do(provisioner: str, spec: dict[str, Any], possible: bool) -> None:
    if possible:
        volume(claim(spec=spec), storage_class(provisioner), local(Path("/x"), "n"))
        return
    with pytest.raises(
        Unprovisionable, match='StorageClass "gp3-csi": .*capabilities not supported'
    ):
        volume(claim(spec=spec), storage_class(provisioner), local(Path("/x"), "n"))


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (claim(), ""),
        (claim(metadata={"annotations": {ASKED: "ebs.csi.aws.com"}}), "ebs.csi.aws.com"),
        (claim(metadata={"annotations": {ASKED: "x"}}, spec={"volumeName": "pvc-1"}), ""),
        (claim(metadata={"annotations": {ASKED: "x"}, "deletionTimestamp": "now"}), ""),
    ],
)
def test_asked_of(item: dict[str, Any], expected: str) -> None:
    assert asked_of(item) == expected


def persistent(
    phase: str = "Released", policy: str = "Delete", by: str = "ebs.csi.aws.com"
) -> dict[str, Any]:
    return {
        "metadata": {"name": "pvc-1", "annotations": {PROVISIONED_BY: by}},
        "spec": {"persistentVolumeReclaimPolicy": policy, "capacity": {"storage": "10Gi"}},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (persistent(), True),
        (persistent(phase="Bound"), False),
        (persistent(policy="Retain"), False),
        (persistent(by="somebody.else"), False),
        ({"metadata": {"name": "made-by-hand"}, "spec": {}}, False),
    ],
)
def test_to_delete(item: dict[str, Any], expected: bool) -> None:
    assert to_delete(item) is expected


@pytest.mark.parametrize(
    ("wanted", "shown", "expected"),
    [
        ("10Gi", "10Gi", ""),
        ("10Gi", None, ""),
        ("10240Mi", "10Gi", ""),
        ("20Gi", "10Gi", "20Gi"),
        ("5Gi", "10Gi", ""),
        ("10Gi", "5Gi", "10Gi"),  # the volume has grown, its claim does not say so yet
    ],
)
def test_grown(wanted: str, shown: str | None, expected: str) -> None:
    status = {"capacity": {"storage": shown}} if shown else {}
    item = claim(spec={"resources": {"requests": {"storage": wanted}}}, status=status)
    assert grown(item, persistent(phase="Bound")) == expected


def node(
    name: str, created: str = "2", ready: str = "True", fake: bool = False, **spec: Any
) -> dict[str, Any]:
    annotations = {"kwok.x-k8s.io/node": "fake"} if fake else {}
    return {
        "metadata": {"name": name, "creationTimestamp": created, "annotations": annotations},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], None),
        ([node("b"), node("a", created="1")], "a"),
        ([node("a", created="1", ready="Unknown"), node("b")], "b"),
        ([node("a", created="1", unschedulable=True), node("b")], "b"),
        ([{"metadata": {}, "spec": {}}], None),
        ([node("a", created="1", fake=True), node("b")], "b"),  # a real one first
        ([node("a", ready="False"), node("b", fake=True)], "b"),
    ],
)
def test_node_for(nodes: list[dict[str, Any]], expected: str | None) -> None:
    found = node_for(nodes)
    assert (found and found["metadata"]["name"]) == expected


def test_folder_of_a_disk(tmp_path: Path) -> None:
    folder = tmp_path / "volumes" / "x"
    make_folder(folder, DISK)
    make_folder(folder, DISK)
    assert (
        stat.S_IMODE(folder.stat().st_mode) == 0o755
    )  # a random user id writes to it by its fsGroup only
    assert [path.name for path in folder.iterdir()] == ["lost+found"]


def test_folder_of_a_share(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", SHARE)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o777
    assert list((tmp_path / "x").iterdir()) == []


def test_every_class_of_the_lab_is_served_or_meant_not_to_be() -> None:
    import yaml
    from lablib.openshift import MANIFESTS

    text = (MANIFESTS / "openshift/storage-classes.yaml").read_text()
    classes = {
        item["metadata"]["name"]: item["provisioner"] for item in yaml.safe_load_all(text) if item
    }
    assert {name for name, provisioner in classes.items() if provisioner not in DRIVERS} == {
        "openshift-storage.noobaa.io",
        "localblock",
        "never-binds",
    }


def test_only_our_own_names_are_folders() -> None:
    assert FOLDER.fullmatch(volume_name(claim()))
    for name in ("pvc-", "..", "pvc-../../etc", f"pvc-{UID}/..", f"x{UID}"):
        assert not FOLDER.fullmatch(name)
