# SPDX-License-Identifier: MIT
"""An instance whose gateway shares connections to its database through PgBouncer, with the real components.

One deployment serves all tests of this file but the last, which build on each other, in this order.
"""

from __future__ import annotations

import base64
import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import pytest
import urllib3

from . import in_pods
from .ours import names

NAMESPACE = "litemaas-pgbouncer"
WHERE = {"namespace": NAMESPACE, "route_name": "pgbouncer"}
POOL_SIZE = 6
MOST = 20  # connections that the database gives: less than two pods want, which is what is tried
PODS = {"litellm_replicas": 2}
POOLED = {"deploy_pgbouncer": True, "pgbouncer_pool_size": POOL_SIZE}
TIGHT = {**PODS, **POOLED, "postgres_max_connections": MOST}


class Pooled:
    """The states of the instance, each reached when first asked for."""

    def __init__(self, play, gateway, output_dir):
        # One folder for all runs: what is handed out again unchanged is no change either.
        self.play = functools.partial(play, output_dir=output_dir)
        self._gateway = gateway

    @cached_property
    def direct(self):
        """As it comes: one pod that goes to its database directly."""
        return self.play(**WHERE).ok()

    @cached_property
    def gateway(self):
        return self._gateway(self.direct.user_data())

    @cached_property
    def watched(self):
        """The same with several pods and PgBouncer, and what a client was answered meanwhile."""
        with Watch(self.gateway) as watch:
            several(self.play(**WHERE, **PODS, **POOLED))
        return watch

    @cached_property
    def tight(self):
        """And with a database that gives fewer connections than the pods want."""
        assert self.watched
        return several(self.play(**WHERE, **TIGHT))


