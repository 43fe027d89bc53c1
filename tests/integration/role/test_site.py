# SPDX-License-Identifier: MIT
"""What a site brings along: an address and certificate of its own, a pull secret, restricted connections.

One deployment serves all tests of this file, which build on each other, in this order: several gateway pods with Redis and PgBouncer,
so that every kind of pod is there.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.request
from functools import cached_property
from pathlib import Path

import pytest
from cryptography import x509

from ...pki import Authority

NAMESPACE = "litemaas-site"
CANARY = "c4n4ry-of-the-registry"
PULL = {"auths": {"ghcr.io": {"auth": base64.b64encode(f"robot:{CANARY}".encode()).decode()}}}
SHAPE = {
    "litellm_replicas": 2,
    "deploy_redis": True,
    "redis_storage_size": "",
    "deploy_pgbouncer": True,
}
PYTHON = "/app/.venv/bin/python"
# Says what became of a connection: "open", "refused" or "timed out".
TRY = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 4)
    print("open")
except OSError as error:
    print("timed out" if isinstance(error, TimeoutError) else error)
"""


class Site:
    """The states of the instance, each reached when first asked for."""

    def __init__(self, play, model_server, output_dir):
        self.play = functools.partial(play, namespace=NAMESPACE, output_dir=output_dir, **SHAPE)
        self.host = f"models-of-the-site.{os.environ['LITEMAAS_TEST_APPS_DOMAIN']}"
        self.authority = Authority()
        self.pair = self.authority.pair(self.host)
        self.models = model_server.split("//")[1].split(".")[1]  # the namespace
        self.model_server = model_server

    @property
    def own(self):
        """The role's variables."""
        inside = {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.models}}
        }
        return {
            "route_host": self.host,
            "route_tls_certificate": self.pair.certificate,
            "route_tls_key": self.pair.key,
            "route_ca": self.authority.pem,
            "image_pull_secret_content": json.dumps(PULL),
            "egress": "restricted",
            "egress_allow": [{"to": [inside], "ports": [{"protocol": "TCP", "port": 8080}]}],
        }

    @cached_property
    def deployed(self):
        return self.play(**self.own).ok()

    @cached_property
    def renewed(self):
        """With another certificate, signed by somebody else."""
        assert self.deployed
        self.authority = Authority("another CA")
        self.pair = self.authority.pair(self.host)
        return self.play(**self.own).ok()

    @cached_property
    def plain(self):
        """Without any of it."""
        assert self.renewed
        return self.play().ok()


@pytest.fixture(scope="module")
def site(play, model_server, tmp_path_factory):
    yield Site(play, model_server, tmp_path_factory.mktemp("handed-out"))
    play(namespace=NAMESPACE, remove=True)


