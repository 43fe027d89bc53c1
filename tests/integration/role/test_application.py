# SPDX-License-Identifier: MIT
"""The LiteMaaS application of an instance: stand-ins for its images, and everything else real.

One deployment serves all tests of this file, which build on each other, in this order.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import socket
import time
import uuid
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from lablib.images import postgresql

from ... import loopback
from .conftest import Gateway
from .ours import names

NAMESPACE = "litemaas-application"
WHERE = {"namespace": NAMESPACE, "route_name": "application"}
SWITCHES = {"deploy_frontend": True, "deploy_backend": True, "oauth_enabled": True}
SMALL = {"backend_cpu_request": "10m", "frontend_cpu_request": "10m"}
WITH = {**WHERE, **SWITCHES, **SMALL}
APPS = "/apis/apps/v1"
BREAK = "DROP TABLE oauth_sessions; CREATE VIEW oauth_sessions AS SELECT 1 AS state"
MEND = "DROP VIEW IF EXISTS oauth_sessions"
# The table stays, and what a later release wants to do with it fails.
BREAK_LATER = "ALTER TABLE oauth_sessions DROP COLUMN state"
MEND_LATER = "DROP TABLE oauth_sessions"


class Application:
    """The states of the instance, each reached when first asked for."""

    def __init__(self, play, output_dir):
        # One folder for all runs: what is handed out again unchanged is no change either.
        self.play = functools.partial(play, output_dir=output_dir)

    @cached_property
    def plain(self):
        """Deployed without the application, as it is for most."""
        return self.play(**WHERE).ok()

    @cached_property
    def on(self):
        """The application switched on beside a gateway that runs."""
        assert self.plain
        return self.play("--diff", "-vvv", **WITH).ok()

    @cached_property
    def front(self):
        """A browser's view of it."""
        return Gateway(self.on.user_data()["litemaas_frontend_url"], "")


@pytest.fixture(scope="module")
def application(play, tmp_path_factory):
    yield Application(play, tmp_path_factory.mktemp("handed-out"))
    play(namespace=NAMESPACE, remove=True)


def everything(client):
    """All that bears this collection's label, by kind."""
    return {
        (kind, name)
        for group, kinds in {
            "/api/v1": ("configmaps", "secrets", "serviceaccounts", "services"),
            APPS: ("deployments", "statefulsets"),
            "/apis/networking.k8s.io/v1": ("networkpolicies",),
            "/apis/route.openshift.io/v1": ("routes",),
        }.items()
        for kind in kinds
        for name in names(client, NAMESPACE, group, kind)
    }


def of_the_application(each):
    _kind, name = each
    return name.startswith(("backend", "frontend", "litemaas-database"))


def secret(client, name):
    data = client.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def pods(client, app):
    found = client.list(f"/api/v1/namespaces/{NAMESPACE}/pods", label_selector=f"app={app}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def in_a_pod(client, script, *, app="litellm-migration", env=(), seconds=60):
    """(exit code, log) of a shell script in a pod of its own, which policies know as one of *app*."""
    name = f"try-{uuid.uuid4().hex[:8]}"
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}"
    container = {
        "name": "try",
        "image": postgresql.IMAGE.reference,
        "command": ["/bin/bash", "-c", script],
        "env": list(env),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "200m", "memory": "64Mi"},
        },
    }
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": app}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }
    client.apply(path, body, field_manager="tests")
    end = time.monotonic() + seconds
    while True:
        status = client.get(path).get("status", {})
        ended = [
            c["state"]["terminated"]
            for c in status.get("containerStatuses", ())
            if "terminated" in c["state"]
        ]
        if ended:
            log = client.text(f"{path}/log")
            client.delete(path)
            return ended[0]["exitCode"], log
        assert time.monotonic() < end, status
        time.sleep(0.5)


def sql(client, text, *, role="litemaas", database="litemaas_db"):
    """(exit code, output) of SQL as a role, with the password that is in its Secret."""
    own = {"litemaas": ("backend-secret", "DATABASE_PASSWORD")}
    name, key = own.get(role, ("postgres-secret", "POSTGRES_PASSWORD"))
    reference = {"secretKeyRef": {"name": name, "key": key}}
    return in_a_pod(
        client,
        f"psql -h postgres -U {role} -d {database} -AtXv ON_ERROR_STOP=1 2>&1 <<'SQL'\n{text};\nSQL",
        env=[{"name": "PGPASSWORD", "valueFrom": reference}],
    )


