# SPDX-License-Identifier: MIT
"""A database of the site's: its reference and URL judged, read, and taken in place of the instance's own."""

from __future__ import annotations

import base64
import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _credential_states,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _database_connections as connections,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils import _database_url
from ansible_collections.rhpds.litemaas.plugins.module_utils import _external_database as external
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _instances,
    _keys,
    _labels,
    _plan,
    _preflight,
    _quota,
    _secret_plan,
    _sizing,
    _stale,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

from .secret_cluster import INSTANCE, FakeCluster, path

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
CANARY = "c4n4ry-p@ss"
URL = "postgresql://me:c4n4ry-p%40ss@db.example.com:5433/models?sslmode=require&schema=gateway"
HOME = "litemaas-user1"
PLACE = {"namespace": "databases", "name": "models", "key": "uri"}


def settings(**given: Any) -> Any:
    return copy.deepcopy(SETTINGS) | {"database_secret": given}


def put(cluster: Any, data: dict[str, str], name: str = "models", home: str = "databases") -> None:
    cluster.put(name, data, labels={})
    cluster.objects[path(name, home)] = cluster.objects.pop(path(name))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (URL, ("db.example.com", 5433, "me", CANARY, "models")),
        (f"  {URL}\n", ("db.example.com", 5433, "me", CANARY, "models")),
        ("postgres://u:p@DB/x", ("db", 5432, "u", "p", "x")),
        ("postgresql://u:%20%2F@[fd00::1]:6543/x%20y", ("fd00::1", 6543, "u", " /", "x y")),
    ],
)
def test_a_url_is_read_and_kept_as_it_is(text: str, parts: tuple[Any, ...]) -> None:
    url = _database_url.external(text)
    assert (url.host, url.port, url.user, url.password, url.database) == parts
    assert url.text == text.strip()
    assert CANARY not in repr(url) and "%40" not in repr(url)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        (CANARY, "does not begin with postgresql://"),
        (f"mysql://u:{CANARY}@db/x", "does not begin with postgresql://"),
        ("postgresql://u:p@ss@db/x", "not percent-encoded"),
        ("postgresql://u:p/ss@db/x", "not percent-encoded"),
        ("postgresql://u:p#ss@db/x", "not percent-encoded"),
        ("postgresql://u:p[ss@db/x", "not percent-encoded"),
        ("postgresql://u:p ss@db/x", "a blank or a line break"),
        ("postgresql://u:pss@db/x\npostgresql://u:pss@db/y", "a blank or a line break"),
        ("postgresql://db/x", "lacks the user and the password"),
        ("postgresql://u@db/x", "lacks the password"),
        ("postgresql://u:p@/x", "lacks the host"),
        ("postgresql://u:p@db", "lacks the database"),
        ("postgresql://u:p@db/", "lacks the database"),
        ("postgresql://u:p@db1,db2/x", "several hosts"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_without_any_of_it(text: str, words: str) -> None:
    with pytest.raises(ValueError) as error:
        _database_url.external(text)
    assert words in str(error.value)
    assert CANARY not in str(error.value) and "ss@" not in str(error.value)


@pytest.mark.parametrize(
    ("query", "ca_file", "mode", "root"),
    [
        ("", "", "prefer", ""),
        ("?sslmode=disable", "", "disable", ""),
        ("?sslmode=require", "", "require", ""),
        ("?sslmode=require", "/ca", "require", ""),
        ("?sslmode=require&sslaccept=accept_invalid_certs", "", "require", ""),
        ("?sslmode=require&sslaccept=strict", "", "verify-full", "system"),
        ("?sslmode=require&sslaccept=strict", "/ca", "verify-full", "/ca"),
        ("?sslmode=verify-ca", "/ca", "verify-full", "/ca"),
        ("?sslaccept=strict", "", "prefer", ""),
    ],
)
def test_psql_is_as_strict_as_the_url(query: str, ca_file: str, mode: str, root: str) -> None:
    found = _database_url.external(f"postgresql://u:p@db/x{query}").libpq(ca_file)
    assert (found["PGSSLMODE"], found["PGSSLROOTCERT"]) == (mode, root)
    assert set(found) == set(_secret_plan.KEYS["database-secret"])


def test_psql_gets_the_parts_decoded() -> None:
    found = _database_url.external(URL).libpq()
    assert {
        key: found[key] for key in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")
    } == {
        "PGHOST": "db.example.com",
        "PGPORT": "5433",
        "PGUSER": "me",
        "PGPASSWORD": CANARY,
        "PGDATABASE": "models",
    }


def test_nothing_said_is_the_instances_own_database() -> None:
    assert external.reference(settings(), "user1", HOME) is None
    assert not list(external.problems(settings(), several=True))
    assert not external.wanted(settings())


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"name": "db"}, (HOME, "db", "DATABASE_URL")),
        ({"name": "db", "key": "uri"}, (HOME, "db", "uri")),
        ({"name": "db-$(INSTANCE)", "namespace": "dbs"}, ("dbs", "db-user1", "DATABASE_URL")),
        ({"name": "db", "namespace": "x-$(NAMESPACE)"}, (f"x-{HOME}", "db", "DATABASE_URL")),
        ({"name": "db", "namespace": "d", "key": "$(INSTANCE)"}, ("d", "db", "user1")),
        ({"name": "db", "namespace": None, "key": ""}, (HOME, "db", "DATABASE_URL")),
    ],
)
def test_each_instance_has_a_place_of_its_own(
    given: dict[str, Any], place: tuple[str, ...]
) -> None:
    assert not list(external.problems(settings(**given), several=True))
    assert tuple((external.reference(settings(**given), "user1", HOME) or {}).values()) == place


