# SPDX-License-Identifier: MIT
"""Instances whose database is one of the site's, with the real components.

One deployment serves all tests of this file but the last, which build on each other, in this order.
"""

from __future__ import annotations

import base64
import functools
import json
from functools import cached_property

import pytest

from .ours import names
from .site_database import SiteDatabase

NAMESPACE = "litemaas-external"
WHERE = {"namespace": NAMESPACE, "route_name": "external"}
# Parameters of Prisma and of libpq, which must both get along with all of them.
QUERY = "?sslmode=prefer&connect_timeout=10&pool_timeout=30"
CANARY = "CanarySite"


class Outside:
    """The states of the instance, each reached when first asked for."""

    def __init__(self, play, gateway, site, output_dir):
        # One folder for all runs: what is handed out again unchanged is no change either.
        self.play = functools.partial(play, output_dir=output_dir)
        self._gateway = gateway
        self.site = site
        place = {"namespace": site.namespace, "name": "gateway", "key": "url"}
        self.variables = {**WHERE, "database_secret": place}

    @cached_property
    def own(self):
        """As it comes, with a database of its own."""
        return self.play(**WHERE).ok()

    @cached_property
    def gateway(self):
        return self._gateway(self.own.user_data())

    @cached_property
    def there(self):
        """With that of the site's in its place."""
        assert self.own
        self.site.secret("gateway", url=self.site.database("one", QUERY))
        return passed(self.play("-vvv", "--diff", **self.variables), "takes the place of")


@pytest.fixture(scope="module")
def site(client):
    site = SiteDatabase(client).start()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def outside(play, gateway, site, tmp_path_factory):
    yield Outside(play, gateway, site, tmp_path_factory.mktemp("handed-out"))
    play(namespace=NAMESPACE, remove=True)


def passed(run, *words):
    """The run, which must have passed with exactly these warnings, and have shown no password."""
    assert run.rc == 0, run.text
    assert len(run.warnings) == len(words), run.warnings
    assert all(w in warning for w, warning in zip(words, run.warnings, strict=True)), run.warnings
    assert CANARY not in run.text
    return run


def pods(client, app):
    found = client.list(f"/api/v1/namespaces/{NAMESPACE}/pods", label_selector=f"app={app}")
    return {p["metadata"]["uid"] for p in found if "deletionTimestamp" not in p["metadata"]}


def keys_of(client):
    data = client.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/litellm-secret")["data"]
    decoded = {key: base64.b64decode(value).decode() for key, value in data.items()}
    decoded.pop("DATABASE_URL")
    return decoded


def models(gateway):
    return [each["id"] for each in gateway.eventually("GET", "/v1/models")["data"]]


def add(gateway, name):
    """Register a model with a credential, which the gateway encrypts in its database."""
    parameters = {"model": f"openai/{name}", "api_key": "x", "mock_response": f"I am {name}"}
    parameters["api_base"] = "http://unused.invalid/v1"
    body = {"model_name": name, "litellm_params": parameters, "model_info": {"id": name}}
    status, answer = gateway.call("POST", "/model/new", body)
    assert status == 200, answer


def says(gateway, name):
    chat = {"model": name, "messages": [{"role": "user", "content": "Who are you?"}]}
    status, body = gateway.call("POST", "/v1/chat/completions", chat)
    assert status == 200, body
    return body["choices"][0]["message"]["content"]


def test_what_cannot_be_a_database_is_refused_before_anything_is_created(play, site, client):
    site.secret("broken", url=f"postgresql://site:{CANARY}@s@db/one", fine="", other="x")
    cases = {
        "does not exist": {"name": "nowhere", "namespace": site.namespace},
        "without the key DATABASE_URL": {"name": "broken", "namespace": site.namespace},
        "not percent-encoded": {"name": "broken", "namespace": site.namespace, "key": "url"},
        "use_existing_namespace to true": {"name": "nowhere"},
    }
    for words, given in cases.items():
        run = play("-vvv", **WHERE, database_secret=given)
        assert run.rc != 0
        assert "ocp4_workload_litemaas_database_secret" in run.stdout
        assert words in run.stdout, words
        assert CANARY not in run.text
        assert run.recap["changed"] == 0
    assert client.find(f"/api/v1/namespaces/{NAMESPACE}") is None


