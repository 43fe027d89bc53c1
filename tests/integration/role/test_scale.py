# SPDX-License-Identifier: MIT
"""One instance with several gateway pods, with the real components: alone and with Redis, under load, changed and changed back.

One deployment serves all tests of this file, which build on each other, in this order. The load comes through the Route from a
process of its own (load.py), with plain and streamed completions over kept and over new connections.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import (
    Gateway,
    GatewayError,
    ProxyTransport,
)

from . import in_pods
from .ours import names

LOAD = Path(__file__).resolve().parents[1] / "load.py"
NAMESPACE = "litemaas-scale"
# Starting is work: with less, a rolling change of the pods would only last longer.
WHERE = {"namespace": NAMESPACE, "route_name": "scale", "litellm_cpu_limit": "2"}
TALE = {
    "model_name": "tale",
    "litellm_params": {
        "model": "openai/tale",
        "api_base": "http://unused.invalid/v1",
        "api_key": "x",
        "mock_response": "Once",
    },
    "model_info": {"id": "scale-tale"},
}
KEY = "sk-scale-load-0123456789"
WORDS = "one two three four five six seven eight nine ten"
PRICE = 0.001  # of each token that the model of the load gives
RATE = 3  # requests a second
LIMIT = 4  # requests a minute, of the keys whose limit is tried
REPLICAS = 3
APART = {"litellm_replicas": REPLICAS}
TOGETHER = {**APART, "deploy_redis": True, "redis_storage_size": "1Gi"}
# What a migration that is killed in the middle leaves in Prisma's ledger, and what somebody does who has seen that it was complete.
LEDGER = "UPDATE _prisma_migrations SET {} WHERE migration_name = (SELECT min(migration_name) FROM _prisma_migrations)"
INTERRUPTED = LEDGER.format("finished_at = NULL, applied_steps_count = 0")
COMPLETED = LEDGER.format("finished_at = now(), applied_steps_count = 1")


class Scale:
    """The states of the instance, each reached when first asked for."""

    def __init__(self, play, gateway, client, models_url, output_dir):
        # One folder for all runs: what is handed out again unchanged is no change either.
        self.play = functools.partial(play, output_dir=output_dir)
        self._gateway, self._client, self._models_url = gateway, client, models_url

    @cached_property
    def apart(self):
        """Several pods, each of which counts for itself, with two models and a key."""
        run = self.play(**WHERE, **APART)
        assert run.rc == 0, run.text
        gateway = self._gateway(run.user_data())
        lab = {
            "model_name": "lab",
            "litellm_params": {
                "model": "openai/lab-model",
                "api_base": self._models_url,
                "api_key": "x",
                "input_cost_per_token": 0,
                "output_cost_per_token": PRICE,
            },
            "model_info": {"id": "scale-lab"},
        }
        key = {"key_alias": "load", "models": ["lab", "tale"], "key": KEY}
        for path, body in (("/model/new", TALE), ("/model/new", lab), ("/key/generate", key)):
            status, answer = gateway.call("POST", path, body)
            assert status == 200, answer
        return run

    @cached_property
    def gateway(self):
        return self._gateway(self.apart.user_data())

    @cached_property
    def shared(self):
        """Several pods that count together: what became of the load and of long answers meanwhile, and the run."""
        stream = {"stream": True, "lab-chunk-delay": 5}
        with ThreadPoolExecutor(REPLICAS + 1) as pool, self.load() as report:
            long = [pool.submit(self.chat, **{"lab-delay": 40})]
            long += [pool.submit(self.chat, **stream) for _ in range(REPLICAS)]
            run = self.play(**WHERE, **TOGETHER).ok()
            self.settle()
        return report, [each.result() for each in long], run

    @contextlib.contextmanager
    def load(self):
        """A steady load while the block runs; what became of it stands in the dictionary afterwards."""
        report = {}
        arguments = [
            self.gateway.url,
            os.environ["LITEMAAS_TEST_ROUTER_CA"],
            "lab",
            str(RATE),
            "600",
        ]
        process = subprocess.Popen(
            [sys.executable, str(LOAD), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LOAD_KEY": KEY},
        )
        try:
            time.sleep(6)  # until every client has a connection that it keeps
            yield report
            time.sleep(3)
        finally:
            told, _ = process.communicate("", timeout=150)
        report.update(json.loads(told))
        assert report["sent"] > 2 * RATE, report

    def settle(self):
        """Wait until the pods are those that the Deployment wants, all ready, and none is about to end."""
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/litellm"
        end = time.monotonic() + 400
        while True:
            found = self._client.get(path)
            wanted, status = found["spec"]["replicas"], found["status"]
            rolled = status.get("observedGeneration") == found["metadata"]["generation"]
            rolled = rolled and status.get("replicas") == status.get("updatedReplicas") == wanted
            pods = pods_of(self._client)
            if rolled and len(pods) == wanted and all(map(answers, pods)):
                return
            assert time.monotonic() < end, (status, [pod["metadata"]["name"] for pod in pods])
            time.sleep(0.5)

    @cached_property
    def by_digest(self):
        """The gateway's image under another name: what its tag stands for, by its digest."""
        pod, *_ = pods_of(self._client)
        (container,) = pod["spec"]["containers"]
        (status,) = pod["status"]["containerStatuses"]
        digest = status["imageID"].partition("@")[2]
        assert digest, status
        return f"{container['image']}@{digest}"

    def chat(self, **more):
        """Status and answer of one completion."""
        body = {"model": "lab", "messages": [{"role": "user", "content": WORDS}], **more}
        return self.gateway.call("POST", "/v1/chat/completions", body, key=KEY)

    def spent(self):
        """What the key of the load has spent, as far as that has been written down."""
        status, body = self.gateway.call("GET", f"/key/info?key={KEY}")
        assert status == 200, body
        return body["info"]["spend"]

    def keeps_its_data(self, spent):
        """Whether models, the key and what it spent are there, and of use."""
        status, body = self.gateway.call("GET", "/v1/models", key=KEY)
        assert (status, {each["id"] for each in body["data"]}) == (200, {"lab", "tale"}), body
        return self.chat()[0] == 200 and self.spent() >= spent


