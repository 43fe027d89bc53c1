# SPDX-License-Identifier: MIT
"""Credentials are born once: the decision by table, and the hash by its properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _secret_plan
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import (
    LITELLM,
    POSTGRES,
    Stored,
)

CASES = yaml.safe_load((Path(__file__).parent / "fixtures" / "secret_plan.yml").read_text())


def stored(given: dict[str, Any]) -> Stored:
    data = {key: value for key, value in given.items() if key not in ("salted", "incomplete")}
    return Stored(
        data=data,
        version="7",
        complete=not given.get("incomplete"),
        salted=bool(given.get("salted")),
    )


def generate(kind: str) -> str:
    return f"new-{kind}"


def words_match(found: tuple[str, ...], wanted: list[str]) -> bool:
    return len(found) == len(wanted) and all(
        words in text for text, words in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_decide(case: dict[str, Any]) -> None:
    existing = {name: stored(data) for name, data in case.get("existing", {}).items()}
    wanted = Wanted(**case.get("wanted", {}))
    plan = _secret_plan.decide(existing, wanted, generate, volume=case.get("volume"))

    assert words_match(plan.problems, case.get("problems", [])), plan.problems
    assert words_match(plan.warnings, case.get("warnings", [])), plan.warnings
    assert [change.name for change in plan.changes] == list(case.get("want", {}))
    for change in plan.changes:
        want = case["want"][change.name]
        assert change.action == want["action"]
        assert list(change.generated) == want.get("generated", [])
        assert list(change.updated) == want.get("updated", [])
        assert change.data | want.get("values", {}) == change.data
        assert all(change.data.values())
        assert change.version == ("7" if change.name in existing else "")


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_what_was_decided_is_settled(case: dict[str, Any]) -> None:
    """A second run on what the first one wrote changes nothing, with the same hashes."""
    existing = {name: stored(data) for name, data in case.get("existing", {}).items()}
    wanted = Wanted(**case.get("wanted", {}))
    first = _secret_plan.decide(existing, wanted, volume=case.get("volume"))
    if first.problems:
        return
    written = {
        change.name: Stored(change.data, "8", salted=change.name == LITELLM)
        for change in first.changes
    }
    again = _secret_plan.decide(written, wanted, volume=True)
    assert [change.action for change in again.changes] == ["unchanged", "unchanged"]
    assert [change.hash for change in again.changes] == [change.hash for change in first.changes]
    assert not again.warnings
    assert not _secret_plan.needs_volume(written, wanted)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_nothing_secret_is_printed(case: dict[str, Any]) -> None:
    existing = {name: stored(data) for name, data in case.get("existing", {}).items()}
    wanted = Wanted(**case.get("wanted", {}))
    plan = _secret_plan.decide(existing, wanted, generate, volume=case.get("volume"))
    printed = f"{plan} {existing} {wanted}"
    for secret in ("sk-", "new-key", "new-password", "postgresql://", "p@s", "'db'", "'ui'"):
        assert secret not in printed


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_the_volume_matters_only_where_it_is_said_to(case: dict[str, Any]) -> None:
    existing = {name: stored(data) for name, data in case.get("existing", {}).items()}
    wanted = Wanted(**case.get("wanted", {}))
    with_volume, without = (
        _secret_plan.decide(existing, wanted, generate, volume=volume) for volume in (True, False)
    )
    if not _secret_plan.needs_volume(existing, wanted):
        assert with_volume == without


def test_the_volume_is_asked_for_only_where_it_matters() -> None:
    assert _secret_plan.needs_volume({}, Wanted())
    assert not _secret_plan.needs_volume({}, Wanted(salt_key="sk-given"))
    assert not _secret_plan.needs_volume(complete(), Wanted())
    assert _secret_plan.needs_volume(complete(), Wanted(database_name="other"))
    assert _secret_plan.needs_volume(complete(LITELLM_SALT_KEY=""), Wanted())


def hashes(existing: dict[str, Stored], **wanted: str) -> dict[str, tuple[str, bool]]:
    plan = _secret_plan.decide(existing, Wanted(**wanted), volume=True)
    return {change.name: (change.hash, change.predictable) for change in plan.changes}


def complete(**changed: str) -> dict[str, Stored]:
    case = next(case for case in CASES if case["case"] == "everything is there")
    existing = {name: stored(data) for name, data in case["existing"].items()}
    existing[LITELLM] = Stored({**existing[LITELLM].data, **changed}, "7", salted=True)
    return existing


def test_the_hash_follows_what_is_in_the_secret() -> None:
    before = hashes(complete())
    login = hashes(complete(), ui_password="other")
    assert login[LITELLM] != before[LITELLM]
    assert login[POSTGRES] == before[POSTGRES]
    database = hashes(complete(), database_password="other")
    assert database[LITELLM] != before[LITELLM] and database[POSTGRES] != before[POSTGRES]
    # A key that somebody added is in the pods' environment too.
    assert hashes(complete(EXTRA="1"))[LITELLM] != before[LITELLM]
    # The same weak password in two instances gives nothing to compare.
    assert hashes(complete(LITELLM_SALT_KEY="sk-other"))[POSTGRES] != before[POSTGRES]


def test_a_hash_of_generated_values_is_not_predictable() -> None:
    fresh = _secret_plan.decide({}, Wanted(), volume=False)
    assert not any(change.predictable for change in fresh.changes)
    assert all(predictable for _hash, predictable in hashes(complete()).values())
    given = hashes(complete(), ui_password="other")
    assert all(predictable for _hash, predictable in given.values())
    lost = complete(UI_PASSWORD="")
    found = hashes(lost)
    assert (found[LITELLM][1], found[POSTGRES][1]) == (False, True)
    lost = complete(DATABASE_URL="") | {POSTGRES: Stored({}, "7")}
    assert not any(predictable for _hash, predictable in hashes(lost).values())
