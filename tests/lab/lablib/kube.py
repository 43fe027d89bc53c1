# SPDX-License-Identifier: MIT
"""The binary that is every Kubernetes program (tests/lab/kube), and OpenShift's CRDs: both from Go modules, once."""

from __future__ import annotations

import platform
import re
import shutil
from pathlib import Path

from lablib import cache, commands, golang
from lablib.errors import LabError
from lablib.report import Report

SOURCES = Path(__file__).resolve().parent.parent / "kube"
PROGRAMS = (
    *("etcd", "coredns", "kubectl", "kubelet", "kube-proxy"),
    *("kube-apiserver", "kube-controller-manager", "kube-scheduler"),
)
OPENSHIFT_API = "github.com/openshift/api"


def version(go_mod: str) -> str:
    """The Kubernetes release that a go.mod asks for, e.g. v1.34.4."""
    match = re.search(r"^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+)", go_mod, re.MULTILINE)
    if not match:
        raise LabError(f"{SOURCES / 'go.mod'}: no requirement of k8s.io/kubernetes")
    return match[1]


def link_flags(release: str) -> str:
    """Small, and with the version that `kubectl version` and the API server tell (a plain build says v0.0.0-master)."""
    major, minor = release.lstrip("v").split(".")[:2]
    facts = {"gitVersion": release, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(
        [
            "-s -w",
            *(
                f"-X {package}.{name}={fact}"
                for package in packages
                for name, fact in facts.items()
            ),
        ]
    )


def binaries(root: Path, report: Report) -> Path:
    """The folder with one link for each of PROGRAMS, built when its inputs' key is not in the cache."""
    sources = [path for path in SOURCES.iterdir() if path.suffix in (".go", ".mod", ".sum")]
    flags = link_flags(version((SOURCES / "go.mod").read_text()))
    name = "kube-" + cache.files_key(SOURCES, sources, *golang.BUILD, flags, platform.machine())

    def build(folder: Path) -> None:
        go = golang.toolchain(root, report)
        what = "kube-apiserver, kubelet and friends: building from Go modules"
        with report.during(what, "about 6 min the first time"):
            command = [
                str(go),
                *golang.BUILD,
                "-ldflags",
                flags,
                "-o",
                str(folder / "kubelab"),
                ".",
            ]
            commands.run(command, cwd=str(SOURCES), environment=golang.environment(), timeout=None)
        for program in PROGRAMS:
            (folder / program).symlink_to("kubelab")

    return cache.folder(root, name, build, report)


def custom_resource_definitions(root: Path, report: Report) -> Path:
    """A copy of OpenShift's CRD files, at their paths inside the module (route/v1/zz_generated.crd-manifests/…)."""
    sources = SOURCES / "openshift-api"
    name = "openshift-api-" + cache.files_key(sources, sources.iterdir())

    def build(folder: Path) -> None:
        go = golang.toolchain(root, report)
        report("OpenShift's CRDs: fetching the Go module that holds them")
        module = golang.module(go, sources, OPENSHIFT_API)
        for manifest in module.glob("**/zz_generated.crd-manifests/*.yaml"):
            target = folder / manifest.relative_to(module)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(manifest, target)

    return cache.folder(root, name, build, report)