@pytest.mark.parametrize(
    ("given", "several", "words"),
    [
        ({"key": "uri"}, False, "lacks the name of a Secret"),
        ({"name": ""}, False, "lacks the name of a Secret"),
        ({"name": 5}, False, "lacks the name of a Secret"),
        ({"name": "db", "secret": "x"}, False, "has no entry secret. Use name, key, namespace."),
        ({"name": "litellm-secret"}, False, "which this collection writes itself"),
        ({"name": "litellm-secret", "namespace": "other"}, False, ""),
        ({"name": "db", "namespace": "dbs"}, False, ""),
        ({"name": "db", "namespace": "dbs"}, True, "one Secret for all instances"),
        ({"name": "db"}, True, ""),
    ],
)
def test_problems_of_the_setting(given: dict[str, Any], several: bool, words: str) -> None:
    found = [str(each) for each in external.problems(settings(**given), several=several)]
    assert len(found) == (1 if words else 0), found
    assert all(words in message for message in found), found


def test_pgbouncer_before_it_is_refused_and_a_password_for_it_warned_of() -> None:
    given = settings(name="db") | {"deploy_pgbouncer": True}
    given["credentials"] = {"ocp4_workload_litemaas_postgres_password": CANARY}
    problems, warnings = _preflight.check(given, 1)
    (problem,) = problems
    assert str(problem).startswith("ocp4_workload_litemaas_deploy_pgbouncer is true, and")
    assert any("postgres_password is not used" in warning for warning in warnings)
    assert CANARY not in str(warnings)


def test_how_many_connections_it_gives_is_not_judged_but_told() -> None:
    given = settings(name="db")
    given["postgres"]["max_connections"] = 1
    given["litellm"]["replicas"] = 3
    assert not list(connections.problems(given))
    plan = _plan.Plan(
        instances=_instances.instances(given, 1), storage_class={"name": "", "reason": "none"}
    )
    (line,) = [line for line in _plan.summary(plan, given) if line.startswith("Database")]
    assert line == (
        "Database: the site's, by the key DATABASE_URL of the Secret litemaas/db; up to 10 x (3 pods + 1 "
        "while they are replaced) + 3 to migrate = 43 connections for each instance, which it must give"
    )


def test_an_instance_with_it_asks_for_no_room_and_no_volume_of_a_database() -> None:
    (found,) = _instances.instances(settings(name="db"), 1)
    (own,) = _instances.instances(settings(), 1)
    assert found["external_database"] == {
        "namespace": "litemaas",
        "name": "db",
        "key": "DATABASE_URL",
    }
    assert _sizing.database(found) == _sizing.Sizing()
    assert _sizing.total([found]).volumes == 0
    assert _quota._needed(found, set())["persistentvolumeclaims"] == 0
    one, other = (each["litellm"]["revision"].split("-") for each in (found, own))
    assert one[0] != other[0] and one[1] != other[1]


