# SPDX-License-Identifier: MIT
"""One instance's life with real LiteLLM and PostgreSQL: predicted, deployed, repaired, changed, removed, taken up again.

The tests of this file build on each other, in this order; each step runs once.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import subprocess
import time
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = "litemaas-lifecycle"
WHERE = {"namespace": NAMESPACE, "route_name": "lifecycle"}
PASSWORD = 'p@s:s/w#r?d&%+=;,"é$x'
# Values that must show up nowhere but in what is handed out.
CANARIES = {
    "postgres_password": "CanaryDb-" + PASSWORD,
    "litellm_ui_password": "CanaryUi-" + PASSWORD,
    "litellm_master_key": "sk-CanaryMaster0123456789abcdefghijklmnop",
    "litellm_salt_key": "sk-CanarySalt0123456789abcdefghijklmnopqr",
}
MODEL = {
    "model_name": "tale",
    "litellm_params": {
        "model": "openai/tale",
        "api_base": "http://unused.invalid/v1",
        "api_key": "x",
        "mock_response": "Once",
    },
    "model_info": {"id": "lifecycle-tale"},
}
KEY = "sk-lifecycle-0123456789abcdef"


class Life:
    """The steps, each run when first asked for."""

    def __init__(self, play, gateway, output_dir):
        # One folder for all runs: what is handed out again unchanged is no change either.
        self.play = functools.partial(play, output_dir=output_dir)
        self._gateway = gateway
        self.variables = {**WHERE, **CANARIES}

    @cached_property
    def predicted(self):
        return self.play("--check", "--diff", "-vvv", **self.variables)

    @cached_property
    def deployed(self):
        assert self.predicted
        return self.play("--diff", "-vvv", **self.variables).ok()

    @cached_property
    def data(self):
        return self.deployed.user_data()

    @cached_property
    def gateway(self):
        return self._gateway(self.data)

    @cached_property
    def again(self):
        assert self.deployed
        return self.play("-vvv", **self.variables).ok()

    @cached_property
    def checked(self):
        assert self.again
        return self.play("--check", "--diff", "-vvv", **self.variables).ok()


@pytest.fixture(scope="module")
def life(play, gateway, tmp_path_factory):
    life = Life(play, gateway, tmp_path_factory.mktemp("handed-out"))
    yield life
    play(namespace=NAMESPACE, remove=True)


def pods(client, app):
    path = f"/api/v1/namespaces/{NAMESPACE}/pods"
    return [
        p
        for p in client.list(path, label_selector=f"app={app}")
        if "deletionTimestamp" not in p["metadata"]
    ]


def secret(client, name):
    data = client.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_check_mode_predicts_on_an_empty_cluster_and_creates_nothing(life, client):
    # Asked before the namespace can exist: the first test of the file.
    assert client.find(f"/api/v1/namespaces/{NAMESPACE}") is None
    run = life.predicted.ok()

    assert run.recap["changed"] > 0
    assert "litellm" in run.stdout
    assert client.find(f"/api/v1/namespaces/{NAMESPACE}") is None
    assert not list(run.output_dir.iterdir())


def test_it_deploys_and_answers(life, gateway):
    assert life.deployed.recap["changed"] > 0
    status, models = life.gateway.call("GET", "/v1/models")
    assert status == 200
    assert models["data"] == []


def test_what_is_handed_out_is_what_the_catalog_expects(life):
    data = life.data
    assert data["litemaas_url"] == data["litellm_admin_url"] == data["litellm_api_endpoint"]
    assert re.fullmatch(r"https://litellm-lifecycle\.apps\..+", data["litemaas_url"])
    assert (
        data["litemaas_password"]
        == data["litellm_admin_password"]
        == CANARIES["litellm_ui_password"]
    )
    assert (
        data["litemaas_api_key"] == data["litemaas_admin_api_key"] == CANARIES["litellm_master_key"]
    )
    assert data["litemaas_username"] == data["litellm_admin_username"] == "admin"
    assert data["litemaas_namespace"] == NAMESPACE
    assert (data["litemaas_version"], data["cloud_provider"], data["storage_class"]) == (
        "0.2.0",
        "AWS",
        "gp3-csi",
    )
    assert "users" not in data
    messages = (life.deployed.output_dir / "provision-user-info.yaml").read_text()
    assert data["litemaas_url"] in messages
    for file in life.deployed.output_dir.iterdir():
        if file.suffix == ".yaml":
            assert file.stat().st_mode & 0o777 == 0o600, file


def test_a_password_of_any_characters_logs_in(life):
    status, body = life.gateway.call(
        "POST", "/v2/login", {"username": "admin", "password": CANARIES["litellm_ui_password"]}
    )
    assert status in (200, 303), body
    refused, _ = life.gateway.call("POST", "/v2/login", {"username": "admin", "password": "wrong"})
    assert refused in (400, 401, 403)


def test_a_second_run_changes_nothing_and_writes_nothing(life, audit):
    assert life.deployed
    audit.mark()

    run = life.again

    assert run.recap["changed"] == 0
    assert run.user_data() == life.data
    assert audit.entries(containing=NAMESPACE), "the audit log shows nothing of this run"
    assert audit.writes(containing=NAMESPACE) == []


def test_check_mode_shows_no_change_afterwards(life):
    assert life.checked.recap["changed"] == 0


@pytest.mark.parametrize("step", ["predicted", "deployed", "again", "checked"])
def test_no_secret_is_printed_or_left_in_a_file(life, step):
    run = getattr(life, step)
    # What is handed out is handed out: those tasks' results are the contract.
    blocks = re.split(r"(?m)^(?=TASK \[|PLAY |Monday|Tuesday)", run.stdout)
    printed = "".join(
        block for block in blocks if "Hand out how to log in" not in block.split("\n", 1)[0]
    )
    assert "Apply all objects" in printed
    for name, value in CANARIES.items():
        for text in (value, base64.b64encode(value.encode()).decode()):
            assert text not in printed, (name, step)
            assert text not in run.stderr, (name, step)
    for file in run.scratch.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [name for name, value in CANARIES.items() if value.encode() in content], file


def test_a_model_and_a_key_work(life):
    status, body = life.gateway.call("POST", "/model/new", MODEL)
    assert status == 200, body
    status, body = life.gateway.call(
        "POST", "/key/generate", {"key_alias": "life", "models": ["tale"], "key": KEY}
    )
    assert status == 200, body
    assert says_once(life.gateway)


def says_once(gateway, seconds=60):
    """Whether a chat with the virtual key is answered by the model that was added."""
    end = time.monotonic() + seconds
    chat = {"model": "tale", "messages": [{"role": "user", "content": "Tell me a story."}]}
    while time.monotonic() < end:
        status, body = gateway.call("POST", "/v1/chat/completions", chat, key=KEY)
        if status == 200:
            return body["choices"][0]["message"]["content"] == "Once"
        time.sleep(1)
    return False


def test_the_status_shows_it(life, audit):
    assert life.deployed
    audit.mark()
    wanted = {"deployment": NAMESPACE, "format": "json"}
    extra = {f"litemaas_status_{name}": value for name, value in wanted.items()}
    shown = life.play(playbook="playbooks/status_litemaas.yml", extra=extra).ok().stdout
    (found,) = json.loads(shown[shown.index("\n{") : shown.index("\n}") + 2])["instances"]
    assert (found["ready"], found["via"], found["models"]) == (True, "route", 1)
    assert (found["namespace"], found["url"]) == (NAMESPACE, life.data["litemaas_url"])
    assert (found["version"], found["litemaas_version"]) == ("v1.106.0", "0.2.0")
    assert found["age"] > 0
    assert audit.writes(containing=NAMESPACE) == []


def test_the_commands_of_the_lab_guide_work(life):
    page = (ROOT / "docs/examples/showroom/litemaas.adoc").read_text()
    for name, value in life.data.items():
        page = page.replace(f"{{{name}}}", str(value))
    blocks = re.findall(r"^----\n(.*?)\n----$", page, re.MULTILINE | re.DOTALL)
    commands = [block for block in blocks if not block.startswith("oc ")]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "CURL_CA_BUNDLE": os.environ["LITEMAAS_TEST_ROUTER_CA"]},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(commands) == 3
    assert '"content":"Once"' in done.stdout.replace(": ", ":")


def test_the_database_pod_may_die_and_its_data_stays(life, client):
    (pod,) = pods(client, "postgres")
    client.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}")

    end = time.monotonic() + 120
    while not [
        p for p in pods(client, "postgres") if p["metadata"]["uid"] != pod["metadata"]["uid"]
    ]:
        assert time.monotonic() < end
        time.sleep(0.5)
    assert life.gateway.answers()
    assert says_once(life.gateway)
    # Each of the gateway's parts finds its way back to the database by itself, a moment apart.
    model = life.gateway.eventually("GET", "/model/info?litellm_model_id=lifecycle-tale")
    assert model["data"][0]["model_name"] == "tale"
    keys = life.gateway.eventually("GET", "/key/list?key_alias=life&return_full_object=true")
    assert keys["total_count"] == 1


def test_a_changed_password_rolls_what_uses_it_and_nothing_else(life, client):
    database = {p["metadata"]["uid"] for p in pods(client, "postgres")}
    gateway = {p["metadata"]["uid"] for p in pods(client, "litellm")}

    changed = {**life.variables, "litellm_ui_password": "CanaryUi-second"}
    run = life.play("--diff", **changed).ok()

    assert run.recap["changed"] > 0
    assert run.user_data()["litemaas_password"] == "CanaryUi-second"
    assert {p["metadata"]["uid"] for p in pods(client, "postgres")} == database
    assert {p["metadata"]["uid"] for p in pods(client, "litellm")}.isdisjoint(gateway)
    status, body = life.gateway.call(
        "POST", "/v2/login", {"username": "admin", "password": "CanaryUi-second"}
    )
    assert status in (200, 303), body
    life.variables = changed


def test_a_changed_database_password_is_taken_by_both(life, client):
    changed = {**life.variables, "postgres_password": "CanaryDb-second"}
    life.play(**changed).ok()

    assert secret(client, "postgres-secret")["POSTGRES_PASSWORD"] == "CanaryDb-second"
    assert life.gateway.answers()
    assert says_once(life.gateway)
    life.variables = changed


@pytest.mark.parametrize("name", ["litellm_master_key", "litellm_salt_key"])
def test_a_changed_master_key_or_salt_is_refused(life, client, name):
    before = secret(client, "litellm-secret")
    run = life.play(**{**life.variables, name: "sk-another-0123456789abcdefghijklmnopqrstuv"})

    assert run.rc != 0
    assert f"ocp4_workload_litemaas_{name}" in run.stdout
    assert "sk-another-" not in run.text
    assert secret(client, "litellm-secret") == before


def test_drift_is_repaired(life, client):
    service = f"/api/v1/namespaces/{NAMESPACE}/services/litellm"
    client.delete(service)
    deployment = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/litellm"
    client.request(
        "PATCH",
        deployment,
        body={"spec": {"replicas": 0}},
        content_type="application/merge-patch+json",
    )

    run = life.play(**life.variables).ok()

    assert run.recap["changed"] == 1
    assert client.get(deployment)["spec"]["replicas"] == 1
    assert client.find(service)
    assert says_once(life.gateway)


def test_a_wrong_image_is_named_and_mended_by_the_next_run(life):
    broken = life.play(**{**life.variables, "postgres_tag": "20200101", "wait_timeout": 30})

    assert broken.rc != 0
    assert "quay.io/sclorg/postgresql-16-c9s:20200101" in broken.stdout
    assert NAMESPACE in broken.stdout

    life.play(**life.variables).ok()
    assert says_once(life.gateway)


def test_data_may_be_kept_and_taken_up_again(life, client):
    credentials = secret(client, "litellm-secret")
    volume = client.get(f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/data-postgres-0")[
        "spec"
    ]["volumeName"]

    removed = life.play(namespace=NAMESPACE, keep_data=True, extra={"ACTION": "destroy"}).ok()

    assert removed.recap["changed"] == 1
    assert client.find(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/litellm") is None
    assert client.find(f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/postgres") is None
    assert secret(client, "litellm-secret") == credentials
    assert life.play(namespace=NAMESPACE, keep_data=True, remove=True).ok().recap["changed"] == 0

    # Without the values: what is stored counts.
    again = life.play(**WHERE).ok()
    assert again.user_data()["litemaas_api_key"] == credentials["LITELLM_MASTER_KEY"]
    assert secret(client, "litellm-secret") == credentials
    claim = client.get(f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/data-postgres-0")
    assert claim["spec"]["volumeName"] == volume
    assert says_once(life.gateway)


def test_removal_takes_everything_and_only_that(life, client, namespace):
    life.play("--check", namespace=NAMESPACE, remove=True).ok()
    assert client.find(f"/api/v1/namespaces/{NAMESPACE}") is not None

    removed = life.play(namespace=NAMESPACE, remove=True).ok()

    assert removed.recap["changed"] == 1
    assert client.find(f"/api/v1/namespaces/{NAMESPACE}") is None
    assert client.find(f"/api/v1/namespaces/{namespace}") is not None
    again = life.play(namespace=NAMESPACE, remove=True).ok()
    assert again.recap["changed"] == 0
    assert "nothing to remove" in again.stdout
    assert life.play(namespace=NAMESPACE, extra={"ACTION": "destroy"}).ok().recap["changed"] == 0


def test_the_checkout_is_left_clean(life):
    assert not list((ROOT / "playbooks").glob("*user-*.yaml"))
