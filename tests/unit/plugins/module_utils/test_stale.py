# SPDX-License-Identifier: MIT
"""What manifests no longer hold: only optional parts, only in their namespaces, and Secrets with their part."""

from __future__ import annotations

from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _changes,
    _labels,
    _stale,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._inventory import Found

from .applied_cluster import Cluster, obj, refusal


def optional(kind: str, name: str, namespace: str, part: str) -> dict[str, Any]:
    item = obj(kind, name, namespace)
    labels = {**item["metadata"]["labels"], _labels.OPTIONAL: part}
    return {**item, "metadata": {**item["metadata"], "labels": labels}}


def found(kind: str, name: str, namespace: str, part: str, *, terminating: bool = False) -> Found:
    item = obj(kind, name, namespace)
    return Found(item["apiVersion"], kind, namespace, name, f"uid-{name}", terminating, part)


def names(stale: list[Found]) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in stale]


def settled(
    cluster: Cluster, wanted: list[dict[str, Any]], changes: ChangeSet, *, remove: bool
) -> ChangeSet:
    _stale.settle(
        cluster, wanted, changes, seen(cluster), remove=remove, dry_run=False  # type: ignore[arg-type]
    )
    return changes


def seen(cluster: Cluster) -> list[Any]:
    """What the lists of Deployments and Services show of optional parts, as they are listed in any case."""
    return [
        item
        for item in cluster.objects.values()
        if item["kind"] in ("Deployment", "Service") and _labels.OPTIONAL in _labels.of(item)
    ]


