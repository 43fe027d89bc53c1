# SPDX-License-Identifier: MIT
"""Which requests applying takes, in which order, and what becomes of refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _apply, _labels, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError

from .applied_cluster import Cluster, Obj, obj, refusal


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_apply.time, "sleep", lambda _seconds: None)


def actions(changes: ChangeSet) -> dict[str, str]:
    return {change.label: change.action for change in changes.changes}


def messages(changes: ChangeSet) -> str:
    return "\n".join(change.message for change in changes.failures)


def instance(name: str = "n") -> list[Obj]:
    """A namespace and one object of each later stage, the last stage first."""
    return [
        obj("Deployment", "d", name, spec={"replicas": 1}),
        obj("ConfigMap", "c", name, data={"a": "b"}),
        obj("Namespace", name),
    ]


def apply(cluster: Cluster, objects: list[Obj], **options: Any) -> ChangeSet:
    return _apply.apply(cluster, objects, **options)  # type: ignore[arg-type]


def once(error: Exception, at: str, verb: str = "apply") -> Callable[[str, str], None]:
    """A fault that one request meets."""
    left = [error]

    def fault(asked: str, path: str) -> None:
        if asked == verb and path.endswith(at) and left:
            raise left.pop()

    return fault


def always(error: Exception, at: str, verb: str = "apply") -> Callable[[str, str], None]:
    def fault(asked: str, path: str) -> None:
        if asked == verb and path.endswith(at):
            raise error

    return fault


def test_stages_and_results_in_the_given_order() -> None:
    cluster = Cluster()
    changes = apply(cluster, instance())
    assert [change.label for change in changes.changes] == [
        "Deployment n/d",
        "ConfigMap n/c",
        "Namespace n",
    ]
    assert set(actions(changes).values()) == {"created"}
    assert [path.rsplit("/", 1)[1] for path, _body, _dry in cluster.sent] == ["n", "c", "d"]
    # Nothing can be in a namespace that is new: nothing is looked for there.
    assert cluster.calls == {"get": 1, "apply": 3}


def test_again_sends_nothing() -> None:
    cluster = Cluster()
    objects = [item for n in range(5) for item in instance(f"n{n}")]
    apply(cluster, objects)
    cluster.calls.clear()
    changes = apply(cluster, objects)
    assert set(actions(changes).values()) == {"unchanged"} and not changes.changed
    assert cluster.calls == {"list": 3}


def test_only_what_differs_is_sent() -> None:
    cluster = Cluster()
    apply(cluster, instance())
    cluster.sent.clear()
    objects = instance()
    objects[1]["data"] = {"a": "c"}
    changes = apply(cluster, objects)
    assert actions(changes)["ConfigMap n/c"] == "configured"
    assert [path.rsplit("/", 1)[1] for path, *_unused in cluster.sent] == ["c"]


def test_what_the_server_leaves_as_it_is_is_unchanged() -> None:
    cluster = Cluster()
    objects = instance()
    apply(cluster, objects)
    # The comparison cannot know every default: it errs to sending, and the server decides.
    path = _resources.object_path(objects[1])
    stored = cluster.objects[path]
    stored["data"] = {"a": "normalised"}

    def unmoved(_path: str, _body: Obj, **_options: Any) -> tuple[int, Obj]:
        return 200, {**stored, "metadata": {**stored["metadata"], "managedFields": [{"x": 1}]}}

    cluster.apply = unmoved  # type: ignore[method-assign,assignment]
    assert actions(apply(cluster, objects))["ConfigMap n/c"] == "unchanged"


def test_the_hash_is_sent_and_others_annotations_stay() -> None:
    wanted = obj("ConfigMap", "c", "n", metadata={"annotations": {"a": "b"}})
    sent = _apply.outgoing(wanted)
    assert set(sent["metadata"]["annotations"]) == {"a", _labels.APPLIED_HASH}
    assert wanted["metadata"]["annotations"] == {"a": "b"}
    assert "resourceVersion" not in sent["metadata"]
    assert _apply.outgoing(wanted, create_only=True)["metadata"]["resourceVersion"] == "1"


def test_a_dry_run_writes_nothing_and_predicts_the_same() -> None:
    for before in ([], instance()[2:], instance()):
        cluster, twin = Cluster(*before), Cluster(*before)
        predicted = apply(cluster, instance(), dry_run=True, diff=True)
        assert all(dry for _path, _body, dry in cluster.sent)
        assert actions(predicted) == actions(apply(twin, instance()))
        assert predicted.changed


def test_what_will_live_in_a_new_namespace_is_checked_in_another() -> None:
    cluster = Cluster({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    apply(cluster, instance(), dry_run=True)
    paths = [path for path, _body, _dry in cluster.sent]
    assert "/apis/apps/v1/namespaces/default/deployments/d" in paths
    invalid = refusal(422, "not good", causes=[{"field": "spec", "message": "bad"}])
    for error, failed in ((invalid, True), (refusal(403), False), (refusal(409), False)):
        cluster.faults = [always(error, "/deployments/d")]
        changes = apply(cluster, instance(), dry_run=True)
        assert actions(changes)["Deployment n/d"] == ("failed" if failed else "created")


def test_a_dry_run_trusts_an_earlier_task_to_make_the_namespace() -> None:
    cluster = Cluster()
    assert actions(apply(cluster, instance()[:1], dry_run=True)) == {"Deployment n/d": "created"}
    # In earnest it is missed.
    changes = apply(cluster, instance()[:1])
    assert actions(changes) == {"Deployment n/d": "failed"}
    assert 'namespaces "n" not found' in messages(changes)


FOREIGN: list[tuple[str, Obj, str]] = [
    ("nobody's", {}, "not this collection's"),
    ("Helm's", {"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "managed by Helm"),
    (
        "another deployment's",
        {"labels": {**_labels.deployment_labels("other")}},
        "part of the deployment other",
    ),
]


@pytest.mark.parametrize(
    ("metadata", "owner"), [c[1:] for c in FOREIGN], ids=[c[0] for c in FOREIGN]
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_others_objects_are_left_untouched(metadata: Obj, owner: str, dry_run: bool) -> None:
    theirs = obj("ConfigMap", "c", "n", data={"theirs": "x"})
    theirs["metadata"].pop("labels")
    theirs["metadata"].update(metadata)
    cluster = Cluster(obj("Namespace", "n"), theirs)
    changes = apply(cluster, instance(), dry_run=dry_run)
    assert actions(changes)["ConfigMap n/c"] == "failed"
    assert owner in messages(changes) and "left untouched" in messages(changes)
    assert cluster.objects[_resources.object_path(theirs)]["data"] == {"theirs": "x"}


def test_nothing_is_sent_into_a_namespace_that_is_not_ours() -> None:
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    for namespaces in (["n"], ["n", "a", "b", "c", "d"]):
        cluster = Cluster(theirs)
        objects = [item for name in namespaces for item in instance(name)]
        changes = apply(cluster, objects)
        done = actions(changes)
        assert done["Namespace n"] == "failed"
        assert {done["ConfigMap n/c"], done["Deployment n/d"]} == {"skipped"}
        others = {action for label, action in done.items() if label.split()[1][0] != "n"}
        assert others == ({"created"} if len(namespaces) > 1 else set())
        assert len(cluster.objects) == 1 + 3 * (len(namespaces) - 1)


def test_labels_that_were_taken_off_come_back() -> None:
    cluster = Cluster()
    apply(cluster, instance())
    path = _resources.object_path(instance()[1])
    stored = cluster.objects[path]
    del stored["metadata"]["labels"]
    stored["metadata"]["managedFields"] = [{"manager": "rhpds.litemaas", "operation": "Apply"}]
    changes = apply(cluster, instance())
    assert actions(changes)["ConfigMap n/c"] == "configured"
    assert cluster.objects[path]["metadata"]["labels"]


def test_manifests_without_our_label_are_merged_as_kubectl_does() -> None:
    theirs = obj("ConfigMap", "c", "n")
    theirs["metadata"].pop("labels")
    cluster = Cluster(obj("Namespace", "n"), theirs)
    wanted = {**theirs, "data": {"a": "b"}}
    assert actions(apply(cluster, [wanted])) == {"ConfigMap n/c": "configured"}


def test_a_lost_answer_is_no_foreign_object() -> None:
    cluster = Cluster(obj("Namespace", "n"))
    (wanted,) = instance()[1:2]

    def lose(verb: str, path: str) -> None:
        """The object is stored, but the client, which never heard of it, asks again."""
        if verb == "apply" and path.endswith("/c") and path not in cluster.objects:
            cluster.put(_apply.outgoing(wanted))

    cluster.faults = [lose]
    assert actions(apply(cluster, [wanted])) == {"ConfigMap n/c": "created"}
    assert len(cluster.sent) == 1


@pytest.mark.parametrize(
    "error",
    [
        refusal(404, 'namespaces "n" not found', kind="namespaces"),
        refusal(403, "forbidden: status unknown for quota"),
        refusal(409, "the object has been modified"),
    ],
    ids=lambda error: str(error.status),
)
def test_a_new_namespace_may_take_a_moment(error: Exception) -> None:
    cluster = Cluster()
    cluster.faults = [once(error, "/configmaps/c")]
    assert set(actions(apply(cluster, instance())).values()) == {"created"}


def test_a_moment_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(_apply.time, "monotonic", lambda: now.__setitem__(0, now[0] + 1) or now[0])
    cluster = Cluster()
    cluster.faults = [always(refusal(403, "forbidden"), "/configmaps/c")]
    changes = apply(cluster, instance())
    assert actions(changes) == {
        "Deployment n/d": "created",
        "ConfigMap n/c": "failed",
        "Namespace n": "created",
    }
    assert 2 < cluster.calls["apply"] < 5 + _apply.SETTLING


def test_refusals_in_an_old_namespace_are_final() -> None:
    cluster = Cluster(obj("Namespace", "n"))
    cluster.faults = [always(refusal(403, "forbidden"), "/configmaps/c")]
    changes = apply(cluster, instance()[:2])
    assert actions(changes) == {"Deployment n/d": "created", "ConfigMap n/c": "failed"}
    assert cluster.calls["apply"] == 2


def test_a_change_at_the_same_time_is_overcome_or_told() -> None:
    cluster = Cluster(*instance())
    conflict = refusal(409, "the object has been modified")
    objects = instance()
    objects[1]["data"] = {"a": "c"}
    cluster.faults = [once(conflict, "/configmaps/c")]
    assert actions(apply(cluster, objects))["ConfigMap n/c"] == "configured"
    cluster.faults = [always(conflict, "/configmaps/c")]
    objects[1]["data"] = {"a": "d"}
    assert "changed by somebody else" in messages(apply(cluster, objects))


def test_what_is_being_deleted_is_waited_for_and_made_anew() -> None:
    going = obj("Namespace", "n", metadata={"deletionTimestamp": "x", "finalizers": ["f/x"]})
    cluster = Cluster(going)
    looks = []

    def vanish(verb: str, _path: str) -> None:
        looks.append(verb)
        if len(looks) == 4:
            cluster.objects.clear()

    cluster.faults = [vanish]
    assert set(actions(apply(cluster, instance())).values()) == {"created"}

    cluster = Cluster(going)
    assert set(actions(apply(cluster, instance(), dry_run=True)).values()) == {"created"}


def test_what_does_not_go_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_apply, "GONE", 0.0)
    cluster = Cluster(
        obj("Namespace", "n", metadata={"deletionTimestamp": "x", "finalizers": ["f/x"]})
    )
    changes = apply(cluster, instance())
    assert actions(changes)["Namespace n"] == "failed"
    assert actions(changes)["ConfigMap n/c"] == "skipped"
    assert "still there after 0 s: its own finalizers are f/x" in messages(changes)


def test_forbidden_lists_are_replaced_by_narrower_ones() -> None:
    objects = [item for n in range(5) for item in instance(f"n{n}")]
    cluster = Cluster()
    apply(cluster, objects)
    cluster.calls.clear()

    def narrow(verb: str, path: str) -> None:
        if verb == "list" and "/namespaces/" not in path:
            raise refusal(403)

    cluster.faults = [narrow]
    assert set(actions(apply(cluster, objects)).values()) == {"unchanged"}
    # three refused, then five namespaces of two kinds, then each Namespace by its name
    assert cluster.calls == {"list": 3 + 10, "get": 5}


def test_what_cannot_be_read_is_not_sent() -> None:
    cluster = Cluster(obj("Namespace", "n"))
    cluster.faults = [always(refusal(403, "may not list"), "", verb="list")]
    cluster.faults.append(always(refusal(403, "may not get"), "/configmaps/c", verb="get"))
    changes = apply(cluster, instance()[:2])
    assert actions(changes) == {"Deployment n/d": "created", "ConfigMap n/c": "failed"}
    assert messages(changes) == "may not get"


@pytest.mark.parametrize("status", [0, 401])
def test_what_is_wrong_for_all_is_said_once(status: int) -> None:
    cluster = Cluster()
    cluster.faults = [always(refusal(status, "for all"), "", verb="get")]
    with pytest.raises(ApiError, match="^for all$"):
        apply(cluster, instance())
    assert cluster.sent == []


def test_diffs_are_kept_on_demand() -> None:
    cluster = Cluster()
    assert apply(cluster, instance()).diff() == []
    objects = instance()
    objects[1]["data"] = {"a": "c"}
    (entry,) = apply(cluster, objects, diff=True).diff()
    assert entry["after_header"] == "ConfigMap n/c"
    assert "a: b" in entry["before"] and "a: c" in entry["after"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_job_that_gave_up_is_made_anew(dry_run: bool) -> None:
    cluster = Cluster(obj("Namespace", "n"))
    job = obj("Job", "migrate", "n", spec={"backoffLimit": 1})
    apply(cluster, [job])
    path = _resources.object_path(job)
    live = cluster.objects[path]
    live["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert actions(apply(cluster, [job])) == {"Job n/migrate": "unchanged"}

    live["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}
    first = live["metadata"]["uid"]
    changes = apply(cluster, [job], dry_run=dry_run)

    assert actions(changes) == {"Job n/migrate": "created"}
    assert cluster.deleted == ([] if dry_run else [path])
    assert (cluster.objects[path]["metadata"]["uid"] == first) is dry_run
