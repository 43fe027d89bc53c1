# SPDX-License-Identifier: MIT
"""The Secret of the LiteMaaS backend: made once, following the address, and never shown."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _credential_report,
    _credential_states,
    _credential_values,
    _secret_plan,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import (
    BACKEND,
    LITELLM,
    NAMES,
    POSTGRES,
    Stored,
)

from .secret_cluster import INSTANCE, FakeCluster

LOGIN = {
    "client_id": "system:serviceaccount:litemaas:backend",
    "issuer": "https://oauth-openshift.apps.x.y",
    "callback_url": "https://litemaas-rhpds.apps.x.y/api/auth/callback",
    "origin": "https://litemaas-rhpds.apps.x.y",
    "image": "not of the login",
}
ALL = (*NAMES, BACKEND)


def stored(**changed: str) -> dict[str, Stored]:
    """All three Secrets as a first run leaves them."""
    plan = _secret_plan.decide({}, Wanted(), str, volume=False, names=ALL, login=LOGIN)
    found = {c.name: Stored(c.data, "7", salted=c.name == LITELLM) for c in plan.changes}
    found[BACKEND] = Stored({**found[BACKEND].data, **changed}, "7")
    return found


def change(existing: Any, login: Any = None, wanted: Wanted | None = None) -> Any:
    plan = _secret_plan.decide(
        existing, wanted or Wanted(), volume=True, names=ALL, login=login or LOGIN
    )
    return {each.name: each for each in plan.changes}


def test_all_of_it_is_made() -> None:
    made = stored()[BACKEND].data
    assert made == {
        "DATABASE_PASSWORD": "password",
        "JWT_SECRET": "key",
        "ADMIN_API_KEYS": "key",
        "DATABASE_URL": "postgresql://litemaas:password@postgres:5432/litemaas_db?sslmode=disable",
        "LITELLM_DATABASE_URL": "postgresql://litemaas:password@postgres:5432/litellm?sslmode=disable",
        "OAUTH_CLIENT_ID": LOGIN["client_id"],
        "OAUTH_ISSUER": LOGIN["issuer"],
        "OAUTH_CALLBACK_URL": LOGIN["callback_url"],
        "CORS_ORIGIN": LOGIN["origin"],
    }
    # Keys of the same name in other Secrets are not touched by it.
    url = "postgresql://litellm:password@postgres:5432/litellm"
    assert stored()[LITELLM].data["DATABASE_URL"] == stored()[POSTGRES].data["DATABASE_URL"] == url


def test_it_is_made_once() -> None:
    assert {each.action for each in change(stored()).values()} == {"unchanged"}


def test_a_password_of_any_characters_is_encoded() -> None:
    found = change(stored(DATABASE_PASSWORD="p@s/ %+"))[BACKEND]
    assert found.data["DATABASE_URL"].startswith("postgresql://litemaas:p%40s%2F%20%25%2B@postgres")
    assert found.updated == ("DATABASE_URL", "LITELLM_DATABASE_URL")


def test_another_address_changes_it_and_nothing_that_the_database_uses() -> None:
    before = change(stored())
    other = change(stored(), {**LOGIN, "origin": "https://elsewhere"})
    assert (other[BACKEND].action, other[BACKEND].updated) == ("configured", ("CORS_ORIGIN",))
    assert other[BACKEND].hash != before[BACKEND].hash
    assert other[BACKEND].database_hash == before[BACKEND].database_hash
    assert other[LITELLM] == before[LITELLM]


def test_another_password_is_for_the_database_too() -> None:
    before, other = change(stored()), change(stored(DATABASE_PASSWORD="other"))
    assert other[BACKEND].database_hash != before[BACKEND].database_hash


@pytest.mark.parametrize("key", ["DATABASE_PASSWORD", "JWT_SECRET", "ADMIN_API_KEYS"])
def test_what_was_lost_is_made_anew_alone(key: str) -> None:
    found = change(stored(**{key: ""}))
    assert key in found[BACKEND].generated
    assert found[BACKEND].data[key] not in ("", "key", "password")
    assert {found[name].action for name in NAMES} == {"unchanged"}
    assert not found[BACKEND].predictable and found[LITELLM].predictable


def test_without_a_backend_there_is_none() -> None:
    plan = _secret_plan.decide({}, Wanted(), volume=False)
    assert [each.name for each in plan.changes] == list(NAMES)


def test_the_results_hold_names_and_hashes_only() -> None:
    cluster = FakeCluster()
    instance = {**INSTANCE, "backend": LOGIN}
    result = _credential_states.present(
        cluster, [instance], "", Wanted(), dry_run=False, diff=True  # type: ignore[arg-type]
    )
    values = cluster.data(BACKEND)
    for key in ("DATABASE_PASSWORD", "JWT_SECRET", "ADMIN_API_KEYS"):
        assert len(values[key]) >= 24
        assert values[key] not in str(result)
    (hashes,) = [each["hashes"] for each in result["instances"]]
    assert set(hashes) == {"litellm", "postgres", "backend", "backend_database"}
    labels = cluster.objects[f"/api/v1/namespaces/litemaas-user1/secrets/{BACKEND}"]["metadata"]
    assert labels["labels"]["rhpds.litemaas/optional"] == "backend"
    again = _credential_states.present(
        cluster, [instance], "", Wanted(), dry_run=False, diff=False  # type: ignore[arg-type]
    )
    assert not again["changed"]
    assert [each["hashes"] for each in again["instances"]] == [hashes]


def test_a_prediction_knows_no_hash_of_what_is_made() -> None:
    result = _credential_states.present(
        FakeCluster(), [{**INSTANCE, "backend": LOGIN}], "", Wanted(), dry_run=True, diff=False  # type: ignore[arg-type]
    )
    (hashes,) = [each["hashes"] for each in result["instances"]]
    assert set(hashes.values()) == {_credential_report.UNKNOWN}


def test_the_names_of_the_values_are_those_of_the_environment() -> None:
    assert set(_credential_values.BACKEND_KEYS) == set(stored()[BACKEND].data)