@pytest.fixture(scope="module")
def scale(play, gateway, client, model_server, tmp_path_factory):
    yield Scale(play, gateway, client, model_server, tmp_path_factory.mktemp("handed-out"))
    play(namespace=NAMESPACE, remove=True)


def pods_of(client):
    """The gateway's pods, with those that end."""
    return client.list(f"/api/v1/namespaces/{NAMESPACE}/pods", label_selector="app=litellm")


def answers(pod):
    """Whether a pod is ready and stays."""
    ready = {"type": "Ready", "status": "True"}
    conditions = pod["status"].get("conditions", ())
    return "deletionTimestamp" not in pod["metadata"] and any(
        ready.items() <= condition.items() for condition in conditions
    )


def gateway_pods(client):
    return [
        pod["metadata"]["name"]
        for pod in pods_of(client)
        if "deletionTimestamp" not in pod["metadata"]
    ]


def lost_none(report):
    """Whether no request failed; the router may have closed one idle connection in the moment in which it was used."""
    assert report["failed"] == [], report
    return len(report["closed"]) <= 1


def sql(statement):
    """Run a statement in the instance's database, as its owner."""
    shell = 'psql -Xq -v ON_ERROR_STOP=1 -d "$POSTGRESQL_DATABASE" -c "$0"'
    in_pods.run(NAMESPACE, "postgres-0", "/bin/bash", "-c", shell, statement).check_returncode()


def ask_pod(client, pod, key):
    """The status of one completion asked of this very pod, through the API server."""
    transport = ProxyTransport(client, NAMESPACE)
    transport._path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:4000/proxy"
    chat = {"model": "tale", "messages": [{"role": "user", "content": "Tell me."}]}
    try:
        Gateway(transport, key).request("POST", "/v1/chat/completions", chat)
    except GatewayError as error:
        return error.status
    return 200


def passed(client, gateway, alias):
    """How many of `LIMIT` requests to each pod pass, with a new key that allows `LIMIT` a minute."""
    key = f"sk-scale-{alias}-0123456789"
    wanted = {"key_alias": alias, "models": ["tale"], "rpm_limit": LIMIT, "key": key}
    status, body = gateway.call("POST", "/key/generate", wanted)
    assert status == 200, body
    answers = [ask_pod(client, pod, key) for pod in gateway_pods(client) for _ in range(LIMIT)]
    assert set(answers) <= {200, 429}, answers
    return answers.count(200)


def test_several_pods_come_up(scale, client):
    assert scale.apart.recap["changed"] > 0
    (warning,) = scale.apart.warnings
    assert "each pod counts for itself" in warning
    assert len(gateway_pods(client)) == REPLICAS
    assert names(client, NAMESPACE, "/apis/apps/v1", "deployments") == {"litellm"}


def test_pods_without_redis_each_hold_a_limit_for_themselves(scale, client):
    assert passed(client, scale.gateway, "apart") == LIMIT * REPLICAS


def test_redis_comes_up_and_no_request_is_lost(scale, client):
    before = set(gateway_pods(client))
    report, _long, run = scale.shared
    assert lost_none(report)
    assert run.recap["changed"] > 0
    assert not before & set(gateway_pods(client))
    assert names(client, NAMESPACE, "/apis/apps/v1", "deployments") == {"litellm", "redis"}


def test_pods_that_are_replaced_finish_long_answers(scale):
    """One that is silent for longer than a Route allows by default, and streams of more than a minute."""
    _report, ((status, answer), *streams), _run = scale.shared
    assert (status, answer["choices"][0]["message"]["content"].split()[-1]) == (200, "ten")
    for status, text in streams:
        assert status == 200
        assert "ten" in text and text.rstrip().endswith("data: [DONE]")


