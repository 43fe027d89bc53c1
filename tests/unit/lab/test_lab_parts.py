# SPDX-License-Identifier: MIT
"""Small pure parts of the lab."""

from __future__ import annotations

from pathlib import Path

import pytest
from lablib import (
    cgroups,
    cli,
    containers,
    golang,
    kube,
    mounts,
    namespaces,
    prerequisites,
    report,
    run,
)
from lablib.errors import LabError
from lablib.settings import Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("go version go1.24.3 linux/amd64", (1, 24)),
        ("go version go1.19.8 linux/amd64", (1, 19)),
        ("go version go1.27rc1 linux/arm64", (1, 27)),
        ("go version devel +abc", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_go_version(text: str, expected: tuple[int, int]) -> None:
    assert golang.parse_version(text) == expected


def test_kubernetes_version_comes_from_go_mod() -> None:
    assert kube.version("require (\n\tk8s.io/kubernetes v1.34.4\n)\n") == "v1.34.4"
    with pytest.raises(LabError, match="no requirement"):
        kube.version("module x\n")
    flags = kube.link_flags("v1.34.4")
    assert "-X k8s.io/client-go/pkg/version.gitVersion=v1.34.4" in flags
    assert "-X k8s.io/component-base/version.gitMinor=34" in flags


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0:00"), (90.9, "1:30"), (3599, "59:59"), (3600, "60:00")]
)
def test_clock(seconds: float, expected: str) -> None:
    assert report.clock(seconds) == expected


def test_a_long_step_says_so_again(capsys: pytest.CaptureFixture[str]) -> None:
    say = report.Report(interval=0.05)
    with say.during("building", "about 6 min the first time"):
        import time

        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "[lab] building, about 6 min the first time"
    assert lines[1] == "[lab] building, about 6 min the first time (0:00 so far)"
    assert lines[-1] == "[lab] building: done in 0:00"


def test_missing_packages_each_once_in_order() -> None:
    tools = {"containerd": "containerd", "ctr": "containerd", "runc": "runc", "nft": "nftables"}
    assert prerequisites.missing(tools, {"runc"}.__contains__) == ["containerd", "nftables"]
    assert prerequisites.missing(tools, lambda _: True) == []


def test_without_root_the_packages_are_named() -> None:
    with pytest.raises(LabError, match="only root can install them: install no-such-package"):
        prerequisites.ensure({"no-such-program": "no-such-package"}, print, root=False)


def test_services_stay_down_and_the_administrators_policy_comes_back(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    with pytest.raises(KeyError), prerequisites.services_kept_down(policy):
        assert policy.read_text().endswith("exit 101\n")
        raise KeyError
    assert policy.read_text() == "theirs"
    policy.unlink()
    with prerequisites.services_kept_down(policy):
        assert policy.stat().st_mode & 0o111
    assert list(tmp_path.iterdir()) == []


def test_only_what_would_be_hidden_is_kept_aside() -> None:
    hidden = [Path("/run"), Path("/var/log")]
    kept = [Path("/run/litemaas-lab/x"), Path("/home/me/.cache")]
    text = mounts.script(hidden, kept, [(Path("/a b"), Path("/var/lib/kubelet"))])
    assert "mkdir /mnt/0 && mount --rbind /run/litemaas-lab/x /mnt/0" in text
    assert "/home/me/.cache" not in text
    assert "mount --bind '/a b' /var/lib/kubelet" in text


@pytest.mark.parametrize(
    ("text", "expected"), [("/a", "/a"), (r"/a\040b", "/a b"), (r"/a\134b", r"/a\b")]
)
def test_mount_points_are_unescaped(text: str, expected: str) -> None:
    assert namespaces.unescape(text) == expected


def test_control_group_trees_of_both_versions(tmp_path: Path) -> None:
    for name in ("memory", "cpu,cpuacct", "unified"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").touch()
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    (tmp_path / "plain").mkdir()
    assert [path.name for path in cgroups.trees(tmp_path)] == [
        "cpu,cpuacct",
        "memory",
        "unified",
    ]
    (tmp_path / "cgroup.controllers").touch()
    assert cgroups.trees(tmp_path) == [tmp_path]


def test_run_leaves_proxies_outside_only_where_they_cannot_be_reached(tmp_path: Path) -> None:
    base = {"PATH": "/bin", "HTTPS_PROXY": "x", "no_proxy": "y", "KUBECONFIG": "/mine", "A": "b"}
    inside = Settings(tmp_path, "openshift", tmp_path, 0, "netns", "198.18.0.2")
    environment = run.environment(inside, Path("/kube"), base)
    assert environment == {
        "PATH": "/kube:/bin",
        "KUBECONFIG": str(inside.kubeconfig),
        "LITEMAAS_LAB_RUN": inside.id,
        "A": "b",
    }
    beside = Settings(tmp_path, "openshift", tmp_path, 1000, "loopback", "127.0.0.1")
    assert run.environment(beside, Path("/kube"), base)["HTTPS_PROXY"] == "x"
    assert run.command(beside, ["true"]) == ["true"]


def test_only_the_hosts_line_of_nsswitch_changes() -> None:
    text = "passwd: files sss\nhosts:  files mymachines resolve [!UNAVAIL=return] dns\nrpc: db\n"
    assert run.plain_hosts(text) == "passwd: files sss\nhosts: files dns\nrpc: db\n"


@pytest.mark.parametrize("words", [[], ["--profile", "none", "up"], ["nonsense"]])
def test_wrong_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "usage: lab" in capsys.readouterr().err


def test_images_have_a_name_by_digest_and_replaced_ones_have_none() -> None:
    listed = {
        "x.test/a:1": "sha256:new",
        "x.test/a@sha256:old": "sha256:old",
        "x.test/b:2": "sha256:b",
        "x.test/b@sha256:b": "sha256:b",
        "sha256:config": "sha256:old",
    }
    outdated, missing = containers.names_by_digest(listed, ["x.test/a:1", "x.test/b:2"])
    assert outdated == ["x.test/a@sha256:old"]
    assert missing == {"x.test/a@sha256:new": "x.test/a:1"}
