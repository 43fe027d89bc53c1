# SPDX-License-Identifier: MIT
"""A run that is killed anywhere and started again ends as if it had never been, with the same credentials."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _connection

from ..faults import LOST, Fault, faulty
from .conftest import SMALL

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = "litemaas-resume"
USERS = 3
HOMES = [f"{NAMESPACE}-user{number}" for number in range(1, USERS + 1)]
VARIABLES = {
    **SMALL,
    "namespace": NAMESPACE,
    "route_name": "resume",
    "multi_user": True,
    # Nothing here needs a gateway that runs, and one that does not start costs nothing.
    "litellm_tag": "v1.106.99",
    "wait_timeout": 2,
    "on_instance_failure": "report",
}
# The write before whose answer a run is killed. Writes are concurrent: the first are namespaces, then Secrets, then all else.
KILLED_AT = (1, 3, 5, 8, 8)


@pytest.fixture
def through(kubeconfig, tmp_path):
    """The API server behind a proxy, and a kubeconfig for that."""
    with faulty(_connection.load({"kubeconfig": kubeconfig})) as server:
        path = tmp_path / "kubeconfig"
        context = {"name": "test", "context": {"cluster": "test", "user": "test"}}
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "clusters": [{"name": "test", "cluster": {"server": server.url}}],
                    "contexts": [context],
                    "users": [{"name": "test", "user": {}}],
                }
            )
        )
        yield server, str(path)


def kill(pid):
    """Kill a process and all it started, whatever session that is in."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            before, _bracket, after = stat.read_text().rpartition(")")
            children.setdefault(int(after.split()[1]), []).append(int(before.split()[0]))
    doomed = [pid]
    for each in doomed:
        doomed += children.get(each, [])
    for each in doomed:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def killed(server, kubeconfig, output_dir, point):
    """Run the playbook and kill it, with all it started, at a write; whether it came so far."""
    lock, writes, dead = threading.Lock(), [], threading.Event()
    arguments = [f"ocp4_workload_litemaas_{name}={value}" for name, value in VARIABLES.items()]
    arguments += [f"num_users={USERS}", f"output_dir={output_dir}"]
    process = subprocess.Popen(
        [
            "ansible-playbook",
            "playbooks/deploy_litemaas.yml",
            *(part for each in arguments for part in ("-e", each)),
        ],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": kubeconfig, "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def fault(_number, method, path):
        if method != "PATCH" or "dryRun" in path:
            return None
        with lock:
            writes.append(path)
            if len(writes) < point:
                return None
            if not dead.is_set():
                dead.set()
                kill(process.pid)
        # The server still does what it was asked for; nobody is left to hear of it.
        return Fault(LOST)

    server.fault = fault
    process.wait(timeout=300)
    server.fault = lambda *_request: None
    return dead.is_set()


def credentials(client):
    """All values in the Secrets of all instances, by namespace, Secret and key."""
    return {
        (secret["metadata"]["namespace"], secret["metadata"]["name"], key): value
        for secret in client.list(
            "/api/v1/secrets", label_selector=f"rhpds.litemaas/deployment={NAMESPACE}-user"
        )
        for key, value in secret["data"].items()
    }


def test_a_killed_run_is_taken_up_where_it_was(play, client, through, tmp_path):
    server, kubeconfig = through
    try:
        seen, kills = {}, 0
        for point in KILLED_AT:
            kills += killed(server, kubeconfig, tmp_path, point)
            now = credentials(client)
            assert seen.items() <= now.items(), "what was stored once stays"
            seen = now
        # What was under way when a run died was done all the same: the last may find little left to do.
        assert kills >= 4 and seen

        run = play(extra={"num_users": USERS}, output_dir=tmp_path, **VARIABLES).ok()
        assert f"0 of {USERS} ready, {USERS} failed (user1, user2, user3)" in run.stdout
        after = credentials(client)
        assert seen.items() <= after.items()
        assert {home for home, _name, _key in after} == set(HOMES)
        for kind in ("deployments", "statefulsets"):
            found = client.list(
                f"/apis/apps/v1/{kind}",
                label_selector=f"rhpds.litemaas/deployment={NAMESPACE}-user",
            )
            assert sorted(each["metadata"]["namespace"] for each in found) == HOMES

        again = play(extra={"num_users": USERS}, output_dir=tmp_path, **VARIABLES).ok()
        assert again.recap["changed"] == 0
        assert credentials(client) == after
    finally:
        play(namespace=NAMESPACE, multi_user=True, remove=True)