@pytest.mark.parametrize(
    "given", [{"deploy_frontend": True}, {"deploy_frontend": True, "deploy_backend": True}]
)
def test_what_makes_no_sense_is_refused_before_anything_is_there(play, client, given):
    run = play(namespace="litemaas-application-no", **given)
    assert run.rc != 0
    assert "ocp4_workload_litemaas_oauth_enabled must be true where" in run.stdout
    assert client.find("/api/v1/namespaces/litemaas-application-no") is None


def test_a_cluster_with_another_login_is_refused(play, client):
    path = "/apis/config.openshift.io/v1/authentications/cluster"
    merge = {"content_type": "application/merge-patch+json"}
    client.request("PATCH", path, body={"spec": {"type": "None"}}, **merge)
    try:
        run = play(**{**WITH, "namespace": "litemaas-application-no"})
    finally:
        client.request("PATCH", path, body={"spec": {"type": ""}}, **merge)
    assert run.rc != 0
    assert "ocp4_workload_litemaas_oauth_enabled needs the OAuth server of OpenShift" in run.stdout


def test_check_mode_predicts_and_changes_nothing(application, client):
    assert application.plain
    before = everything(client)
    assert not list(filter(of_the_application, before))
    assert application.play("--check", **WITH).ok().recap["changed"] > 0
    assert everything(client) == before


def test_it_comes_up_and_is_handed_out(application):
    data = application.on.user_data()
    assert data["litemaas_frontend_url"].startswith("https://litemaas-application.apps.")
    assert data["litemaas_frontend_url"] in application.on.stdout
    messages = (application.on.output_dir / "provision-user-info.yaml").read_text()
    assert data["litemaas_frontend_url"] in messages


def test_its_address_serves_pages_and_the_api(application):
    status, page = application.front.call("GET", "/")
    assert (status, "LiteMaaS" in page) == (200, True)
    assert application.front.call("GET", "/api/v1/health/ready") == (200, {"ready": True})
    # What people are told to send their requests to works from where they are.
    _status, config = application.front.call("GET", "/api/v1/config")
    assert config["litellmApiUrl"] == application.on.user_data()["litemaas_url"]


def test_no_secret_is_printed(application, client):
    values = secret(client, "backend-secret")
    token = secret(client, "backend-oauth-token")["token"]
    for value in (
        *(values[k] for k in ("DATABASE_PASSWORD", "JWT_SECRET", "ADMIN_API_KEYS")),
        token,
    ):
        assert len(value) >= 24
        assert value not in application.on.text
        assert base64.b64encode(value.encode()).decode() not in application.on.text


def test_a_second_run_changes_nothing_and_writes_nothing(application, audit):
    assert application.on
    audit.mark()
    assert application.play(**WITH).ok().recap["changed"] == 0
    assert audit.entries(containing=NAMESPACE), "the audit log shows nothing of this run"
    assert audit.writes(containing=NAMESPACE) == []
    assert application.play("--check", **WITH).ok().recap["changed"] == 0


def test_the_status_shows_it(application):
    data = application.on.user_data()
    extra = {"litemaas_status_deployment": NAMESPACE, "litemaas_status_format": "json"}
    shown = application.play(playbook="playbooks/status_litemaas.yml", extra=extra).ok().stdout
    (found,) = json.loads(shown[shown.index("\n{") : shown.index("\n}") + 2])["instances"]
    assert (found["ready"], found["frontend_url"]) == (True, data["litemaas_frontend_url"])


def test_its_role_owns_its_database_and_only_reads_the_gateways(application, client):
    assert application.on
    for text, database in (
        ("CREATE TABLE mine (x int); DROP TABLE mine", "litemaas_db"),
        ('SELECT count(*) FROM "LiteLLM_VerificationToken"', "litellm"),
    ):
        code, output = sql(client, text, database=database)
        assert code == 0, output
    for text, database in (
        ('DELETE FROM "LiteLLM_VerificationToken"', "litellm"),
        ("CREATE TABLE mine (x int)", "litellm"),
        ("CREATE DATABASE mine", "litemaas_db"),
        ("CREATE ROLE mine", "litemaas_db"),
        ("ALTER ROLE litemaas SUPERUSER", "litemaas_db"),
    ):
        code, output = sql(client, text, database=database)
        assert code != 0 and ("denied" in output or "must be" in output), output
    code, output = sql(client, "SELECT 1", role="litellm", database="litemaas_db")
    assert code != 0 and "permission denied" in output