def look(cluster: Any, **places: Any) -> list[str]:
    return [str(problem) for problem in external.look(cluster, places or {HOME: PLACE})]


def test_what_is_there_is_no_problem() -> None:
    cluster = FakeCluster()
    put(cluster, {"uri": URL, "other": "x"})
    assert look(cluster) == []
    assert cluster.requests == [("GET", path("models", "databases"))]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "names a Secret that does not exist (Secret databases/models). Create it."),
        ({"other": URL}, "names a Secret without the key uri (Secret databases/models)"),
        ({"uri": ""}, "names a Secret without the key uri"),
        ({"uri": CANARY}, "leads to a value that is no usable URL: it does not begin with"),
        ({"uri": f"postgresql://u:{CANARY}@postgres:5432/x"}, "not percent-encoded"),
        ({"uri": "postgresql://u:p@postgres:5432/x"}, "leads back to the PostgreSQL"),
        ({"uri": f"postgresql://u:p@postgres.{HOME}.svc/x"}, "leads back to the PostgreSQL"),
    ],
)
def test_what_is_not_right_is_refused(data: dict[str, str] | None, words: str) -> None:
    cluster = FakeCluster()
    if data is not None:
        put(cluster, data)
    (problem,) = look(cluster)
    assert problem.startswith("ocp4_workload_litemaas_database_secret ")
    assert words in problem
    assert CANARY not in problem


def test_no_text_and_no_permission() -> None:
    cluster = FakeCluster()
    put(cluster, {"uri": "x"})
    cluster.objects[path("models", "databases")]["data"]["uri"] = base64.b64encode(b"\xff").decode()
    assert "no usable URL: it is no text" in look(cluster)[0]
    cluster.forbidden.add(path("models", "databases"))
    assert "names a Secret that may not be read (Secret databases/models)" in look(cluster)[0]


def test_one_in_the_instances_own_namespace_must_be_there_before_it() -> None:
    (problem,) = look(FakeCluster(), **{HOME: {**PLACE, "namespace": HOME}})
    assert "set ocp4_workload_litemaas_use_existing_namespace to true" in problem


def test_instances_must_not_share_a_database_but_may_share_a_server() -> None:
    cluster = FakeCluster()
    names = ("one", "two", "three", "four")
    queries = ("?schema=a", "?schema=b", "", "?schema=public&connect_timeout=3")
    for name, query in zip(names, queries, strict=True):
        put(cluster, {"uri": f"postgresql://{name}:p@db/models{query}"}, name)
    places = {f"litemaas-{name}": {**PLACE, "name": name} for name in names}
    (problem,) = look(cluster, **places)
    assert "leads several instances to one database (litemaas-three, litemaas-four)" in problem


def test_eighty_who_lack_the_same_are_one_problem() -> None:
    places = {f"n{number}": {**PLACE, "name": f"s{number}"} for number in range(80)}
    (problem,) = look(FakeCluster(), **places)
    assert "and 76 more" in problem


class Sets:
    """Lists StatefulSets; the whole cluster only to who may."""

    def __init__(self, *homes: str, whole: bool = True) -> None:
        self.homes, self.whole, self.requests = homes, whole, 0

    def list(self, where: str, **_options: Any) -> list[dict[str, Any]]:
        self.requests += 1
        home = where.partition("/namespaces/")[2].partition("/")[0]
        if not home and not self.whole:
            raise ApiError("forbidden", status=403)
        names = [each for each in self.homes if home in ("", each)]
        return [{"metadata": {"namespace": each, "name": "postgres"}} for each in names]

    def each(self, function: Any, items: Any) -> list[Any]:
        return [function(item) for item in items]


@pytest.mark.parametrize(("whole", "requests"), [(True, 1), (False, 4)])
def test_databases_that_are_replaced_are_found(whole: bool, requests: int) -> None:
    cluster = Sets("b", "elsewhere", whole=whole)
    found = external.replaced(cluster, "litemaas", ["a", "b", "c"])  # type: ignore[arg-type]
    assert (found, cluster.requests) == (["b"], requests)
    assert "data-postgres-0" in external.replacing(found)


WITH = {**INSTANCE, "external_database": PLACE, "litellm": {"ca_bundle": False}}


