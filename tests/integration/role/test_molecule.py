# SPDX-License-Identifier: MIT
"""The molecule scenarios pass, on the cluster they are for, and no Ansible run in them warns of anything."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ...pki import Authority

ROOT = Path(__file__).resolve().parents[3]
LAB = str(ROOT / "tests" / "lab" / "lab")


def molecule(scenario: str, *prefix: str, **environment: str) -> str:
    """The output of one scenario's whole sequence, which must pass."""
    done = subprocess.run(
        [*prefix, "molecule", "test", "-s", scenario],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1", **environment},
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-20000:]
    assert re.findall(r"\[(?:DEPRECATION )?WARNING\].*", output) == []
    assert "failed=0" in output
    return output


@pytest.mark.parametrize("scenario", ["default", "single", "remove"])
def test_scenario_on_openshift(kubeconfig, scenario):
    molecule(scenario, KUBECONFIG=kubeconfig)


@pytest.mark.parametrize("domain", ["", "apps.lab.test"])
def test_scenario_on_plain_kubernetes(domain, tmp_path):
    """Without an Ingress; and with one that has a certificate of its own."""
    if domain:
        authority = Authority()
        pair = authority.pair(f"litellm-rhpds.{domain}")
        for name, text in zip(
            ("tls.crt", "tls.key", "ca.crt"), (*pair, authority.pem), strict=True
        ):
            (tmp_path / name).write_text(text)
    output = molecule(
        "plain_kubernetes",
        LAB,
        "--profile",
        "kubernetes",
        "run",
        "--",
        LITEMAAS_MOLECULE_DOMAIN=domain,
        LITEMAAS_MOLECULE_TLS=str(tmp_path) if domain else "",
    )
    assert ("https://litellm-rhpds.apps.lab.test" if domain else "http://litellm.") in output
