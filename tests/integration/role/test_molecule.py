# SPDX-License-Identifier: MIT
"""The molecule scenarios pass, on the cluster they are for, and no Ansible run in them warns of anything."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

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
def test_scenario_on_plain_kubernetes(domain):
    output = molecule(
        "plain_kubernetes",
        LAB,
        "--profile",
        "kubernetes",
        "run",
        "--",
        LITEMAAS_MOLECULE_DOMAIN=domain,
    )
    assert ("https://litellm-rhpds.apps.lab.test" if domain else "http://litellm.") in output
