# SPDX-License-Identifier: MIT
"""What removal finds, deletes, keeps and refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _inventory,
    _labels,
    _remove,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._remove import Request

from .applied_cluster import Cluster, Obj, obj, refusal

SELECTOR = {_labels.DEPLOYMENT: "test"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_remove.time, "sleep", lambda _seconds: None)


def remove(cluster: Cluster, *, dry_run: bool = False, **options: Any) -> ChangeSet:
    request = Request(**{"selector": SELECTOR, "wait": 0.001, **options})
    removal = _remove.Removal(cluster, request, dry_run=dry_run)  # type: ignore[arg-type]
    assert removal.run()
    return removal.changes()


def actions(changes: ChangeSet) -> dict[str, str]:
    return {change.label: change.action for change in changes.changes}


def instance(name: str) -> list[Obj]:
    return [
        obj("Deployment", "litellm", name),
        obj("Secret", "litellm-secret", name),
        obj("PersistentVolumeClaim", "data-postgres-0", name),
        obj("Route", "litellm", name),
    ]


def foreign(item: Obj, **labels: str) -> Obj:
    return {**item, "metadata": {**item["metadata"], "labels": labels}}


def only_namespaced(verb: str, path: str) -> None:
    """May read and write in namespaces, and list nothing else."""
    if verb == "list" and "/namespaces/" not in path:
        raise refusal(403, "may not list")


def test_namespaces_of_ours_go_whole() -> None:
    cluster = Cluster(
        *(item for n in range(5) for item in [obj("Namespace", f"n{n}"), *instance(f"n{n}")])
    )
    changes = remove(cluster)
    assert actions(changes) == {f"Namespace n{n}": "deleted" for n in range(5)}
    assert cluster.deleted == [f"/api/v1/namespaces/n{n}" for n in range(5)]
    assert cluster.calls["list"] == len(_inventory.KINDS) + 2  # and one look whether they are gone


def test_again_there_is_nothing_to_do() -> None:
    cluster = Cluster(obj("Namespace", "n"))
    remove(cluster)
    changes = remove(cluster)
    assert not changes.changed and changes.changes == []


def test_in_others_namespaces_only_ours_goes() -> None:
    theirs = foreign(obj("Namespace", "n"))
    neighbour = foreign(obj("Secret", "theirs", "n"), **{"app.kubernetes.io/managed-by": "Helm"})
    other = foreign(obj("Secret", "other", "n"), **_labels.deployment_labels("other"))
    # Our deployment's label on something that this collection did not make.
    copied = foreign(obj("Secret", "copied", "n"), **SELECTOR)
    cluster = Cluster(theirs, neighbour, other, copied, *instance("n"))
    changes = remove(cluster, namespaces=("n",))
    assert set(actions(changes).values()) == {"deleted"} and len(changes.changes) == 4
    left = {item["metadata"]["name"] for item in cluster.objects.values()}
    assert left == {"n", "theirs", "other", "copied"}


def test_data_may_be_kept() -> None:
    cluster = Cluster(obj("Namespace", "ours"), *instance("ours"), *instance("theirs"))
    changes = remove(cluster, keep_data=True)
    assert actions(changes) == {
        "Deployment ours/litellm": "deleted",
        "Deployment theirs/litellm": "deleted",
        "Route ours/litellm": "deleted",
        "Route theirs/litellm": "deleted",
        "Namespace ours": "kept",
        "PersistentVolumeClaim ours/data-postgres-0": "kept",
        "PersistentVolumeClaim theirs/data-postgres-0": "kept",
        "Secret ours/litellm-secret": "kept",
        "Secret theirs/litellm-secret": "kept",
    }
    again = remove(cluster, keep_data=True)
    assert not again.changed and again.summary() == {"kept": 5}


def test_the_record_of_parts_is_kept_with_their_data() -> None:
    labels = {**obj("ConfigMap", "x")["metadata"]["labels"], _labels.OPTIONAL: _labels.RECORD}
    record = obj("ConfigMap", "litemaas-parts-1", "ours", metadata={"labels": labels})
    cluster = Cluster(obj("Namespace", "ours"), obj("ConfigMap", "x", "ours"), record)
    assert actions(remove(cluster, keep_data=True)) == {
        "ConfigMap ours/x": "deleted",
        "ConfigMap ours/litemaas-parts-1": "kept",
        "Namespace ours": "kept",
    }


def test_a_dry_run_deletes_nothing() -> None:
    objects = [obj("Namespace", "ours"), *instance("ours"), *instance("theirs")]
    for keep_data in (False, True):
        cluster = Cluster(*objects)
        predicted = remove(cluster, keep_data=keep_data, dry_run=True)
        assert len(cluster.objects) == len(objects) and not cluster.deleted
        assert actions(predicted) == actions(remove(cluster, keep_data=keep_data))


def test_a_selector_is_needed() -> None:
    with pytest.raises(LitemaasError, match="at least one label"):
        remove(Cluster(obj("Namespace", "n")), selector={})


@pytest.mark.parametrize("labels", [{}, _labels.deployment_labels("other"), SELECTOR])
def test_a_named_namespace_that_is_not_ours_is_refused(labels: dict[str, str]) -> None:
    cluster = Cluster(foreign(obj("Namespace", "n"), **labels), obj("Namespace", "ours"))
    with pytest.raises(LitemaasError, match="Refused to remove n: not made by this deployment"):
        remove(cluster, namespaces=("n", "absent", "ours"))
    assert not cluster.deleted
    changes = remove(cluster, namespaces=("n",), existing_namespaces=True)
    assert actions(changes) == {"Namespace ours": "deleted"}
    assert "/api/v1/namespaces/n" in cluster.objects


def test_without_permission_to_list_the_cluster() -> None:
    cluster = Cluster(obj("Namespace", "ours"), *instance("ours"), *instance("theirs"))
    cluster.faults = [only_namespaced]
    with pytest.raises(LitemaasError, match="may not list.*name its namespaces"):
        remove(cluster)
    changes = remove(cluster, namespaces=("ours", "theirs", "absent"))
    assert actions(changes) == {
        "Namespace ours": "deleted",
        **{
            f"{item['kind']} theirs/{item['metadata']['name']}": "deleted"
            for item in instance("theirs")
        },
    }


def test_a_kind_that_may_not_be_listed_is_not_looked_for() -> None:
    cluster = Cluster(obj("Namespace", "n"))

    def no_jobs(verb: str, path: str) -> None:
        if verb == "list" and path.endswith("jobs"):
            raise refusal(403)
        if verb == "list" and path.endswith("routes"):
            raise refusal(404)  # plain Kubernetes

    cluster.faults = [no_jobs]
    assert actions(remove(cluster)) == {"Namespace n": "deleted"}


def test_one_that_fails_does_not_keep_the_others() -> None:
    cluster = Cluster(*(obj("Namespace", f"n{n}") for n in range(3)))

    def fault(verb: str, path: str) -> None:
        if verb == "delete" and path.endswith("n1"):
            raise refusal(403, "may not delete")

    cluster.faults = [fault]
    changes = remove(cluster)
    assert actions(changes) == {
        "Namespace n0": "deleted",
        "Namespace n1": "failed",
        "Namespace n2": "deleted",
    }
    assert changes.failures[0].message == "may not delete"


def test_one_that_was_made_anew_is_left() -> None:
    cluster = Cluster(obj("Namespace", "n"))

    def remake(verb: str, path: str) -> None:
        if verb == "delete":
            cluster.objects[path]["metadata"]["uid"] = "another"

    cluster.faults = [remake]
    changes = remove(cluster)
    assert "made anew" in changes.failures[0].message
    assert "/api/v1/namespaces/n" in cluster.objects


def held(name: str) -> Obj:
    return obj(
        "Namespace",
        name,
        metadata={"finalizers": ["example.com/hold"]},
        status={
            "conditions": [
                {
                    "type": "NamespaceContentRemaining",
                    "status": "True",
                    "message": "Some resources are remaining: configmaps. has 1 resource instances",
                }
            ]
        },
    )


def test_a_stuck_namespace_is_explained() -> None:
    blocked = obj("ConfigMap", "blocked", "n1", metadata={"finalizers": ["example.com/block"]})
    cluster = Cluster(obj("Namespace", "n0"), held("n1"), blocked)
    changes = remove(cluster)
    assert actions(changes) == {"Namespace n0": "deleted", "Namespace n1": "failed"}
    message = changes.failures[0].message
    assert "still there after 0.001 s" in message
    assert "configmaps/blocked (finalizers: example.com/block)" in message
    assert "its own finalizers are example.com/hold" in message


def test_a_removal_that_goes_on_after_its_time_out_has_changed_something() -> None:
    changes = remove(Cluster(held("n")))
    assert actions(changes) == {"Namespace n": "failed"} and changes.changed
    with pytest.raises(LitemaasError) as raised:
        changes.check()
    assert raised.value.result["changed"] is True

    def fault(verb: str, path: str) -> None:
        if verb == "delete":
            raise refusal(403, "may not delete")

    for untouched, faults in (
        (obj("Namespace", "n"), [fault]),
        (obj("Namespace", "n", metadata={"deletionTimestamp": "x"}), []),  # somebody else did
    ):
        cluster = Cluster(untouched)
        cluster.faults = faults
        changes = remove(cluster)
        assert actions(changes) == {"Namespace n": "failed"} and not changes.changed


def test_without_waiting_nothing_is_looked_at_again() -> None:
    cluster = Cluster(held("n"))
    assert actions(remove(cluster, wait=0)) == {"Namespace n": "deleted"}
    assert cluster.calls["list"] == len(_inventory.KINDS)


def test_what_somebody_else_deleted_is_waited_for() -> None:
    going = obj("Namespace", "n", metadata={"deletionTimestamp": "x"})
    cluster = Cluster(going)
    looks: list[str] = []

    def vanish(verb: str, path: str) -> None:
        looks.append(path)
        if looks.count("/api/v1/namespaces") == 3:
            cluster.objects.clear()

    cluster.faults = [vanish]
    changes = remove(cluster, wait=60)
    assert actions(changes) == {"Namespace n": "terminating"}
    assert not changes.changed and not cluster.deleted


class Ending(Cluster):
    """Namespaces end when they are changed after their last pod has gone."""

    changed: list[str] = []

    def request(self, method: str, path: str, *, body: Obj, content_type: str) -> Any:
        self._begin("patch", path)
        assert (method, content_type) == ("PATCH", "application/merge-patch+json")
        assert list(body["metadata"]["annotations"]) == [_remove.EMPTIED]
        self.changed = [*self.changed, path]
        del self.objects[path]


def test_a_namespace_whose_last_pod_is_gone_is_looked_at_again() -> None:
    pods = [obj("Pod", "litellm-1", "n0"), obj("Pod", "litellm-1", "n1")]
    cluster = Ending(held("n0"), held("n1"), *pods)
    looks: list[str] = []

    def end(verb: str, path: str) -> None:
        looks.append(path)
        # n0 has one more pod for a while, n1 none from the second look on.
        for number, name in ((2, "n1"), (4, "n0")):
            if looks.count("/api/v1/pods") == number:
                cluster.objects.pop(f"/api/v1/namespaces/{name}/pods/litellm-1", None)

    cluster.faults = [end]
    changes = remove(cluster, wait=60)
    assert actions(changes) == {"Namespace n0": "deleted", "Namespace n1": "deleted"}
    assert cluster.changed == ["/api/v1/namespaces/n1", "/api/v1/namespaces/n0"]


@pytest.mark.parametrize("verb", ["patch", "list"])
def test_who_may_not_hasten_a_namespace_waits(verb: str) -> None:
    cluster = Ending(held("n"), obj("Pod", "litellm-1", "n"))
    looks: list[str] = []

    def end(asked: str, path: str) -> None:
        looks.append(path)
        if looks.count("/api/v1/namespaces") == 3:
            cluster.objects.pop("/api/v1/namespaces/n/pods/litellm-1", None)
        if looks.count("/api/v1/namespaces") == 6:
            cluster.objects.clear()
        if asked == verb and (verb == "patch" or path.endswith("/pods")):
            raise refusal(403, "may not")

    cluster.faults = [end]
    assert actions(remove(cluster, wait=60)) == {"Namespace n": "deleted"}
    assert not cluster.changed


def test_what_has_pods_is_known_to_the_next_slice() -> None:
    cluster = Ending(held("n"), obj("Pod", "litellm-1", "n"))
    request = Request(selector=SELECTOR, wait=60)
    first = _remove.Removal(cluster, request)  # type: ignore[arg-type]
    assert not first.run(until=0.3)
    cluster.objects.pop("/api/v1/namespaces/n/pods/litellm-1")
    second = _remove.Removal(cluster, request, elapsed=1.0, state=first.state())  # type: ignore[arg-type]
    assert second.run()
    assert cluster.changed == ["/api/v1/namespaces/n"]


def test_kinds_are_known_and_owners_go_with_their_pods() -> None:
    for kind in _inventory.KINDS:
        assert _resources.lookup(*kind)
    for api_version, kind, _name in _labels.OBJECTS:
        assert (api_version, kind) in _inventory.KINDS
    used: dict[str, str] = {}

    class Watching(Cluster):
        def delete(self, path: str, *, propagation: str = "", **options: Any) -> Obj | None:
            used[path.rsplit("/", 2)[1]] = propagation
            return super().delete(path, propagation=propagation, **options)

    remove(Watching(*instance("theirs"), obj("StatefulSet", "postgres", "theirs")))
    foreground = {plural for plural, propagation in used.items() if propagation == "Foreground"}
    assert foreground == {"deployments", "statefulsets"}


def test_the_wait_may_be_cut_into_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(_remove.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_remove.time, "sleep", sleep)
    blocked = obj("ConfigMap", "blocked", "n1", metadata={"finalizers": ["example.com/block"]})
    cluster = Cluster(obj("Namespace", "n0"), held("n1"), blocked)
    state, lines, over = "", [], False
    while not over:
        elapsed = now[0] - 1000
        removal = _remove.Removal(
            cluster, Request(SELECTOR, wait=60), elapsed=elapsed, state=state  # type: ignore
        )
        over = removal.run(elapsed + 8)
        lines.append(removal.line())
        assert now[0] - 1000 <= elapsed + 8
        state = removal.state()
    assert cluster.deleted == ["/api/v1/namespaces/n0", "/api/v1/namespaces/n1"], "only once"
    assert lines[0].startswith("test: 1 of 2 namespaces gone; waiting for n1; ")
    assert "n1: it holds configmaps/blocked (finalizers: example.com/block)" in lines[-2]
    assert len(lines) >= 7 and now[0] - 1000 == pytest.approx(60)
    assert actions(removal.changes()) == {"Namespace n0": "deleted", "Namespace n1": "failed"}
    assert removal.changes().changed


def test_where_there_was_nothing_to_remove_no_line_is_printed() -> None:
    removal = _remove.Removal(Cluster(), Request(SELECTOR))  # type: ignore[arg-type]
    assert removal.run() and removal.line() == ""