def looked(cluster: Cluster, wanted: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return names(_stale.find(cluster, wanted, seen(cluster)))  # type: ignore[arg-type]


def test_what_is_still_wanted_or_elsewhere_or_going_stays() -> None:
    wanted = [obj("Deployment", "litellm", "a"), optional("Deployment", "redis", "a", "redis")]
    there = [
        found("Deployment", "redis", "a", "redis"),
        found("ConfigMap", "litellm-config", "a", "config"),
        found("ConfigMap", "litellm-config", "b", "config"),
        found("Job", "old", "a", "migration", terminating=True),
    ]
    assert names(_stale.stale(there, wanted)) == [("ConfigMap", "litellm-config")]


def test_a_secret_goes_with_the_last_object_of_its_part() -> None:
    secret = found("Secret", "redis-secret", "a", "redis")
    with_redis = [optional("Service", "redis", "a", "redis"), obj("Deployment", "litellm", "b")]
    assert _stale.stale([secret], with_redis) == []
    elsewhere = [optional("Service", "redis", "b", "redis"), obj("Deployment", "litellm", "a")]
    assert names(_stale.stale([secret], elsewhere)) == [("Secret", "redis-secret")]


def test_a_record_is_named_by_the_parts_and_kinds_it_tells_of() -> None:
    wanted = [
        obj("Deployment", "litellm", "a"),
        optional("Service", "redis", "a", "redis"),
        optional("Deployment", "redis", "a", "redis"),
        optional("ConfigMap", "own", "a", "extra"),
        obj("Deployment", "litellm", "b"),
    ]
    (record,) = _stale.records(wanted)
    metadata = record["metadata"]
    assert metadata["annotations"][_labels.PARTS] == (
        "extra: v1 ConfigMap, v1 Secret\nredis: apps/v1 Deployment, v1 Secret, v1 Service"
    )
    assert metadata["namespace"] == "a"
    assert metadata["labels"] == {**_labels.of(wanted[0]), _labels.OPTIONAL: "record"}
    assert _stale.records(reversed(wanted)) == [record]
    others = _stale.records(wanted[:3])
    assert others[0]["metadata"]["name"] != metadata["name"]
    assert _stale.records([wanted[0], wanted[4]]) == []


def test_who_has_no_parts_costs_one_short_list() -> None:
    wanted = [obj("Deployment", "litellm", f"n{n}") for n in range(80)]
    cluster = Cluster(*wanted)
    assert looked(cluster, wanted) == []
    assert cluster.calls["list"] == 1


def test_who_keeps_the_parts_costs_no_list() -> None:
    wanted = [optional("Deployment", "redis", f"n{n}", "redis") for n in range(80)]
    wanted += _stale.records(wanted)
    cluster = Cluster(*wanted)
    assert looked(cluster, wanted) == []
    assert cluster.calls["list"] == 0


def test_a_record_leads_to_kinds_that_are_wanted_no_more() -> None:
    parts = [
        optional(kind, "x", f"n{n}", "several")
        for n in range(80)
        for kind in ("Job", "PodDisruptionBudget")
    ]
    gone = [*parts, *_stale.records(parts)]
    wanted = [obj("Deployment", "litellm", f"n{n}") for n in range(80)]
    cluster = Cluster(*wanted, *gone)
    assert len(looked(cluster, wanted)) == 240
    assert cluster.calls["list"] == 4  # the records, and the kinds that they name, Secrets included
    changes = settled(cluster, wanted, ChangeSet(), remove=True)
    assert changes.summary() == {"deleted": 240}
    assert looked(cluster, wanted) == []


def test_a_record_stays_until_all_that_it_names_is_gone() -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "delete" and "/jobs/" in path:
            raise refusal(403, "may not delete")

    parts = [optional(kind, "x", "a", "several") for kind in ("Job", "PodDisruptionBudget")]
    wanted = [obj("Deployment", "litellm", "a")]
    cluster = Cluster(*wanted, *parts, *_stale.records(parts))
    cluster.faults.append(refuse)
    assert settled(cluster, wanted, ChangeSet(), remove=True).summary() == {
        "deleted": 1,
        "failed": 1,
    }
    cluster.faults.clear()
    assert dict(looked(cluster, wanted)).keys() == {"Job", "ConfigMap"}
    settled(cluster, wanted, ChangeSet(), remove=True)
    assert looked(cluster, wanted) == []


def test_a_kind_that_the_cluster_has_no_more_is_passed_over() -> None:
    parts = [optional("Service", "x", "a", "extra")]
    parts[0] |= {"apiVersion": "gone.example.com/v1", "kind": "Thing"}
    cluster = Cluster(obj("Deployment", "litellm", "a"), *_stale.records(parts))
    assert dict(looked(cluster, [obj("Deployment", "litellm", "a")])).keys() == {"ConfigMap"}


def test_where_something_failed_nothing_is_taken_away() -> None:
    wanted = [obj("Deployment", "litellm", f"n{n}") for n in range(3)]
    gone = [optional("Service", "redis", f"n{n}", "redis") for n in range(3)]
    cluster = Cluster(*wanted, *gone)
    failed = [_changes.change(wanted[1], _changes.FAILED, "refused")]
    reported = settled(cluster, wanted, ChangeSet(list(failed)), remove=False)
    assert [each["namespace"] for each in reported.result()["stale"]] == ["n0", "n2"]
    removed = settled(cluster, wanted, ChangeSet(list(failed)), remove=True)
    assert removed.summary() == {"deleted": 2, "failed": 1}
    assert [path.split("/")[4] for path in cluster.deleted] == ["n0", "n2"]


def test_what_stays_fails_its_namespace_only() -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "delete" and "/n1/" in path:
            raise refusal(403, "may not delete")

    wanted = [obj("Deployment", "litellm", f"n{n}") for n in range(2)]
    cluster = Cluster(*wanted, *(optional("Service", "redis", f"n{n}", "redis") for n in range(2)))
    cluster.faults.append(refuse)
    done = [_changes.change(each, _changes.UNCHANGED) for each in wanted]
    report = settled(cluster, wanted, ChangeSet(done), remove=True).report()
    (failed,) = report["failed_namespaces"]
    assert failed["namespace"] == "n1"
    assert "may not delete" in failed["reason"]


def test_objects_that_are_nobodys_are_not_looked_for() -> None:
    bare = obj("Deployment", "litellm", "a")
    bare = {**bare, "metadata": {**bare["metadata"], "labels": {}}}
    cluster = Cluster(optional("Service", "redis", "a", "redis"))
    assert looked(cluster, [bare]) == []
    assert cluster.calls["list"] == 0


def test_who_may_list_nothing_has_nothing_to_remove() -> None:
    def refuse(verb: str, path: str) -> None:
        if verb == "list":
            raise refusal(403, "may not list")

    cluster = Cluster(optional("Service", "redis", "a", "redis"))
    cluster.faults.append(refuse)
    assert looked(cluster, [obj("Deployment", "litellm", "a")]) == []


def test_a_secret_alone_is_known_by_the_object_that_names_it() -> None:
    with_it = obj(
        "Deployment",
        "litellm",
        "a",
        metadata={"annotations": {_labels.SECRETS: "certificate pull-secret"}},
    )
    (record,) = _stale.records([with_it])
    assert (
        record["metadata"]["annotations"][_labels.PARTS]
        == "certificate: v1 Secret\npull-secret: v1 Secret"
    )
    secrets = [
        found("Secret", "tls", "a", "certificate"),
        found("Secret", "pull", "a", "pull-secret"),
    ]
    assert _stale.stale(secrets, [with_it, record]) == []
    less = obj(
        "Deployment", "litellm", "a", metadata={"annotations": {_labels.SECRETS: "certificate"}}
    )
    assert names(_stale.stale(secrets, [less])) == [("Secret", "pull")]
    assert names(_stale.stale(secrets, [obj("Deployment", "litellm", "a")])) == [
        ("Secret", "tls"),
        ("Secret", "pull"),
    ]