def present(cluster: Any, instance: dict[str, Any], **wanted: str) -> Any:
    return _credential_states.present(
        cluster, [instance], "", Wanted(**wanted), dry_run=False, diff=True
    )


def test_the_gateway_is_given_the_sites_url_and_there_is_no_secret_of_a_database() -> None:
    cluster = FakeCluster()
    put(cluster, {"uri": f"{URL}\n"})
    first = present(cluster, WITH)
    assert [secret["name"] for secret in first["secrets"]] == ["litellm-secret", "database-secret"]
    assert cluster.data("litellm-secret")["DATABASE_URL"] == URL
    assert cluster.data("database-secret")["PGPASSWORD"] == CANARY
    assert path("postgres-secret") not in cluster.objects
    assert CANARY not in str(first) and "c4n4ry" not in str(first)
    # It may have served before, and nobody here can tell.
    (warning,) = first["warnings"]
    assert "Should the database have served an instance before" in warning
    second = present(cluster, WITH)
    assert (second["changed"], second["warnings"]) == (False, [])
    assert second["instances"] == first["instances"]
    hashes = first["instances"][0]["hashes"]
    assert set(hashes) == {"litellm", "external_database"}
    # Another URL rolls whatever uses it, and nothing else is made anew.
    keys = {k: v for k, v in cluster.data("litellm-secret").items() if k != "DATABASE_URL"}
    put(cluster, {"uri": URL.replace("models", "others")})
    third = present(cluster, WITH)
    assert [secret["updated"] for secret in third["secrets"]] == [["DATABASE_URL"], ["PGDATABASE"]]
    assert all(third["instances"][0]["hashes"][name] != hashes[name] for name in hashes)
    assert keys.items() <= cluster.data("litellm-secret").items()


def test_former_keys_make_it_quiet() -> None:
    cluster = FakeCluster()
    put(cluster, {"uri": URL})
    given = {"master_key": "sk-0123456789abcdef", "salt_key": "sk-fedcba9876543210"}
    assert present(cluster, WITH, **given)["warnings"] == []


def test_the_keys_stay_when_the_database_changes_hands_and_back() -> None:
    cluster = FakeCluster()
    put(cluster, {"uri": URL})
    present(cluster, INSTANCE)
    before = cluster.data("litellm-secret")
    there = present(cluster, WITH)
    assert there["warnings"] == []
    assert cluster.data("litellm-secret") == {**before, "DATABASE_URL": URL}
    back = present(cluster, INSTANCE)
    assert cluster.data("litellm-secret") == before
    (warning,) = back["warnings"]
    assert "one of its own again" in warning


def test_a_secret_that_went_away_in_between_fails_that_instance() -> None:
    cluster = FakeCluster()
    result = _credential_states.present(
        cluster, [WITH], "", Wanted(), dry_run=False, diff=False, report=True  # type: ignore[arg-type]
    )
    (failed,) = result["failed_instances"]
    assert "names a Secret that does not exist" in failed["reason"]


def test_its_secret_goes_when_the_gateway_uses_it_no_more_and_not_before() -> None:
    labels = _labels.ownership("litemaas", "litemaas")
    metadata = {"name": "litellm", "namespace": "a", "labels": labels}
    gateway: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    uses = {
        **gateway,
        "metadata": {**metadata, "annotations": {_labels.SECRETS: "external_database"}},
    }
    secret = _stale._inventory.Found(
        "v1", "Secret", "a", "database-secret", "uid", False, "external_database"
    )
    assert _stale.stale([secret], [uses]) == []
    assert _stale.stale([secret], [gateway]) == [secret]
    (record,) = _stale.records([uses])
    assert "external_database" in record["metadata"]["annotations"][_labels.PARTS]
    assert _stale.records([gateway]) == []


def test_names_of_databases_are_no_secrets_in_logs() -> None:
    keys = _keys.Keys.__new__(_keys.Keys)
    keys._values = {
        HOME: {
            "database-secret": {
                "PGHOST": "db.example.com",
                "PGUSER": "litellm",
                "PGPASSWORD": CANARY,
            }
        }
    }
    text = keys.redactor(HOME)(f"litellm cannot reach db.example.com with {CANARY}")
    assert text == "litellm cannot reach db.example.com with ***"
