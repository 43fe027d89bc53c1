# SPDX-License-Identifier: MIT
"""playbooks/status_litemaas.yml as an operator runs it: for reading, for a program, and where there is nothing to see."""

from __future__ import annotations

import functools
import json
import uuid

import pytest


@pytest.fixture
def status(play):
    """status(format="json") runs the playbook with its variables unprefixed."""
    run = functools.partial(play, playbook="playbooks/status_litemaas.yml")
    return lambda *flags, environment=None, **variables: run(
        *flags,
        environment=environment,
        extra={f"litemaas_status_{name}": value for name, value in variables.items()},
    )


@pytest.fixture
def deployment():
    """The name of a deployment nobody else has."""
    return f"status-{uuid.uuid4().hex[:8]}"


def test_nothing_deployed(status, deployment):
    run = status(deployment=deployment).ok()
    assert "\nNo instance found.\n" in run.stdout
    assert run.recap["changed"] == 0


def test_a_table_for_people_and_a_file_for_programs(status, make, deployment, tmp_path):
    good, bad = make(deployment=deployment).ready(), make(deployment=deployment).deploy()
    assert bad.pods("postgres")  # what it waits for shows when there is one
    options = {"deployment": deployment, "gateway": False}

    narrow, wide = (status(**options, width=width).ok().stdout for width in (80, 200))
    for text in (narrow, wide):
        assert f"\n{deployment}: 1 of 2 instances ready\nNAME " in text
        assert "postgres (pending): pod postgres-0 waits to be scheduled" in text
    address = f"http://litellm.{good.namespace}.svc:4000"
    assert f"\n    {address}\n" in narrow
    assert f"  {address}\n" in wide

    file = tmp_path / "status.json"
    # As on the command line, where everything is text.
    options |= {"gateway": "false", "namespaces": f"{good.namespace},{bad.namespace}"}
    run = status(**options, format="json", file=str(file), fail="true")
    assert run.rc != 0
    assert f"Not ready: {bad.namespace}" in run.stdout
    written = json.loads(file.read_text())
    assert written["ready"] is False
    ready = {instance["namespace"]: instance["ready"] for instance in written["instances"]}
    assert ready == {good.namespace: True, bad.namespace: False}
    assert status(**{**options, "namespaces": good.namespace}, fail="true").ok()

    shown = status("--check", **options, format="json").ok().stdout
    assert json.loads(shown[shown.index("\n{") : shown.index("\n}") + 2])["instances"]


def test_wrong_words_and_no_cluster_are_said_so(status):
    run = status(format="yaml")
    assert run.rc != 0
    assert "litemaas_status_format must be text or json, got yaml" in run.stdout
    unreachable = {"K8S_AUTH_HOST": "https://127.0.0.1:9", "K8S_AUTH_API_KEY": "x"}
    run = status(environment={**unreachable, "KUBECONFIG": ""})
    assert run.rc != 0
    assert "127.0.0.1:9" in run.stdout
