# SPDX-License-Identifier: MIT
"""The words at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._outcome import Outcome


def instance(number: int, phase: str = "ready", **more: Any) -> dict[str, Any]:
    return {
        "name": f"user{number}",
        "namespace": f"litemaas-user{number}",
        "ready": phase == "ready",
        "phase": phase,
        "component": "" if phase in ("ready", "failed") else "litellm",
        "reason": "" if phase == "ready" else "no such image",
        "url": f"https://user{number}.test",
        "via_reason": "",
        "waited": 12.34,
        **more,
    }


def test_the_failed_ones_come_last_with_their_reason() -> None:
    outcome = Outcome([instance(1), instance(2, "image"), instance(3)], {"user3": "gone"})
    assert outcome.table() == [
        "Instance  State   Seconds  URL                 Reason",
        "user1     ready      12.3  https://user1.test",
        "user2     FAILED     12.3  https://user2.test  litellm (image): no such image",
        "user3     FAILED     12.3  https://user3.test  gone",
    ]
    assert outcome.failure().splitlines() == [
        "2 of 3 instances are not ready; the others are.",
        "- user2 (namespace litemaas-user2): litellm (image): no such image",
        "- user3 (namespace litemaas-user3): gone",
    ]
    assert outcome.counts() == "1 of 3 ready, 2 failed (user2, user3)."


@pytest.mark.parametrize("count", [1, 8, 80])
def test_there_is_a_row_for_each(count: int) -> None:
    outcome = Outcome([instance(n) for n in range(1, count + 1)], phases={"plan": 4.4, "wait": 60})
    assert len(outcome.table()) == count + 1
    assert outcome.counts() == f"{count} of {count} ready; 64 s in all: plan 4 s, wait 60 s."
    assert (outcome.failure(), outcome.failed()) == ("", [])


def test_one_of_eighty_is_named_where_the_eye_is() -> None:
    rows = [instance(n, "failed" if n == 7 else "ready") for n in range(1, 81)]
    outcome = Outcome(rows)
    assert outcome.table()[-1].split()[:2] == ["user7", "FAILED"]
    assert outcome.counts() == "79 of 80 ready, 1 failed (user7)."


def test_of_many_that_failed_the_line_names_some() -> None:
    counts = Outcome([instance(n, "image") for n in range(1, 81)]).counts()
    assert counts.startswith("0 of 80 ready, 80 failed (user1, ")
    assert counts.endswith(", user20 and 60 more).")


def test_the_only_one() -> None:
    outcome = Outcome([instance(1, "image")])
    assert outcome.failure() == "user1 is not ready: litellm (image): no such image"


def test_what_was_prevented_says_so_of_all() -> None:
    outcome = Outcome([instance(n, "image") for n in (1, 2)])
    assert outcome.failure().splitlines()[0] == "2 of 2 instances are not ready."


def test_in_check_mode_only_what_could_not_be_deployed_has_failed() -> None:
    outcome = Outcome([instance(1, "absent"), instance(2, "failed")], predicted=True)
    assert [each["name"] for each in outcome.failed()] == ["user2"]
    assert [line.split()[1] for line in outcome.table()[1:]] == ["absent", "FAILED"]
    assert outcome.counts() == (
        "2 instances: this is what a run would deploy. It would fail for user2."
    )


def test_why_an_address_could_not_be_used_stands_beside_what_is_ready() -> None:
    row = Outcome([instance(1, via_reason="no such host")]).table()[1]
    assert row.endswith("  no such host")


def test_what_could_not_be_removed_is_a_failure() -> None:
    outcome = Outcome([instance(1)], leftovers={"litemaas-user2": "still there"})
    assert outcome.failure() == "litemaas-user2 could not be removed: still there"
    assert outcome.failed() == []
