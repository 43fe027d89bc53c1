# SPDX-License-Identifier: MIT
"""One instance with several gateway pods and Redis, with the real components.

One deployment serves all tests of this file, which build on each other, in this order.
"""

from __future__ import annotations

import base64
import functools
from functools import cached_property

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import (
    Gateway,
    GatewayError,
    ProxyTransport,
)

NAMESPACE = "litemaas-scale"
WHERE = {"namespace": NAMESPACE, "route_name": "scale"}
MODEL = {
    "model_name": "tale",
    "litellm_params": {
        "model": "openai/tale",
        "api_base": "http://unused.invalid/v1",
        "api_key": "x",
        "mock_response": "Once",
    },
    "model_info": {"id": "scale-tale"},
}
LIMIT = 4  # requests a minute, of the keys whose limit is tried
REPLICAS = 2
TOGETHER = {"litellm_replicas": REPLICAS, "deploy_redis": True, "redis_storage_size": "1Gi"}


class Scale:
    """The states of the instance, each reached when first asked for."""

    def __init__(self, play, gateway, output_dir):
        # One folder for all runs: what is handed out again unchanged is no change either.
        self.play = functools.partial(play, output_dir=output_dir)
        self._gateway = gateway

    @cached_property
    def shared(self):
        """Two pods that count together."""
        return self.play(**WHERE, **TOGETHER).ok()

    @cached_property
    def gateway(self):
        return self._gateway(self.shared.user_data())


@pytest.fixture(scope="module")
def scale(play, gateway, tmp_path_factory):
    yield Scale(play, gateway, tmp_path_factory.mktemp("handed-out"))
    play(namespace=NAMESPACE, remove=True)


def names(client, group, kind):
    """The objects of a kind in the namespace that are this collection's."""
    path = f"{group}/namespaces/{NAMESPACE}/{kind}"
    ours = "app.kubernetes.io/managed-by=rhpds.litemaas"
    return {obj["metadata"]["name"] for obj in client.list(path, label_selector=ours)}


def gateway_pods(client):
    found = client.list(f"/api/v1/namespaces/{NAMESPACE}/pods", label_selector="app=litellm")
    return [pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]]


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


def test_several_pods_and_redis_come_up(scale, client):
    assert scale.shared.recap["changed"] > 0
    assert len(gateway_pods(client)) == REPLICAS
    assert names(client, "/apis/apps/v1", "deployments") == {"litellm", "redis"}
    status, body = scale.gateway.call("POST", "/model/new", MODEL)
    assert status == 200, body


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
    assert password not in scale.shared.text
    pods = client.list(f"/api/v1/namespaces/{NAMESPACE}/pods", label_selector="app=redis")
    (pod,) = pods
    (status,) = pod["status"]["containerStatuses"]
    assert (status["ready"], status["restartCount"]) == (True, 0)


def test_pods_with_redis_hold_a_limit_together(scale, client):
    assert scale.gateway
    assert passed(client, scale.gateway, "together") == LIMIT


def test_what_is_switched_off_goes_once_the_gateway_answers_without_it(scale, client):
    assert scale.shared
    predicted = scale.play("--check", **WHERE).ok()
    assert predicted.recap["changed"] > 0
    assert names(client, "/apis/apps/v1", "deployments") == {"litellm", "redis"}
    scale.play(**WHERE).ok()
    assert names(client, "/apis/apps/v1", "deployments") == {"litellm"}
    assert names(client, "/apis/batch/v1", "jobs") == set()
    assert names(client, "/apis/policy/v1", "poddisruptionbudgets") == set()
    assert "redis-secret" not in names(client, "/api/v1", "secrets")
    status, body = scale.gateway.call("GET", "/v1/models")
    assert (status, [each["id"] for each in body["data"]]) == (200, ["tale"])
    assert scale.play(**WHERE).ok().recap["changed"] == 0