class Watch:
    """Asks a gateway, all the time, for what it has to look up in its database."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._over.set()
        self._thread.join()

    def _ask(self):
        while not self._over.is_set():
            try:
                status, _body = self._gateway.call("GET", "/key/list?return_full_object=true")
            except urllib3.exceptions.HTTPError as error:
                status = type(error).__name__
            self.answers.append(status)
            time.sleep(0.3)


def several(run):
    """The run, which must have passed and warned of nothing but that pods without Redis do not count together."""
    assert run.rc == 0, run.text
    assert all("without Redis" in warning for warning in run.warnings), run.warnings
    return run


@pytest.fixture(scope="module")
def pooled(play, gateway, tmp_path_factory):
    yield Pooled(play, gateway, tmp_path_factory.mktemp("handed-out"))
    play(namespace=NAMESPACE, remove=True)


def pods(client, app):
    found = client.list(f"/api/v1/namespaces/{NAMESPACE}/pods", label_selector=f"app={app}")
    return {
        pod["metadata"]["uid"]: pod for pod in found if "deletionTimestamp" not in pod["metadata"]
    }


def restarts(found):
    return [
        each["restartCount"]
        for pod in found.values()
        for each in pod["status"]["containerStatuses"]
    ]


def test_more_pods_than_the_database_has_connections_for_are_refused(pooled, client):
    assert pooled.direct.recap["changed"] > 0
    before = pods(client, "litellm")
    refused = pooled.play(**WHERE, **PODS, postgres_max_connections=MOST)
    assert refused.rc != 0
    assert (
        "ocp4_workload_litemaas_postgres_max_connections is less than the gateway" in refused.stdout
    )
    assert "ocp4_workload_litemaas_deploy_pgbouncer to true" in refused.stdout
    assert refused.recap["changed"] == 0
    assert pods(client, "litellm").keys() == before.keys()


def test_pgbouncer_is_put_in_between_while_clients_are_served(pooled, client):
    answers = pooled.watched.answers
    assert len(answers) > 10
    assert set(answers) == {200}, answers
    assert len(pods(client, "litellm")) == 2
    assert names(client, NAMESPACE, "/apis/apps/v1", "deployments") == {"litellm", "pgbouncer"}


def test_a_second_run_changes_nothing(pooled):
    assert pooled.watched
    assert several(pooled.play(**WHERE, **PODS, **POOLED)).recap["changed"] == 0


def test_the_migration_went_past_it_and_the_pods_made_none(pooled, client):
    assert pooled.watched
    (job,) = client.list(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")
    assert job["status"]["succeeded"] == 1
    for pod in pods(client, "litellm").values():
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}/log"
        assert "migrate deploy" not in client.text(path, container="litellm")


def test_fewer_connections_roll_the_database_and_no_gateway(pooled, client):
    assert pooled.watched
    before = {app: pods(client, app).keys() for app in ("litellm", "pgbouncer", "postgres")}
    assert pooled.tight.recap["changed"] > 0
    after = {app: pods(client, app).keys() for app in before}
    assert [app for app in before if before[app] != after[app]] == ["postgres"]
    assert in_pods.sql(NAMESPACE, "SHOW max_connections") == str(MOST)


def test_many_requests_at_once_share_the_few_connections(pooled, client):
    assert pooled.tight
    assert pooled.gateway.answers()

    def issue(number):
        body = {"key_alias": f"many-{number}", "models": []}
        return pooled.gateway.call("POST", "/key/generate", body)[0]

    with ThreadPoolExecutor(40) as threads:
        statuses = list(threads.map(issue, range(120)))
        mine = "usename = current_user AND pid <> pg_backend_pid()"
        count = in_pods.sql(NAMESPACE, f"SELECT count(*) FROM pg_stat_activity WHERE {mine}")
    assert set(statuses) == {200}
    assert 0 < int(count) <= POOL_SIZE
    status, body = pooled.gateway.call("GET", "/key/list?size=1")
    assert (status, body["total_count"]) == (200, 120)
    assert restarts(pods(client, "pgbouncer")) == [0]


def test_the_gateway_reaches_its_database_through_pgbouncer_alone(pooled):
    assert pooled.tight
    assert in_pods.gateway_reaches(NAMESPACE, "pgbouncer", 6432)
    assert not in_pods.gateway_reaches(NAMESPACE, "postgres", 5432)
    asked = in_pods.run(
        NAMESPACE, "postgres-0", "pg_isready", "-h", "pgbouncer", "-p", "6432", "-t", "5"
    )
    assert "no response" in asked.stdout


def test_no_password_is_in_its_configuration_and_a_changed_one_reaches_all(pooled, client):
    assert pooled.tight
    secret = f"/api/v1/namespaces/{NAMESPACE}/secrets/postgres-secret"
    old = base64.b64decode(client.get(secret)["data"]["POSTGRES_PASSWORD"]).decode()
    config = client.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/pgbouncer")
    deployment = client.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/pgbouncer")
    assert old not in str(config) + str(deployment) + pooled.tight.text
    before = {app: pods(client, app).keys() for app in ("litellm", "pgbouncer", "postgres")}
    password = 'CanaryPooled-p@s:s/w#r?d&%+=;,"é$x'
    run = several(pooled.play("-vvv", **WHERE, **TIGHT, postgres_password=password))
    assert "CanaryPooled" not in run.text
    assert all(pods(client, app).keys().isdisjoint(before[app]) for app in before)
    assert pooled.gateway.answers()
    assert pooled.gateway.eventually("GET", "/key/list?size=1")["total_count"] == 120


def test_one_that_does_not_come_up_is_named_and_harms_nobody(pooled, client):
    assert pooled.tight
    broken = pooled.play(**WHERE, **TIGHT, pgbouncer_tag="1.0.0", wait_timeout=30)
    assert broken.rc != 0
    assert "ghcr.io/cloudnative-pg/pgbouncer:1.0.0" in broken.stdout
    assert pooled.gateway.eventually("GET", "/key/list?size=1")["total_count"] == 120


def test_switched_off_it_goes_once_the_gateway_answers_without_it(pooled, client):
    assert pooled.tight
    # The one that does not come up as well: nobody waits for it.
    predicted = pooled.play("--check", **WHERE).ok()
    assert predicted.recap["changed"] > 0
    assert "pgbouncer" in names(client, NAMESPACE, "/apis/apps/v1", "deployments")
    pooled.play(**WHERE).ok()
    # It lets gateways that end with it go first.
    end = time.monotonic() + 90
    while names(client, NAMESPACE, "/apis/apps/v1", "deployments") != {"litellm"}:
        assert time.monotonic() < end
        time.sleep(1)
    assert names(client, NAMESPACE, "/apis/networking.k8s.io/v1", "networkpolicies") == {
        "litellm",
        "postgres",
    }
    assert names(client, NAMESPACE, "/api/v1", "services") == {"litellm", "postgres"}
    assert names(client, NAMESPACE, "/api/v1", "serviceaccounts") == {"litellm", "postgres"}
    assert names(client, NAMESPACE, "/api/v1", "secrets") == {"litellm-secret", "postgres-secret"}
    assert names(client, NAMESPACE, "/api/v1", "configmaps") == set()
    assert names(client, NAMESPACE, "/apis/batch/v1", "jobs") == set()
    assert pooled.gateway.eventually("GET", "/key/list?size=1")["total_count"] == 120
    assert in_pods.gateway_reaches(NAMESPACE, "postgres", 5432)
    assert pooled.play(**WHERE).ok().recap["changed"] == 0


def test_each_of_several_users_has_an_own_one(play, gateway, client, tmp_path_factory):
    home = f"{NAMESPACE}-many"
    where = {"namespace": home, "route_name": "pgbouncer-many", "multi_user": True, **POOLED}
    users_of = functools.partial(
        play, output_dir=tmp_path_factory.mktemp("handed-out"), extra={"num_users": "2"}
    )
    try:
        users = users_of(**where).ok().user_data()["users"]
        assert set(users) == {"user1", "user2"}
        for name, data in users.items():
            there = f"{home}-{name}"
            assert names(client, there, "/apis/apps/v1", "deployments") == {"litellm", "pgbouncer"}
            assert not in_pods.gateway_reaches(there, "postgres", 5432)
            alias = {"key_alias": name}
            assert gateway(data).call("POST", "/key/generate", alias)[0] == 200
        assert users_of(**where).ok().recap["changed"] == 0
    finally:
        users_of(namespace=home, multi_user=True, remove=True)