def test_only_the_frontend_reaches_the_backend(application, client):
    assert application.on
    script = "timeout 5 bash -c 'exec 3<>/dev/tcp/backend/8080'"
    assert in_a_pod(client, script, app="frontend-of-none")[0] != 0
    # With the label alone a pod is let in. It would be served to, so it does not stay.
    assert in_a_pod(client, script, app="frontend")[0] == 0


class Oauth:
    """OpenShift's OAuth server, as far as a ServiceAccount is its client: real accounts and tokens, one user."""

    USER = "student-7"

    def __init__(self, client):
        self.client, self.codes, oauth = client, {}, self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(404)
                self.end_headers()

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
                good = self.path == "/oauth/token" and oauth.allows(form)
                self.send_response(200 if good else 401)
                self.end_headers()
                answer = {"access_token": oauth.USER} if good else {"error": "unauthorized_client"}
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *args):
                pass

        self.handler = Handler

    def account(self, client_id):
        _system, _kind, namespace, name = client_id.split(":")
        return self.client.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")

    def authorize(self, url):
        """What a browser does with the address it is given: log in, and come back with a code."""
        query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
        annotations = self.account(query["client_id"])["metadata"]["annotations"]
        prefix = "serviceaccounts.openshift.io/oauth-redirecturi."
        allowed = [uri for name, uri in annotations.items() if name.startswith(prefix)]
        assert query["redirect_uri"] in allowed
        assert set(query["scope"].split()) <= {"user:info", "user:check-access"}
        code = uuid.uuid4().hex
        self.codes[code] = query
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def allows(self, form):
        query = self.codes.pop(form["code"], None)
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": form["client_secret"]},
        }
        path = "/apis/authentication.k8s.io/v1/tokenreviews"
        _status, answer = self.client.request("POST", path, body=review)
        whose = answer["status"].get("user", {}).get("username")
        return (
            query is not None
            and whose == form["client_id"] == query["client_id"]
            and form["redirect_uri"] == query["redirect_uri"]
            and form["grant_type"] == "authorization_code"
        )


@pytest.fixture
def oauth(client, domain, new_namespace):
    """An OAuth server behind a Route of the host that OpenShift's has."""
    try:
        socket.getaddrinfo(f"oauth-openshift.{domain}", 443)
    except socket.gaierror:
        pytest.skip("the cluster cannot reach a server of this test: run it by tests/on-lab")
    server, home = Oauth(client), new_namespace()
    url = urlsplit(client.connection.host)
    with socket.create_connection((url.hostname, url.port), 10) as connection:
        address = connection.getsockname()[0]
    with loopback.serving(server.handler, address=address) as served:
        port = {"name": "http", "port": urlsplit(served).port}
        objects = (
            (
                "/api/v1",
                "services",
                {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [port]}},
            ),
            (
                "/api/v1",
                "endpoints",
                {
                    "apiVersion": "v1",
                    "kind": "Endpoints",
                    "subsets": [{"addresses": [{"ip": address}], "ports": [port]}],
                },
            ),
            (
                "/apis/route.openshift.io/v1",
                "routes",
                {
                    "apiVersion": "route.openshift.io/v1",
                    "kind": "Route",
                    "spec": {
                        "host": f"oauth-openshift.{domain}",
                        "to": {"kind": "Service", "name": "oauth"},
                        "tls": {"termination": "edge"},
                    },
                },
            ),
        )
        for group, plural, body in objects:
            body["metadata"] = {"name": "oauth", "namespace": home}
            client.apply(f"{group}/namespaces/{home}/{plural}/oauth", body, field_manager="tests")
        pool = urllib3.PoolManager(ca_certs=os.environ["LITEMAAS_TEST_ROUTER_CA"], retries=False)
        end = time.monotonic() + 30
        while pool.request("GET", f"https://oauth-openshift.{domain}/").status != 404:
            assert time.monotonic() < end
            time.sleep(0.5)
        yield server


def test_somebody_logs_in_with_openshift(application, oauth):
    front = application.front
    status, answer = front.call("POST", "/api/auth/login")
    assert status == 200
    back = oauth.authorize(answer["authUrl"])
    assert back.startswith(f"{front.url}/api/auth/callback?")
    status, _body = front.call("GET", back.removeprefix(front.url))
    assert status == 302
    assert front.call("GET", "/api/lab/users") == (200, [oauth.USER])
    # A login that nobody began is none.
    assert front.call("GET", "/api/auth/callback?code=x&state=y")[0] == 400