def test_a_second_run_changes_nothing(scale):
    assert scale.shared
    assert scale.play(**WHERE, **TOGETHER).ok().recap["changed"] == 0


def test_one_migration_was_recorded_and_the_pods_made_none(scale, client):
    assert scale.shared
    (job,) = client.list(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")
    assert job["status"]["succeeded"] == 1
    deployment = client.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/litellm")
    awaited = deployment["metadata"]["annotations"]["rhpds.litemaas/migration"]
    assert awaited == job["metadata"]["name"]
    for pod in gateway_pods(client):
        log = client.text(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/log", container="litellm")
        assert "migrate deploy" not in log


def test_redis_has_a_password_and_a_bound(client, scale):
    assert scale.shared
    data = client.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/redis-secret")["data"]
    password = base64.b64decode(data["REDIS_PASSWORD"]).decode()
    assert len(password) >= 24
    assert password not in scale.shared[-1].text
    pods = client.list(f"/api/v1/namespaces/{NAMESPACE}/pods", label_selector="app=redis")
    (pod,) = pods
    (status,) = pod["status"]["containerStatuses"]
    assert (status["ready"], status["restartCount"]) == (True, 0)


def test_pods_with_redis_hold_a_limit_together(scale, client):
    assert scale.shared
    assert passed(client, scale.gateway, "together") == LIMIT


def test_a_pod_that_is_killed_fails_requests_until_the_others_have_its_share(scale, client):
    assert scale.shared
    with scale.load() as report:
        killed = gateway_pods(client)[0]
        at = time.time()
        client.request(
            "DELETE",
            f"/api/v1/namespaces/{NAMESPACE}/pods/{killed}",
            body={"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0},
        )
        scale.settle()
        again = time.time()
    assert all(at <= fail["at"] + fail["seconds"] <= again for fail in report["failed"]), report


def test_a_migration_that_fails_leaves_the_pods_that_ran(scale, client):
    """What a migration that was killed leaves in the database, found when another image is to come."""
    assert scale.shared
    before = set(gateway_pods(client))
    sql(INTERRUPTED)
    with scale.load() as report:
        run = scale.play(**WHERE, **TOGETHER, litellm_image=scale.by_digest)
    assert run.rc != 0
    assert lost_none(report)
    assert before <= set(gateway_pods(client))
    failed = [
        job["metadata"]["name"]
        for job in client.list(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")
        if job["status"].get("failed")
    ]
    (name,) = failed
    said = " ".join(run.stdout.split())
    assert re.search(f"Job {name} failed: container migrate ended with [1-9]", said)
    # LiteLLM's own explanation.
    assert re.search(r"last log line: .*no successful completion record", said)


def test_the_same_command_converges_once_the_cause_is_mended(scale, client):
    """A new image, after its migration, pod by pod."""
    assert scale.by_digest
    sql(COMPLETED)
    with scale.load() as report:
        scale.play(**WHERE, **TOGETHER, litellm_image=scale.by_digest).ok()
        scale.settle()
    assert lost_none(report)
    for pod in pods_of(client):
        (container,) = pod["spec"]["containers"]
        assert container["image"] == scale.by_digest
    (job,) = client.list(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")
    assert job["status"]["succeeded"] == 1


def test_what_is_switched_off_goes_once_the_gateway_answers_without_it(scale, client):
    assert scale.shared
    spent = scale.spent()
    assert spent > 0
    predicted = scale.play("--check", **WHERE).ok()
    assert predicted.recap["changed"] > 0
    assert names(client, NAMESPACE, "/apis/apps/v1", "deployments") == {"litellm", "redis"}
    scale.play(**WHERE).ok()
    assert len(gateway_pods(client)) == 1
    assert names(client, NAMESPACE, "/apis/apps/v1", "deployments") == {"litellm"}
    for group, kind, name in (
        ("/apis/batch/v1", "jobs", ""),
        ("/apis/policy/v1", "poddisruptionbudgets", ""),
        ("/api/v1", "secrets", "redis-secret"),
        ("/api/v1", "services", "redis"),
        ("/api/v1", "serviceaccounts", "redis"),
        ("/api/v1", "persistentvolumeclaims", "redis"),
        ("/apis/networking.k8s.io/v1", "networkpolicies", "redis"),
    ):
        left = names(client, NAMESPACE, group, kind)
        assert not (left & {name} if name else left), kind
    assert scale.keeps_its_data(spent)
    assert scale.play(**WHERE).ok().recap["changed"] == 0


def test_what_is_switched_on_again_finds_everything_there(scale, client):
    assert scale.shared
    spent = scale.spent()
    scale.play(**WHERE, **TOGETHER).ok()
    assert len(gateway_pods(client)) == REPLICAS
    assert names(client, NAMESPACE, "/apis/apps/v1", "deployments") == {"litellm", "redis"}
    assert scale.keeps_its_data(spent)
    assert passed(client, scale.gateway, "again") == LIMIT
    assert scale.play(**WHERE, **TOGETHER).ok().recap["changed"] == 0
