# SPDX-License-Identifier: MIT
"""Finding models on a real API server: InferenceServices whose status says what KServe's would, and the lab's model server.

KServe itself is not on the lab. What is claimed is how its objects are read, and that what is found answers.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import yaml

CRD = Path(__file__).parents[1] / "fixtures" / "inferenceservices-crd.yml"
MODEL_SERVER = Path(__file__).parents[2] / "lab" / "images" / "model-server" / "model-server.yaml"
API = "serving.kserve.io/v1beta1"
MERGE = "application/merge-patch+json"
AUTH = "security.opendatahub.io/enable-auth"
# Nothing leads into the cluster from a machine outside of it; here that is a proxy which is not there.
OUTSIDE = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"}


class Project:
    """A namespace with a model server that wants a service account's token, and one that wants nothing."""

    def __init__(self, client, namespace):
        self.client, self.namespace = client, namespace

    def apply(self, api_version, kind, name, plural, **content):
        metadata = {"name": name, "namespace": self.namespace, **content.pop("metadata", {})}
        body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
        group = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        path = f"/{group}/namespaces/{self.namespace}/{plural}/{name}"
        self.client.apply(path, body, field_manager="tests")
        return path

    def token(self, account):
        """A token of a service account, as OpenShift AI keeps it; its value."""
        self.apply("v1", "ServiceAccount", account, "serviceaccounts")
        annotations = {"kubernetes.io/service-account.name": account}
        path = self.apply(
            "v1",
            "Secret",
            f"default-name-{account}",
            "secrets",
            metadata={"annotations": annotations},
            type="kubernetes.io/service-account-token",
        )
        end = time.monotonic() + 60
        while not (self.client.get(path).get("data") or {}).get("token"):
            assert time.monotonic() < end, "the token controller does not fill the Secret"
            time.sleep(0.2)
        return f"default-name-{account}"

    def serve(self, name, *, models, secret="", headless=False):
        """A model server behind a Service of this name."""
        documents = list(yaml.safe_load_all(MODEL_SERVER.read_text()))
        deployment = next(each for each in documents if each["kind"] == "Deployment")
        spec = deployment["spec"]
        labels = {"app.kubernetes.io/name": name}
        spec["selector"]["matchLabels"] = labels
        spec["template"]["metadata"]["labels"] = labels
        (container,) = spec["template"]["spec"]["containers"]
        container["env"] = [{"name": "MODELS", "value": models}]
        if secret:
            source = {"secretKeyRef": {"name": secret, "key": "token"}}
            container["env"].append({"name": "API_KEY", "valueFrom": source})
        self.apply("apps/v1", "Deployment", name, "deployments", spec=spec)
        service = {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
        if headless:
            service["clusterIP"] = "None"
        self.apply("v1", "Service", name, "services", spec=service)

    def wait(self, *names):
        end = time.monotonic() + 120
        for name in names:
            path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{name}"
            while not self.client.get(path).get("status", {}).get("readyReplicas"):
                assert time.monotonic() < end, f"{name} does not become ready"
                time.sleep(0.5)

    def inference_service(self, name, *, ready=True, annotations=None, account="", **status):
        predictor = {"model": {"modelFormat": {"name": "vLLM"}, "runtime": name}}
        if account:
            predictor["serviceAccountName"] = account
        path = self.apply(
            API,
            "InferenceService",
            name,
            "inferenceservices",
            metadata={"annotations": annotations or {}},
            spec={"predictor": predictor},
        )
        condition = {"type": "Ready", "status": str(ready)}
        if not ready:
            condition |= {"reason": "PredictorNotReady", "message": "Waiting for a GPU"}
        body = {"status": {"conditions": [condition], **status}}
        self.client.request("PATCH", f"{path}/status", body=body, content_type=MERGE)

    def inside(self, name, port=""):
        return f"http://{name}.{self.namespace}.svc.cluster.local{port}"


@pytest.fixture(scope="module", name="project")
def _project(client):
    definition = yaml.safe_load(CRD.read_text())
    name = definition["metadata"]["name"]
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    ours = client.find(path) is None
    if ours:  # a cluster of the user's may have the real one
        client.apply(path, definition, field_manager="tests")
    end = time.monotonic() + 60
    while client.find(f"/apis/{API}/inferenceservices") is None:
        assert time.monotonic() < end
        time.sleep(0.2)
    namespace = "test-model-discovery"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    client.apply(f"/api/v1/namespaces/{namespace}", body, field_manager="tests")
    project = Project(client, namespace)
    secret = project.token("protected-sa")
    project.serve("protected-predictor", models="granite", secret=secret)
    project.serve("plain-predictor", models="granite,nomic-embed-text", headless=True)
    project.wait("protected-predictor", "plain-predictor")
    project.inference_service(
        "protected",
        annotations={AUTH: "true"},
        url=project.inside("protected-predictor"),
    )
    # Without a port, as KServe said it of Services without an address of their own.
    project.inference_service("plain", address={"url": project.inside("plain-predictor")})
    yield project
    client.delete(f"/api/v1/namespaces/{namespace}")
    if ours:
        client.delete(path)


@pytest.fixture(name="discover")
def _discover(run_module, project):
    assert project
    return lambda environment=None, **options: run_module(
        "model_discovery", options, environment=environment
    )


def services(project, **more):
    return {"namespaces": [project.namespace], **more}


def test_a_cluster_without_kserve_says_so(client, run_module):
    if client.find(f"/apis/{API}"):
        pytest.skip("this cluster has KServe")
    said = run_module("model_discovery", {"inference_services": {}})["msg"]
    assert "The cluster has no kind InferenceService" in said and "as endpoints" in said


def test_what_openshift_ai_serves(discover, project):
    result = discover(inference_services=services(project), on_failure="report")
    assert result["problems"] == [], result
    shown = json.dumps(result)
    assert {(each["name"], each["api_base"]) for each in result["models"]} == {
        ("granite", project.inside("protected-predictor") + "/v1"),
        ("granite", project.inside("plain-predictor", ":8080") + "/v1"),
        ("nomic-embed-text", project.inside("plain-predictor", ":8080") + "/v1"),
    }
    by_base = {each["api_base"]: each for each in result["models"] if each["name"] == "granite"}
    protected = by_base[project.inside("protected-predictor") + "/v1"]
    assert protected["api_key_secret"] == {
        "name": "default-name-protected-sa",
        "key": "token",
        "namespace": project.namespace,
    }
    # A token of a service account begins so; none is in the result.
    assert "eyJ" not in shown
    assert len({each["id"] for each in by_base.values()}) == 2
    (embedding,) = (each for each in result["models"] if each["name"] == "nomic-embed-text")
    assert embedding["mode"] == "embedding"
    again = discover(inference_services=services(project))
    assert (again["changed"], again["models"]) == (False, result["models"])


def test_the_playbook_shows_it_and_registers_nothing(play, project):
    extra = {
        "litemaas_manage_action": "discover_models",
        "litemaas_manage_inference_services": project.namespace,
        "litemaas_manage_register": "false",
    }
    run = play(playbook="playbooks/manage_litemaas.yml", extra=extra).ok()
    place = project.inside("plain-predictor", ":8080")
    row = rf"/plain +{place}/v1 +granite, nomic-embed-text \(embedding\)$"
    assert re.search(row, run.stdout, re.MULTILINE), run.stdout
    assert "granite is served by" in run.stdout
    assert run.recap["changed"] == 0


def test_those_that_are_named_and_that_are_not_there(discover, project):
    result = discover(inference_services=services(project, names=["plain"]))
    assert [each["name"] for each in result["endpoints"]] == [f"{project.namespace}/plain"]
    said = discover(inference_services=services(project, names=["granit"]))["msg"]
    assert f"no InferenceService granit in {project.namespace}; there is plain, protected" in said


def test_from_outside_the_way_is_the_api_server(discover, project, kubeconfig):
    outside = {**OUTSIDE, "KUBECONFIG": kubeconfig}
    server = {"url": project.inside("plain-predictor")}
    result = discover(outside, endpoints=[server])
    (plain,) = result["endpoints"]
    assert (plain["via"], len(plain["models"])) == ("proxy", 2), result
    assert plain["url"] == project.inside("plain-predictor", ":8080") + "/v1"
    result = discover(outside, inference_services=services(project, names=["protected"]))
    assert "which passes no key on: give its address outside the cluster" in result["msg"]


def test_a_wrong_key_and_a_secret_that_is_not_there(discover, project):
    url = project.inside("protected-predictor")
    wrong = {"url": url, "api_key": "sk-canary-wrong-0123456789", "name": "wrong"}
    none = {"url": url, "name": "none"}
    lost = {
        "url": url,
        "name": "lost",
        "api_key_secret": {"name": "nothing", "namespace": project.namespace},
    }
    right = {
        "url": url,
        "name": "right",
        "api_key_secret": {"name": "default-name-protected-sa", "namespace": project.namespace},
    }
    result = discover(endpoints=[wrong, none, lost, right])
    assert result["failed"] and "3 of 4 model servers have a problem" in result["msg"]
    assert "wrong: " in result["msg"] and "refuses the key (401" in result["msg"]
    assert "none: " in result["msg"] and "wants a key (401" in result["msg"]
    assert "lost: the Secret nothing does not exist" in result["msg"]
    assert "canary" not in json.dumps(result)
    (entry,) = result["models"]
    assert entry["api_key_secret"] == {**right["api_key_secret"], "key": "token"}


def test_what_is_wrong_with_a_service_is_said(discover, project):
    project.inference_service("waiting", ready=False)
    project.inference_service("stopped", annotations={"serving.kserve.io/stop": "true"})
    project.inference_service(
        "tokenless", annotations={AUTH: "true"}, url=project.inside("plain-predictor")
    )
    try:
        result = discover(inference_services=services(project), on_failure="report")
        said = "\n".join(result["problems"])
        assert "waiting: it is not ready (PredictorNotReady: Waiting for a GPU)" in said
        assert "tokenless: it wants a token" in said and "service account tokenless-sa" in said
        assert "stopped" not in said and "is left out: it is stopped" in result["notes"][0]
        assert len(result["models"]) == 3
        named = discover(inference_services=services(project, names=["stopped"]))
        assert "stopped: it is stopped: start it first" in named["msg"]
    finally:
        for name in ("waiting", "stopped", "tokenless"):
            place = f"/apis/{API}/namespaces/{project.namespace}/inferenceservices/{name}"
            project.client.delete(place)