def test_a_changed_secret_rolls_the_backend_alone(application, client):
    assert application.on
    others = ("litellm", "postgres", "frontend")
    before = {
        app: {p["metadata"]["uid"] for p in pods(client, app)} for app in (*others, "backend")
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets/backend-secret"
    value = base64.b64encode(b"another-secret-of-more-than-32-characters").decode()
    merge = "application/merge-patch+json"
    client.request("PATCH", path, body={"data": {"JWT_SECRET": value}}, content_type=merge)
    application.play(**WITH).ok()
    after = {app: {p["metadata"]["uid"] for p in pods(client, app)} for app in (*others, "backend")}
    assert {app: after[app] for app in others} == {app: before[app] for app in others}
    assert before["backend"].isdisjoint(after["backend"])


def test_a_migration_that_fails_is_named_and_the_old_backend_serves_on(application, client):
    assert application.on
    assert sql(client, BREAK)[0] == 0
    try:
        run = application.play(**WITH, backend_memory_limit="500Mi", wait_timeout=75)
        assert run.rc != 0
        assert NAMESPACE in run.stdout
        assert "check-migration" in run.stdout
        assert "the table oauth_sessions is missing: the migration failed" in run.stdout
        assert application.front.call("GET", "/api/v1/health/ready") == (200, {"ready": True})
    finally:
        code, output = sql(client, MEND)
        assert code == 0, output
    # Mended: a run comes to an end, with a backend that has migrated.
    assert application.play(**WITH, backend_memory_limit="490Mi").ok().recap["changed"] > 0
    assert sql(client, "SELECT count(*) FROM oauth_sessions")[0] == 0


def test_a_migration_of_tables_that_are_there_is_named_too(application, client):
    assert application.on
    assert sql(client, BREAK_LATER)[0] == 0
    try:
        run = application.play(**WITH, wait_timeout=150)
        assert run.rc != 0
        assert "was not migrated: " in run.stdout
        assert "Failed to apply database migrations" in run.stdout
    finally:
        code, output = sql(client, MEND_LATER)
        assert code == 0, output
    application.play(**WITH, backend_memory_limit="490Mi").ok()


def test_what_is_switched_off_goes_and_its_data_stays(application, client):
    assert application.on
    users = application.front.call("GET", "/api/lab/users")
    off = application.play(**WHERE).ok()
    assert off.recap["changed"] > 0
    # What has pods is gone once they have ended.
    end = time.monotonic() + 90
    while left := [each for each in everything(client) if of_the_application(each)]:
        assert time.monotonic() < end, left
        time.sleep(1)
    gateway = Gateway(off.user_data()["litemaas_url"], off.user_data()["litemaas_api_key"])
    assert gateway.call("GET", "/v1/models")[0] == 200
    assert application.play(**WHERE).ok().recap["changed"] == 0

    application.play(**WITH).ok()
    assert application.front.eventually("GET", "/api/v1/health/ready") == {"ready": True}
    assert application.front.call("GET", "/api/lab/users") == users
    assert users[1], "nobody had logged in"


def test_removal_leaves_nothing(application, client):
    assert application.on
    assert application.play(namespace=NAMESPACE, remove=True).ok().recap["changed"] == 1
    assert client.find(f"/api/v1/namespaces/{NAMESPACE}") is None


def test_each_of_several_users_has_one(play, client, tmp_path):
    """On simulated nodes: what is sent, awaited and handed out for users is the same on real ones."""
    rule = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "applications",
            "namespace": "kube-system",
            "labels": {"lab.test/rule": ""},
        },
        "data": {"namespaces": "litemaas-app-.*", "nodes": "simulated"},
    }
    path = "/api/v1/namespaces/kube-system/configmaps/applications"
    client.apply(path, rule, field_manager="tests")
    time.sleep(2)  # the API server takes a rule up a moment late
    # Beside a real node the plan cannot know that the pods go elsewhere.
    where = {"namespace": "litemaas-app", "user_prefix": "student", "multi_user": True}
    small = {
        "multi_user_litellm_memory_request": "32Mi",
        "multi_user_postgres_memory_request": "32Mi",
    }
    given = {**where, **SWITCHES, **SMALL, **small, "extra": {"num_users": 2}}
    try:
        run = play(**given, output_dir=tmp_path).ok()
        data = run.user_data()
        for number in (1, 2):
            url = data["users"][f"user{number}"]["litemaas_frontend_url"]
            assert url.startswith(f"https://litemaas-student{number}-rhpds.apps.")
            assert data[f"litemaas_user{number}_frontend_url"] == url
        assert play(**given, output_dir=tmp_path).ok().recap["changed"] == 0
    finally:
        play(**where, extra={"num_users": 2}, remove=True)
        client.delete(path)
