# SPDX-License-Identifier: MIT
"""Reading and writing Secrets: races, killed runs, refusals, and what is returned."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _credential_states,
    _credentials,
    _secret_writer,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

from .secret_cluster import INSTANCE, LABELS, FakeCluster, path

LITELLM, POSTGRES = "litellm-secret", "postgres-secret"
CLAIM = "/api/v1/namespaces/litemaas-user1/persistentvolumeclaims/data-postgres-0"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def present(cluster: Any, *, dry_run: bool = False, diff: bool = False, **wanted: str) -> Any:
    return _credential_states.present(
        cluster, [INSTANCE], "", Wanted(**wanted), dry_run=dry_run, diff=diff
    )


def test_the_first_run_writes_two_secrets_and_the_second_nothing(cluster: FakeCluster) -> None:
    first = present(cluster)
    assert [secret["action"] for secret in first["secrets"]] == ["created", "created"]
    assert first["changed"]
    before = {name: cluster.data(name) for name in (LITELLM, POSTGRES)}
    writes = cluster.writes()
    cluster.requests.clear()
    second = present(cluster)
    assert not second["changed"]
    assert second["instances"] == first["instances"]
    assert {name: cluster.data(name) for name in (LITELLM, POSTGRES)} == before
    assert (writes, cluster.requests) == (2, [("LIST", "/api/v1/secrets")])


def test_the_secrets_carry_labels_and_hold_data(cluster: FakeCluster) -> None:
    present(cluster)
    for name, app in ((LITELLM, "litellm"), (POSTGRES, "postgres")):
        secret = cluster.objects[path(name)]
        assert secret["type"] == "Opaque"
        labels = secret["metadata"]["labels"]
        assert labels == {**LABELS, "app": app, "app.kubernetes.io/name": app}
    assert cluster.data(LITELLM)["DATABASE_URL"] == cluster.data(POSTGRES)["DATABASE_URL"]


def test_nothing_secret_is_returned(cluster: FakeCluster) -> None:
    result = str(present(cluster, diff=True)) + str(
        present(cluster, ui_password="canary", diff=True)
    )
    for name in (LITELLM, POSTGRES):
        for key, value in cluster.data(name).items():
            if key != "UI_USERNAME":
                assert value not in result


@pytest.mark.parametrize("killed_before", [LITELLM, POSTGRES])
def test_a_run_killed_between_the_secrets_converges(
    cluster: FakeCluster, killed_before: str
) -> None:
    def kill(where: str) -> None:
        if where == path(killed_before):
            raise KeyboardInterrupt

    cluster.before_apply = kill
    with pytest.raises(KeyboardInterrupt):
        present(cluster)
    left = {where: cluster.data(where.rsplit("/", 1)[1]) for where in cluster.objects}
    cluster.before_apply = lambda _path: None
    present(cluster)
    for where, data in left.items():
        assert cluster.data(where.rsplit("/", 1)[1]) == data
    password = cluster.data(POSTGRES)["POSTGRES_PASSWORD"]
    assert f":{password}@" in cluster.data(LITELLM)["DATABASE_URL"]


@pytest.mark.parametrize("interrupted", [LITELLM, POSTGRES])
def test_a_second_run_in_between_is_not_overwritten(cluster: FakeCluster, interrupted: str) -> None:
    """While this run is about to write, another one goes through completely."""
    others: list[Any] = []

    def another_run(where: str) -> None:
        if where == path(interrupted) and not others:
            others.append(None)
            others[0] = present(cluster)

    cluster.before_apply = another_run
    mine = present(cluster)
    theirs = others[0]
    assert mine["instances"] == theirs["instances"]
    created = [s["name"] for r in (mine, theirs) for s in r["secrets"] if s["action"] == "created"]
    # Both may claim the second Secret: they came to the same content.
    assert {LITELLM, POSTGRES} == set(created) and created.count(LITELLM) == 1
    assert cluster.data(LITELLM)["DATABASE_URL"] == cluster.data(POSTGRES)["DATABASE_URL"]
    assert not present(cluster)["changed"]


def test_a_write_whose_answer_was_lost_is_reported_as_done(cluster: FakeCluster) -> None:
    lost: list[str] = []

    def lose(where: str) -> None:
        if where not in lost:  # the client sends it again, and is told that it comes too late
            lost.append(where)
            raise ApiError("the object has been modified", status=409)

    cluster.after_apply = lose
    result = present(cluster)
    assert [secret["action"] for secret in result["secrets"]] == ["created", "created"]
    assert "LITELLM_SALT_KEY" in result["secrets"][0]["generated"]
    assert not present(cluster)["changed"]


def test_endless_conflicts_end(cluster: FakeCluster) -> None:
    def meddle(_where: str) -> None:
        cluster.put(LITELLM, {"LITELLM_MASTER_KEY": f"sk-{len(cluster.requests)}"})

    cluster.before_apply = meddle
    with pytest.raises(LitemaasError, match="what else writes to them"):
        present(cluster)
    assert cluster.writes() == _secret_writer.TRIES


@pytest.mark.parametrize("status", [403, 404])
def test_a_new_namespace_is_waited_for(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(_secret_writer.time, "sleep", waits.append)

    def not_yet(_path: str) -> None:
        if len(waits) < 3:
            raise ApiError("not yet", status=status)

    cluster.before_apply = not_yet
    client: Any = cluster
    new = _credentials.instances([INSTANCE], new=["litemaas-user1"])[0]
    outcome = _secret_writer.settle(client, new, {}, Wanted())
    assert [change.action for change in outcome.changes] == ["created", "created"]
    assert waits == [0.1, 0.2, 0.4]
    assert not any(method == "GET" for method, _path in cluster.requests)


def test_a_missing_namespace_is_named_at_once(cluster: FakeCluster) -> None:
    def missing(_path: str) -> None:
        raise ApiError("namespaces not found", status=404)

    cluster.before_apply = missing
    with pytest.raises(LitemaasError, match="the namespace litemaas-user1 does not exist"):
        present(cluster)
    assert cluster.writes() == 1


def test_check_mode_predicts_and_writes_nothing(cluster: FakeCluster) -> None:
    predicted = present(cluster, dry_run=True, diff=True)
    assert cluster.writes() == 0
    assert predicted["changed"]
    assert predicted["instances"][0]["hashes"] == {
        "litellm": "unknown-until-created",
        "postgres": "unknown-until-created",
    }
    done = present(cluster, diff=True)
    assert [predicted[key] for key in ("secrets", "diff")] == [done["secrets"], done["diff"]]
    # With everything there the hashes are known, those of given values included.
    predicted = present(cluster, dry_run=True, ui_password="other")
    assert predicted["instances"] == present(cluster, ui_password="other")["instances"]


def test_a_foreign_secret_is_refused(cluster: FakeCluster) -> None:
    cluster.put(POSTGRES, {"POSTGRES_PASSWORD": "theirs"}, labels={"app": "postgres"})
    for dry_run in (True, False):
        with pytest.raises(LitemaasError, match="left untouched: it was not made by") as raised:
            present(cluster, dry_run=dry_run)
        (failed,) = raised.value.result["failed_instances"]
        assert (failed["name"], failed["namespace"]) == ("user1", "litemaas-user1")
    assert cluster.writes() == 0
    assert cluster.data(POSTGRES) == {"POSTGRES_PASSWORD": "theirs"}


@pytest.mark.parametrize(
    "labels",
    [
        {**LABELS, "rhpds.litemaas/deployment": "other"},
        {**LABELS, "rhpds.litemaas/instance": "user2"},
        {**LABELS, "app.kubernetes.io/managed-by": "Helm"},
    ],
)
def test_a_secret_of_another_instance_is_refused(
    cluster: FakeCluster, labels: dict[str, str]
) -> None:
    ours = [{"manager": "rhpds.litemaas"}]
    cluster.put(LITELLM, {"UI_PASSWORD": "theirs"}, labels=labels, managedFields=ours)
    with pytest.raises(LitemaasError, match="left untouched"):
        present(cluster)
    assert cluster.writes() == 0


def test_labels_that_were_taken_off_come_back(cluster: FakeCluster) -> None:
    present(cluster)
    before = cluster.data(LITELLM)
    ours = [{"manager": "kubectl"}, {"manager": "rhpds.litemaas"}]
    cluster.put(LITELLM, before, labels={}, managedFields=ours)
    result = present(cluster)
    assert [secret["action"] for secret in result["secrets"]] == ["configured", "unchanged"]
    assert cluster.data(LITELLM) == before
    assert cluster.objects[path(LITELLM)]["metadata"]["labels"]["app"] == "litellm"


def test_without_the_right_to_list_they_are_read_one_by_one(cluster: FakeCluster) -> None:
    cluster.forbidden = {"LIST"}
    first = present(cluster)
    assert "one by one" in first["notes"][0]
    cluster.requests.clear()
    assert not present(cluster)["changed"]
    assert [method for method, _path in cluster.requests] == ["LIST", "GET", "GET"]


def test_a_lost_secret_under_a_volume_is_warned_about(cluster: FakeCluster) -> None:
    present(cluster)
    assert not present(cluster).get("warnings")
    del cluster.objects[path(LITELLM)]
    cluster.objects[CLAIM] = {"metadata": {"name": "data-postgres-0"}}
    result = present(cluster)
    assert "user1: litellm-secret was missing while the database's volume is there" in (
        result["warnings"][0]
    )


def test_a_lost_salt_under_a_volume_is_refused(cluster: FakeCluster) -> None:
    present(cluster)
    data = {key: value for key, value in cluster.data(LITELLM).items() if "SALT" not in key}
    cluster.put(LITELLM, data, annotations={"rhpds.litemaas/salt": "own"})
    cluster.objects[CLAIM] = {"metadata": {"name": "data-postgres-0"}}
    with pytest.raises(LitemaasError, match="has lost its LITELLM_SALT_KEY"):
        present(cluster)
    del cluster.objects[CLAIM]
    assert present(cluster)["secrets"][0]["generated"] == ["LITELLM_SALT_KEY"]


def test_one_bad_instance_does_not_take_the_others(cluster: FakeCluster) -> None:
    cluster.put(LITELLM, {"UI_PASSWORD": "theirs"}, labels={})
    second = {
        "name": "user2",
        "namespace": "litemaas-user2",
        "labels": {**LABELS, "rhpds.litemaas/instance": "user2"},
    }
    client: Any = cluster

    def both(report: bool) -> dict[str, Any]:
        return _credential_states.present(
            client, [INSTANCE, second], "", Wanted(), dry_run=False, diff=False, report=report
        )

    with pytest.raises(LitemaasError) as raised:
        both(report=False)
    result = raised.value.result
    assert "1 of 2 instances" in str(raised.value) and "- user1: " in str(raised.value)
    assert [each["name"] for each in result["instances"]] == ["user2"]
    (failed,) = result["failed_instances"]
    assert failed["name"] == "user1" and failed["reason"].startswith("credentials: the Secret ")
    assert result["changed"]
    assert cluster.data(LITELLM, "litemaas-user2")["UI_USERNAME"] == "admin"
    assert both(report=True) == {**result, "changed": False, "secrets": ANY}
    told = _credential_states.read(client, [INSTANCE, second], dry_run=False, report=True)
    assert list(told["credentials"]) == ["user2"]
    assert [each["name"] for each in told["failed_instances"]] == ["user1"]


@pytest.mark.parametrize("status", [0, 403, 429, 500, 503])
def test_what_meets_only_some_instances_is_theirs(cluster: FakeCluster, status: int) -> None:
    def refuse(where: str) -> None:
        if "litemaas-user1/" in where:
            raise ApiError("refused by a webhook", status=status)

    cluster.before_apply = refuse
    second = {**INSTANCE, "name": "user2", "namespace": "litemaas-user2"}
    result = _credential_states.present(
        cluster,  # type: ignore[arg-type]
        [INSTANCE, second],
        "",
        Wanted(),
        dry_run=False,
        diff=False,
        report=True,
    )
    assert [each["reason"] for each in result["failed_instances"]] == [
        "credentials: refused by a webhook"
    ]
    assert [each["name"] for each in result["instances"]] == ["user2"]


def test_what_concerns_all_instances_is_said_once(cluster: FakeCluster) -> None:
    def unreachable(_path: str) -> None:
        raise ApiError("The API server cannot be reached", status=0)

    cluster.before_apply = unreachable
    with pytest.raises(ApiError, match="^The API server cannot be reached$"):
        present(cluster)


def test_read_returns_what_users_are_told(cluster: FakeCluster) -> None:
    client: Any = cluster
    assert _credential_states.read(client, [INSTANCE], dry_run=True)["missing"] == ["user1"]
    with pytest.raises(LitemaasError, match="user1: there are none yet"):
        _credential_states.read(client, [INSTANCE], dry_run=False)
    present(cluster, ui_username="me", ui_password="mine")
    result = _credential_states.read(client, [INSTANCE], dry_run=False)
    key = cluster.data(LITELLM)["LITELLM_MASTER_KEY"]
    told = {
        "username": "me",
        "password": "mine",
        "api_key": key,
        "virtual_keys": {},
        "passwords": {},
    }
    assert result["credentials"] == {"user1": told}
    assert (result["changed"], result["missing"]) == (False, [])


def test_an_instance_must_be_complete(cluster: FakeCluster) -> None:
    client: Any = cluster
    with pytest.raises(LitemaasError, match="lacks namespace, labels"):
        _credential_states.read(client, [{"name": "user1"}], dry_run=False)


def test_a_value_that_is_no_text_is_named_and_not_shown(cluster: FakeCluster) -> None:
    cluster.put(LITELLM, {"UI_PASSWORD": "x"})
    cluster.objects[path(LITELLM)]["data"]["UI_PASSWORD"] = "//79"
    with pytest.raises(LitemaasError, match="UI_PASSWORD in the Secret litellm-secret is no UTF-8"):
        present(cluster)
