# SPDX-License-Identifier: MIT
"""What the role's tests share: running a playbook as a user does, and talking to a gateway as a client does."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

ROOT = Path(__file__).resolve().parents[3]
MODEL_SERVER = ROOT / "tests" / "lab" / "images" / "model-server" / "model-server.yaml"
DEPLOY = "playbooks/deploy_litemaas.yml"
PREFIX = "ocp4_workload_litemaas_"
# Tests of several files share one node of few CPUs, and a deployment without room is refused. Limits are the role's own.
SMALL = {
    f"{part}_cpu_request": "10m"
    for part in ("litellm", "postgres", "multi_user_litellm", "multi_user_postgres")
}


@dataclass(frozen=True)
class Run:
    """One finished ansible-playbook."""

    rc: int
    stdout: str
    stderr: str
    seconds: float
    output_dir: Path
    scratch: Path
    recap: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Everything it printed."""
        return self.stdout + self.stderr

    @property
    def warnings(self) -> list[str]:
        """Ansible's own warnings, none of which a run may give."""
        return re.findall(r"\[(?:DEPRECATION )?WARNING\].*", self.text)

    def user_data(self, action: str = "provision") -> dict[str, Any]:
        """The data handed to the catalog."""
        return yaml.safe_load((self.output_dir / f"{action}-user-data.yaml").read_text())

    def ok(self) -> Run:
        """This run, which must have passed without a warning."""
        assert self.rc == 0, self.text
        assert not self.warnings, self.warnings
        return self


def recap(stdout: str) -> dict[str, int]:
    """The counts of PLAY RECAP: {"ok": 9, "changed": 0, "failed": 0, …}."""
    found = re.findall(r"^localhost\s+:(.*)$", stdout, re.MULTILINE)
    return (
        {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", found[-1])} if found else {}
    )


@pytest.fixture(scope="session")
def play(kubeconfig: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Runs the deploying playbook: play(namespace="x", _flags=["--check"]) with the role's variables unprefixed."""
    # Made at its first use, which clears what is there: not by two threads of a test at once.
    tmp_path_factory.getbasetemp()

    def run(
        *flags: str,
        playbook: str = DEPLOY,
        environment: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
        output_dir: Path | None = None,
        **variables: Any,
    ) -> Run:
        scratch = tmp_path_factory.mktemp("run")
        output_dir = output_dir or scratch / "output"
        temporary = scratch / "tmp"
        output_dir.mkdir(exist_ok=True)
        temporary.mkdir()
        values = {"output_dir": str(output_dir), **(extra or {})}
        values |= {PREFIX + name: value for name, value in {**SMALL, **variables}.items()}
        arguments = scratch / "vars.json"
        arguments.write_text(json.dumps(values))
        start = time.monotonic()
        done = subprocess.run(
            ["ansible-playbook", playbook, *flags, "-e", f"@{arguments}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("K8S_AUTH_")},
                "KUBECONFIG": kubeconfig,
                "ANSIBLE_NOCOLOR": "1",
                "TMPDIR": str(temporary),
                "ANSIBLE_LOCAL_TEMP": str(temporary),
                "ANSIBLE_REMOTE_TEMP": str(temporary),
                **(environment or {}),
            },
        )
        arguments.unlink()
        return Run(
            done.returncode,
            done.stdout,
            done.stderr,
            time.monotonic() - start,
            output_dir,
            temporary,
            recap(done.stdout),
        )

    return run


class Gateway:
    """A client of a gateway as a student's is: over the Route, TLS verified against the lab's CA."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.pool = urllib3.PoolManager(
            ca_certs=os.environ["LITEMAAS_TEST_ROUTER_CA"], retries=False
        )

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """Status and decoded answer."""
        answer = self.pool.request(
            method,
            self.url + path,
            body=None if body is None else json.dumps(body),
            headers={
                "Authorization": f"Bearer {key or self.key}",
                "Content-Type": "application/json",
            },
            timeout=60.0,
            redirect=False,
        )
        text = answer.data.decode()
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text

    def enter(self, name: str, password: str) -> dict[str, Any]:
        """The session of the web UI that somebody gets; empty where there is none, or where it can do nothing yet."""
        answer = self.pool.request(
            "POST",
            f"{self.url}/v2/login",
            body=json.dumps({"username": name, "password": password}),
            headers={"Content-Type": "application/json"},
            timeout=60.0,
        )
        if answer.status != 200:
            return {}
        cookie = re.search(r"token=([^;]+)", answer.headers.get("Set-Cookie", ""))
        assert cookie, dict(answer.headers)
        payload = cookie[1].split(".")[1]
        session = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        status, _me = self.call(
            "GET", f"/user/info?user_id={session['user_id']}", key=session["key"]
        )
        return session if status == 200 and not session.get("password_reset_required") else {}

    def eventually(self, method: str, path: str, seconds: float = 60.0) -> Any:
        """The answer once its status is 200; a failure when that takes longer than *seconds*."""
        end = time.monotonic() + seconds
        while True:
            status, body = self.call(method, path)
            if status == 200:
                return body
            assert time.monotonic() < end, (status, body)
            time.sleep(1)

    def answers(self, seconds: float = 120.0) -> bool:
        """Whether it becomes ready, its database connected, within *seconds*."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                status, body = self.call("GET", "/health/readiness")
            except urllib3.exceptions.HTTPError:
                status, body = 0, None
            if status == 200 and isinstance(body, dict) and body.get("db") == "connected":
                return True
            time.sleep(1)
        return False


@pytest.fixture(scope="session")
def gateway() -> Callable[[dict[str, Any]], Gateway]:
    """gateway(user_data) is a client with the master key."""
    return lambda data: Gateway(data["litemaas_url"], data["litemaas_api_key"])


@pytest.fixture(scope="module")
def model_server(client: Any) -> Iterator[str]:
    """The address of a model server inside the cluster."""
    name = f"models-{uuid.uuid4().hex[:8]}"
    for document in yaml.safe_load_all(MODEL_SERVER.read_text()):
        metadata = document["metadata"]
        if document["kind"] == "Namespace":
            metadata["name"] = name
            path = f"/api/v1/namespaces/{name}"
        else:
            metadata["namespace"] = name
            group = {"Deployment": "apis/apps/v1", "Service": "api/v1"}[document["kind"]]
            path = f"/{group}/namespaces/{name}/{document['kind'].lower()}s/{metadata['name']}"
        client.apply(path, document, field_manager="tests")
    yield f"http://model-server.{name}.svc/v1"
    client.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def clean(play: Callable[..., Run]) -> Any:
    """Removes the namespaces a test names, whatever became of it."""
    names: list[str] = []
    yield names.append
    for name in names:
        play(namespace=name, remove=True)
