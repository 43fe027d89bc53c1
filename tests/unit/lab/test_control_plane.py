# SPDX-License-Identifier: MIT
"""Generated configuration of the components."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from lablib import control_plane, dns, kubeconfig, node, pki
from lablib.settings import Settings


@pytest.fixture
def lab(tmp_path: Path) -> Settings:
    return Settings(
        tmp_path / "checkout", "openshift", tmp_path, 0, "netns", "198.18.0.2", "198.18.0.1"
    )


@pytest.mark.parametrize(
    ("profile", "level"), [("openshift", "restricted"), ("kubernetes", "privileged")]
)
def test_pod_security_by_profile(profile: str, level: str) -> None:
    (plugin,) = control_plane.admission(profile)["plugins"]
    defaults = plugin["configuration"]["defaults"]
    assert {defaults[mode] for mode in ("enforce", "audit", "warn")} == {level}
    assert "kube-system" in plugin["configuration"]["exemptions"]["namespaces"]
    assert "default" not in plugin["configuration"]["exemptions"]["namespaces"]


def test_the_audit_log_holds_what_persons_do() -> None:
    unheard = {
        user for rule in control_plane.AUDIT_POLICY["rules"] for user in rule.get("users", ())
    }
    assert "system:admin" not in unheard
    assert "lab:controllers" in unheard
    assert control_plane.AUDIT_POLICY["rules"][-1] == {"level": "Metadata"}


def test_nothing_is_forwarded_to_other_name_servers(lab: Settings) -> None:
    text = dns.corefile(lab)
    assert not [line for line in text.splitlines() if line.split()[:1] == ["forward"]]
    assert 'answer "{{ .Name }} 5 IN A 198.18.0.2"' in text
    assert "rcode NXDOMAIN" in text


def test_another_address_needs_other_certificates(lab: Settings) -> None:
    moved = dataclasses.replace(lab, address="198.18.0.6")
    changed = {
        one.name
        for one, other in zip(pki.wanted(lab), pki.wanted(moved), strict=True)
        if one.extensions != other.extensions
    }
    assert changed == {"apiserver", "kubelet"}


def test_certificates_are_made_once_and_anew_when_they_no_longer_fit(lab: Settings) -> None:
    pki.ensure(lab)
    before = {path.name: path.read_bytes() for path in lab.pki.iterdir()}
    pki.ensure(lab)
    assert {path.name: path.read_bytes() for path in lab.pki.iterdir()} == before
    pki.ensure(dataclasses.replace(lab, address="198.18.0.6"))
    after = {path.name: path.read_bytes() for path in lab.pki.iterdir()}
    changed = {name for name in after if after[name] != before.get(name) and ".crt" in name}
    assert changed == {"apiserver.crt", "kubelet.crt"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in lab.pki.glob("*.key"))


def test_kubeconfigs_carry_everything_and_are_private(lab: Settings) -> None:
    pki.ensure(lab)
    kubeconfig.ensure(lab)
    text = lab.kubeconfig.read_text()
    assert "https://198.18.0.2:6443" in text
    assert str(lab.pki) not in text  # no path: the file may be copied
    assert lab.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_the_node_stays_within_the_labs_folders(
    lab: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "cni_folder", lambda: Path("/usr/lib/cni"))
    kubelet = node.kubelet_config(lab)
    assert kubelet["cgroupRoot"] == f"/{lab.name}"
    for key in ("podLogsDir", "volumePluginDir", "resolvConf"):
        assert str(kubelet[key]).startswith(str(lab.state))
    containerd = node.containerd_config(lab)
    assert f'root = "{lab.state}/containerd"' in containerd
    assert f'state = "{lab.runtime}/containerd"' in containerd
    assert str(lab.runtime) in json.dumps(node.cni_config(lab))