def test_it_takes_the_place_of_the_instances_own_whose_data_stays(outside, client):
    add(outside.gateway, "before")
    keys = keys_of(client)
    assert outside.there.recap["changed"] > 0
    assert "Removed, but for the volume data-postgres-0" in outside.there.stdout
    assert names(client, NAMESPACE, "/apis/apps/v1", "statefulsets") == set()
    assert names(client, NAMESPACE, "/apis/networking.k8s.io/v1", "networkpolicies") == {"litellm"}
    assert names(client, NAMESPACE, "/api/v1", "services") == {"litellm"}
    assert names(client, NAMESPACE, "/api/v1", "serviceaccounts") == {"litellm"}
    assert names(client, NAMESPACE, "/api/v1", "persistentvolumeclaims") == {"data-postgres-0"}
    assert names(client, NAMESPACE, "/api/v1", "secrets") == {
        *("litellm-secret", "postgres-secret", "database-secret")
    }
    assert keys_of(client) == keys
    assert models(outside.gateway) == []
    add(outside.gateway, "one")
    count = 'SELECT count(*) FROM "LiteLLM_ProxyModelTable"'
    assert outside.site.sql(count, "one") == "1"


def test_a_second_run_changes_nothing(outside):
    assert outside.there
    assert passed(outside.play(**outside.variables)).recap["changed"] == 0
    assert passed(outside.play("--check", **outside.variables)).recap["changed"] == 0


def test_the_status_shows_it_ready(outside):
    assert outside.there
    wanted = {"deployment": NAMESPACE, "format": "json"}
    extra = {f"litemaas_status_{name}": value for name, value in wanted.items()}
    shown = outside.play(playbook="playbooks/status_litemaas.yml", extra=extra).ok().stdout
    (found,) = json.loads(shown[shown.index("\n{") : shown.index("\n}") + 2])["instances"]
    assert (found["ready"], found["reason"]) == (True, "")


def test_another_url_in_the_secret_rolls_the_gateway(outside, client):
    assert outside.there
    before = pods(client, "litellm")
    outside.site.secret("gateway", url=outside.site.database("two"))
    assert passed(outside.play("-vvv", "--diff", **outside.variables)).recap["changed"] > 0
    assert pods(client, "litellm").isdisjoint(before)
    assert models(outside.gateway) == []
    outside.site.secret("gateway", url=outside.site.url("one", QUERY))
    passed(outside.play(**outside.variables))
    assert models(outside.gateway) == ["one"]
    assert says(outside.gateway, "one") == "I am one"


def test_several_pods_wait_for_one_migration_of_it(outside, client):
    assert outside.there
    run = outside.play(**outside.variables, litellm_replicas=2)
    passed(run, "without Redis")
    assert len(pods(client, "litellm")) == 2
    (job,) = client.list(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")
    assert job["status"]["succeeded"] == 1
    recorded = outside.site.sql("SELECT name FROM rhpds_litemaas.migrations", "one")
    assert recorded == job["metadata"]["name"]
    assert models(outside.gateway) == ["one"]


def test_without_it_the_instances_own_is_back_with_its_data(outside, client):
    assert outside.there
    run = outside.play(**WHERE)
    passed(run, "one of its own again")
    assert models(outside.gateway) == ["before"]
    assert says(outside.gateway, "before") == "I am before"
    assert names(client, NAMESPACE, "/apis/apps/v1", "statefulsets") == {"postgres"}
    assert names(client, NAMESPACE, "/api/v1", "secrets") == {"litellm-secret", "postgres-secret"}
    assert outside.play(**WHERE).ok().recap["changed"] == 0
    # Nobody touched the other.
    assert outside.site.sql('SELECT count(*) FROM "LiteLLM_ProxyModelTable"', "one") == "1"


def test_each_of_several_users_has_one_of_its_own(play, gateway, site, client, tmp_path_factory):
    home = f"{NAMESPACE}-many"
    where = {"namespace": home, "route_name": "external-many", "multi_user": True}
    where["database_secret"] = {
        "namespace": site.namespace,
        "name": "gateway-$(INSTANCE)",
        "key": "url",
    }
    users = functools.partial(
        play, output_dir=tmp_path_factory.mktemp("handed-out"), extra={"num_users": "2"}
    )
    url = site.database("user1")
    site.secret("gateway-user1", url=url)
    site.secret("gateway-user2", url=url)
    try:
        refused = users(**where)
        assert refused.rc != 0
        assert "leads several instances to one database" in refused.stdout
        assert client.find(f"/api/v1/namespaces/{home}-user1") is None
        site.secret("gateway-user2", url=site.database("user2"))
        made = users(**where)
        # Whether a database has served before is not for the role to see.
        passed(made, *["Should the database have served"] * 2)
        for name, data in made.user_data()["users"].items():
            assert gateway(data).call("POST", "/key/generate", {"key_alias": name})[0] == 200
            alias = 'SELECT key_alias FROM "LiteLLM_VerificationToken"'
            assert site.sql(f"{alias} WHERE key_alias IS NOT NULL", name) == name
            assert names(client, f"{home}-{name}", "/apis/apps/v1", "statefulsets") == set()
        assert passed(users(**where)).recap["changed"] == 0
    finally:
        users(namespace=home, multi_user=True, remove=True)
