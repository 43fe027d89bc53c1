# SPDX-License-Identifier: MIT
"""OpenShift's objects: which CRD is chosen, what is applied in which order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from lablib import openshift
from lablib.errors import LabError
from lablib.settings import Settings

SELF_MANAGED = "include.release.openshift.io/self-managed-high-availability"
FEATURES = "release.openshift.io/feature-set"


def definition(name: str, note: str = "", **annotations: str) -> dict[str, Any]:
    host = {"type": "string", "maxLength": 253, "pattern": "^x$"}
    schema = {"properties": {"spec": {"properties": {"host": host}}}}
    return {
        "metadata": {"name": name, "annotations": annotations, "labels": {"note": note}},
        "spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]},
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(tmp_path, "openshift", tmp_path, 0, "netns", "198.18.0.2", "198.18.0.1")
    made.pki.mkdir(parents=True)
    made.router_ca.write_text("-----BEGIN CERTIFICATE-----\nCA\n")
    return made


def test_choose_the_default_of_a_self_managed_cluster() -> None:
    chosen = openshift.choose(
        [
            definition("a", "hypershift", **{FEATURES: "Default"}),
            definition("a", "preview", **{SELF_MANAGED: "true", FEATURES: "TechPreviewNoUpgrade"}),
            definition("a", "wanted", **{SELF_MANAGED: "true", FEATURES: "Default"}),
            definition("a", "custom", **{SELF_MANAGED: "true", FEATURES: "CustomNoUpgrade"}),
            definition("b", "wanted", **{SELF_MANAGED: "true"}),
        ]
    )
    assert {name: item["metadata"]["labels"]["note"] for name, item in chosen.items()} == {
        "a": "wanted",
        "b": "wanted",
    }


def crd_folder(root: Path, names: tuple[str, ...] = openshift.CRDS) -> Path:
    for name in names:
        plural, group, *_ = name.split(".")
        folder = root / group / "v1" / "zz_generated.crd-manifests"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"0_{plural}-Default.crd.yaml").write_text(
            yaml.safe_dump(definition(name, **{SELF_MANAGED: "true", FEATURES: "Default"}))
        )
    return root


def host_schema(item: dict[str, Any]) -> dict[str, Any]:
    schema = item["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return dict(schema["properties"]["spec"]["properties"]["host"])


def test_crds_lose_only_the_pattern_of_a_routes_host(tmp_path: Path) -> None:
    found = {item["metadata"]["name"]: item for item in openshift.crds(crd_folder(tmp_path))}
    assert tuple(found) == openshift.CRDS
    assert host_schema(found["routes.route.openshift.io"]) == {"type": "string", "maxLength": 253}
    assert "pattern" in host_schema(found["oauths.config.openshift.io"])


def test_a_missing_crd_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"no CRD routes\.route\.openshift\.io"):
        openshift.crds(crd_folder(tmp_path, openshift.CRDS[:-1]))


class Kubectl:
    """Notes what it is called with; the admission policies act from the third try on."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], Any]] = []
        self.tries = 0

    def __call__(self, arguments: list[str], stdin: str | None) -> str:
        self.calls.append((arguments, json.loads(stdin) if stdin else None))
        if arguments[0] == "create":
            self.tries += 1
            if self.tries == 1:
                raise LabError("Route not found")
            if self.tries >= 3:
                raise LabError("spec.host: must be no more than 63 characters")
        return ""

    def kinds(self, call: int) -> list[str]:
        return [item["kind"] for item in self.calls[call][1]["items"]]


def test_install_openshift(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openshift.time, "sleep", lambda seconds: None)
    kubectl = Kubectl()
    for item in crd_folder(tmp_path).glob("*/v1/*/*.yaml"):
        document = yaml.safe_load(item.read_text())
        item.write_text(yaml.safe_dump({"kind": "CustomResourceDefinition", **document}))
    openshift.install(kubectl, tmp_path, settings, "openshift")
    verbs = [arguments[0] for arguments, _ in kubectl.calls]
    assert verbs == ["apply", "wait", "apply", "apply", "create", "create", "create"]
    assert set(kubectl.kinds(0)) == {"CustomResourceDefinition"}
    assert kubectl.kinds(2)[0] == "Namespace"
    assert {"StorageClass", "MutatingAdmissionPolicy", "ConfigMap", "Route"} - set(
        kubectl.kinds(2)
    ) == {"Route"}
    assert kubectl.kinds(3) == ["Infrastructure", "Ingress", "ClusterVersion"]
    assert "--subresource=status" in kubectl.calls[3][0]


def test_install_kubernetes(tmp_path: Path, settings: Settings) -> None:
    kubectl = Kubectl()
    openshift.install(kubectl, tmp_path, settings, "kubernetes")
    assert [kubectl.kinds(number) for number in range(len(kubectl.calls))] == [
        ["StorageClass", "IngressClass"]
    ]


def test_policies_that_never_act_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openshift.time, "sleep", lambda seconds: None)
    with pytest.raises(LabError, match="does not apply the lab's admission policies after 0 s"):
        openshift._await_rules(lambda arguments, stdin: "created", seconds=0.05)


def test_the_labs_values_are_filled_in(settings: Settings) -> None:
    config = {
        item["kind"]: item for item in openshift.manifests("openshift", "config.yaml", settings)
    }
    assert config["Ingress"]["spec"]["domain"] == "apps.lab.test"
    assert config["Infrastructure"]["status"]["apiServerURL"] == "https://198.18.0.2:6443"
    assert config["Infrastructure"]["status"]["platformStatus"]["type"] == "AWS"


def test_the_cas_certificate_is_published(settings: Settings) -> None:
    assert openshift.ingress_certificate(settings)["data"] == {
        "ca-bundle.crt": settings.router_ca.read_text()
    }


@pytest.mark.parametrize("profile", openshift.FILES)
def test_every_file_is_used_and_one_storage_class_is_the_default(
    profile: str, settings: Settings
) -> None:
    assert {path.name for path in (openshift.MANIFESTS / profile).iterdir()} == set(
        openshift.FILES[profile]
    )
    items = [
        item
        for name in openshift.FILES[profile]
        for item in openshift.manifests(profile, name, settings)
    ]
    default = [
        item["metadata"]["name"]
        for item in items
        if item["kind"] == "StorageClass"
        and "storageclass.kubernetes.io/is-default-class" in item["metadata"].get("annotations", {})
    ]
    assert default == [{"openshift": "gp3-csi", "kubernetes": "standard"}[profile]]
