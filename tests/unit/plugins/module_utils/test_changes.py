# SPDX-License-Identifier: MIT
"""The change set, and how failures are told."""

from __future__ import annotations

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _changes
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import Change, ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


@pytest.mark.parametrize(
    ("actions", "changed", "summary"),
    [
        ([], False, {}),
        (["unchanged", "unchanged"], False, {"unchanged": 2}),
        (["kept", "terminating"], False, {"terminating": 1, "kept": 1}),
        (["unchanged", "configured"], True, {"configured": 1, "unchanged": 1}),
        (["failed", "created", "skipped"], True, {"created": 1, "failed": 1, "skipped": 1}),
        (["deleted"], True, {"deleted": 1}),
        (["failed"], False, {"failed": 1}),
    ],
)
def test_result(actions: list[str], changed: bool, summary: dict[str, int]) -> None:
    changes = ChangeSet([Change("Pod", "n", f"p{i}", a) for i, a in enumerate(actions)])
    result = changes.result()
    assert result["changed"] is changed
    assert result["summary"] == summary
    assert [obj["action"] for obj in result["objects"]] == actions
    assert all(set(obj) == {"kind", "namespace", "name", "action"} for obj in result["objects"])


def test_all_is_well() -> None:
    ChangeSet([Change("Pod", "n", "p", "created"), Change("Pod", "n", "q", "kept")]).check()


def test_failures_are_named_and_the_rest_is_told() -> None:
    changes = ChangeSet(
        [
            Change("Namespace", "", "a", "created"),
            Change("Pod", "a", "p", "failed", "exceeds the quota."),
            Change("Service", "a", "s", "failed", "not valid: spec.ports: Required value."),
        ]
    )
    with pytest.raises(LitemaasError) as caught:
        changes.check()
    assert str(caught.value).splitlines() == [
        "2 of 3 objects failed; the others were not affected.",
        "- Pod a/p: exceeds the quota.",
        "- Service a/s: not valid: spec.ports: Required value.",
    ]
    assert caught.value.result["changed"] is True
    assert [f["message"] for f in caught.value.result["failures"]] == [
        "exceeds the quota.",
        "not valid: spec.ports: Required value.",
    ]


def test_what_was_not_sent_is_counted() -> None:
    changes = ChangeSet(
        [Change("Namespace", "", "a", "failed", "no."), Change("Pod", "a", "p", "skipped")]
    )
    with pytest.raises(LitemaasError, match="1 of 2 objects failed, and 1 were not sent because"):
        changes.check()


def test_one_reason_is_said_once() -> None:
    def refused(user: int, kind: str = "secrets") -> str:
        return f'{kind} "db" is forbidden: User "bob" cannot patch in the namespace "user{user}".'

    changes = [
        _changes.change(
            {"kind": "Secret", "metadata": {"name": "db", "namespace": f"user{n}"}},
            "failed",
            refused(n),
        )
        for n in range(1, 1001)
    ]
    changes.append(Change("Service", "user1", "db", "failed", refused(1, "services")))
    with pytest.raises(LitemaasError) as caught:
        ChangeSet(changes).check()
    head, first, second = str(caught.value).splitlines()
    assert head == "1001 of 1001 objects failed."
    assert first.startswith(f"- Secret user1/db: {refused(1)} The same for user2/db, user3/db, ")
    assert first.endswith("user201/db and 799 more.")
    assert second == f"- Service user1/db: {refused(1, 'services')}"
    assert len(caught.value.result["failures"]) == 1001


def test_diff_has_what_changes() -> None:
    changes = ChangeSet(
        [
            Change("Pod", "n", "new", "created", after="a: b\n"),
            Change("Pod", "n", "same", "unchanged", before="x", after="x"),
            Change("Pod", "n", "gone", "deleted"),
        ]
    )
    (entry,) = changes.diff()
    assert entry == {
        "before_header": "Pod n/new",
        "after_header": "Pod n/new",
        "before": "",
        "after": "a: b\n",
    }


def test_failures_may_be_reported_by_namespace() -> None:
    changes = ChangeSet(
        [
            Change("Namespace", "", "a", "failed", "refused by a webhook."),
            Change("Service", "a", "s", "skipped"),
            Change("Pod", "b", "p", "failed", "exceeds the quota."),
            Change("Pod", "b", "q", "failed", "exceeds the quota."),
            Change("Pod", "c", "p", "created"),
        ]
    )
    result = changes.report()
    assert result["failed_namespaces"] == [
        {"namespace": "a", "reason": "Namespace a: refused by a webhook."},
        {
            "namespace": "b",
            "reason": "Pod p: exceeds the quota. (1 more of its objects failed)",
        },
    ]
    assert [failure["name"] for failure in result["failures"]] == ["a", "p", "q"]
    assert result["changed"]


@pytest.mark.parametrize(
    ("others", "raises"),
    [([], True), (["skipped"], True), (["unchanged"], False), (["created"], False)],
)
def test_what_meets_everything_is_no_report(others: list[str], raises: bool) -> None:
    lost = [Change("Pod", "n", f"p{i}", "failed", "no answer", general=True) for i in range(2)]
    changes = ChangeSet([*lost, *(Change("Pod", "m", "p", action) for action in others)])
    if raises:
        with pytest.raises(LitemaasError, match="no answer"):
            changes.report()
    else:
        assert len(changes.report()["failures"]) == 2


def test_a_mistake_in_every_object_is_reported_of_each() -> None:
    changes = ChangeSet([Change("Pod", "n", "p", "failed", "not valid")])
    assert changes.report()["failed_namespaces"]