def served(host, trusted):
    """The serial number of the certificate that a client meets who trusts nobody but these."""
    context = ssl.create_default_context(cadata=trusted)
    with (
        socket.create_connection((host, 443), 20) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return x509.load_der_x509_certificate(secure.getpeercert(True)).serial_number


def objects(client, group, kind, **more):
    return client.list(f"{group}/namespaces/{NAMESPACE}/{kind}", **more)


def pods(client, app):
    found = objects(client, "/api/v1", "pods", label_selector=f"app={app}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def run_in(app, container, *command, client):
    """What a command in a pod of the instance prints."""
    pod, *_others = [each for each in pods(client, app) if each["status"]["phase"] == "Running"]
    kubectl = ["kubectl", f"--kubeconfig={os.environ['LITEMAAS_TEST_KUBECONFIG']}", "exec"]
    whole = [*kubectl, "-n", NAMESPACE, pod["metadata"]["name"], "-c", container, "--", *command]
    done = subprocess.run(whole, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip() or done.stderr


def from_gateway(client, host, port):
    return run_in("litellm", "litellm", PYTHON, "-c", TRY, host, str(port), client=client)


def from_shell(client, app, host, port):
    """The same from an image without Python."""
    shell = f"timeout 4 bash -c 'exec 3<>/dev/tcp/{host}/{port}' && echo open || echo $?"
    said = run_in(app, app, "/bin/bash", "-c", shell, client=client)
    return {"open": "open", "124": "timed out"}.get(said.splitlines()[-1], said)


def eventually(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(1)


def ask(site, data, path, body):
    """The answer of the gateway, for who trusts nobody but those who signed its certificate."""
    request = urllib.request.Request(
        data["litemaas_url"] + path,
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {data['litemaas_api_key']}", "Content-Type": "application/json"},
    )
    context = ssl.create_default_context(cadata=site.authority.pem)
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        return json.load(answer)


def address(client, app):
    return pods(client, app)[0]["status"]["podIP"]


def test_it_comes_up_at_its_own_address(site, client):
    assert site.deployed.recap["changed"] > 0
    (route,) = objects(client, "/apis/route.openshift.io/v1", "routes")
    assert route["spec"]["host"] == site.host
    assert site.deployed.user_data()["litemaas_url"] == f"https://{site.host}"
    # Verified through that address, and not around it.
    assert "cannot be used from here" not in site.deployed.text


def test_its_certificate_is_served_and_everybody_elses_stays(site):
    assert site.deployed
    assert served(site.host, site.authority.pem) == site.pair.serial
    routers = Path(os.environ["LITEMAAS_TEST_ROUTER_CA"]).read_text()
    with pytest.raises(ssl.SSLCertVerificationError):
        served(site.host, routers)
    other = f"another.{os.environ['LITEMAAS_TEST_APPS_DOMAIN']}"
    assert served(other, routers)


def test_a_second_run_changes_nothing(site):
    assert site.deployed
    assert site.play(**site.own).ok().recap["changed"] == 0


def test_no_secret_is_ever_shown(site):
    assert site.deployed
    site.pair = Authority().pair(site.host)  # what changes is shown
    changed = {**site.own, "route_ca": ""}
    run = site.play("-vvv", "--diff", "--check", **changed)
    assert run.rc == 0, run.text
    assert "Secret litemaas-site/litellm-tls" in run.text
    for text in (run.text, site.deployed.text):
        assert CANARY not in text
        assert PULL["auths"]["ghcr.io"]["auth"] not in text
        assert not [line for line in site.pair.key.splitlines()[1:-1] if line in text]


def test_images_of_all_pods_are_pulled_with_the_secret(site, client):
    assert site.deployed
    secret = client.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/litemaas-pull-secret")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert json.loads(base64.b64decode(secret["data"][".dockerconfigjson"])) == PULL
    found = {
        pod["metadata"]["labels"]["app"]: pod["spec"]["imagePullSecrets"]
        for pod in objects(client, "/api/v1", "pods")
    }
    assert set(found) >= {"litellm", "postgres", "redis", "pgbouncer", "litellm-migration"}
    assert set(map(str, found.values())) == {str([{"name": "litemaas-pull-secret"}])}


def test_a_restricted_gateway_reaches_what_is_allowed_and_nothing_else(site, client):
    data = site.deployed.user_data()
    # The address of its own model server by name: DNS, and the rule for it.
    assert from_gateway(client, f"model-server.{site.models}.svc", 80) == "open"
    assert from_gateway(client, "pgbouncer", 6432) == "open"
    assert from_gateway(client, "redis", 6379) == "open"
    # Its own pods and those of others, the API server and the router.
    api, port = re.fullmatch(r"https://(.*):(\d+)", client.connection.host).groups()
    (other,) = [
        pod
        for pod in client.list(f"/api/v1/namespaces/{site.models}/pods")
        if pod["status"]["phase"] == "Running"
    ]
    for host, number in (
        (other["status"]["podIP"], 9999),
        (api, int(port)),
        (site.host, 443),
    ):
        assert from_gateway(client, host, number) == "timed out", host
    model = {"model": "openai/lab-model", "api_base": site.model_server, "api_key": "none-needed"}
    ask(site, data, "/model/new", {"model_name": "lab-model", "litellm_params": model})
    chat = {"model": "lab-model", "messages": [{"role": "user", "content": "hello"}]}
    assert ask(site, data, "/v1/chat/completions", chat)["choices"]


@pytest.mark.parametrize("app", ["postgres", "redis"])
def test_a_restricted_database_and_redis_begin_no_connection(site, client, app):
    assert site.deployed
    for other, port in (("litellm", 4000), ({"postgres": "redis", "redis": "postgres"}[app], 5432)):
        assert from_shell(client, app, address(client, other), port) == "timed out"
    names = run_in(
        app, app, "/bin/bash", "-c", "timeout 4 getent hosts litellm || echo none", client=client
    )
    assert names == "none", "not even DNS"


def test_another_certificate_is_taken_over_and_no_pod_goes(site, client):
    assert site.deployed
    before = {
        pod["metadata"]["name"] for app in ("litellm", "postgres") for pod in pods(client, app)
    }
    assert site.renewed.recap["changed"] == 1
    eventually(lambda: served(site.host, site.authority.pem) == site.pair.serial)
    assert before == {
        pod["metadata"]["name"] for app in ("litellm", "postgres") for pod in pods(client, app)
    }


def test_what_is_taken_out_again_is_removed(site, client):
    assert site.plain.recap["changed"] > 0
    (route,) = objects(client, "/apis/route.openshift.io/v1", "routes")
    assert route["spec"]["host"].startswith("litellm-rhpds.")
    assert "externalCertificate" not in route["spec"]["tls"]
    secrets = {each["metadata"]["name"] for each in objects(client, "/api/v1", "secrets")}
    assert {"litellm-secret", "postgres-secret", "redis-secret"} <= secrets
    assert secrets.isdisjoint({"litellm-tls", "litemaas-pull-secret"})
    group = "/apis/rbac.authorization.k8s.io/v1"
    for kind in ("roles", "rolebindings"):
        assert "litellm-certificate" not in {
            o["metadata"]["name"] for o in objects(client, group, kind)
        }
    policies = objects(client, "/apis/networking.k8s.io/v1", "networkpolicies")
    assert {o["metadata"]["name"] for o in policies} >= {
        "litellm",
        "postgres",
        "redis",
        "pgbouncer",
    }
    assert "litellm-migration" not in {o["metadata"]["name"] for o in policies}
    assert {tuple(o["spec"]["policyTypes"]) for o in policies} == {("Ingress",)}
    eventually(lambda: from_gateway(client, address(client, "redis"), 6379) == "open")
    assert site.play().ok().recap["changed"] == 0


def test_a_secret_that_is_there_is_used_and_one_that_is_not_is_refused(site, client, new_namespace):
    home = new_namespace()
    refused = site.play(
        **{
            **SHAPE,
            "namespace": home,
            "use_existing_namespace": True,
            "image_pull_secret": "mirror",
        },
    )
    assert refused.rc != 0
    assert f"image_pull_secret names no Secret in {home}, got 'mirror'" in refused.text
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "mirror", "namespace": home},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(PULL).encode()).decode()},
    }
    client.apply(f"/api/v1/namespaces/{home}/secrets/mirror", body, field_manager="tests")
    plan = {"namespace": home, "use_existing_namespace": True, "image_pull_secret": "mirror"}
    shown = site.play(playbook="playbooks/plan_litemaas.yml", **{**SHAPE, **plan}).ok()
    assert "Images are pulled with the Secret mirror" in shown.stdout


def test_the_plan_lists_the_images_for_a_mirror(site, tmp_path):
    file = tmp_path / "images.txt"
    shown = site.play(
        playbook="playbooks/plan_litemaas.yml",
        extra={"litemaas_plan_images_file": str(file)},
        image_registry="mirror.example.com/litemaas",
    ).ok()
    images = [
        "ghcr.io/berriai/litellm-non_root:v1.106.0",
        "ghcr.io/cloudnative-pg/pgbouncer:1.24.0",
        "quay.io/sclorg/postgresql-16-c9s:20260923",
        "quay.io/sclorg/redis-7-c9s:20260923",
    ]
    assert file.read_text().splitlines() == images
    assert all(
        re.search(rf"^\s*{re.escape(image)}$", shown.stdout, re.MULTILINE) for image in images
    )
    assert "Gateway: mirror.example.com/litemaas/berriai/litellm-non_root:v1.106.0" in shown.stdout
    assert shown.recap["changed"] == 0
