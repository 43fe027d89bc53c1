# SPDX-License-Identifier: MIT
"""PgBouncer: what is reckoned with, what is refused, and what it is told."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _credential_values,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _database_connections as connections,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _gateway_config,
    _instances,
    _plan,
    _secret_plan,
    _settings,
    _sizing,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import (
    LITELLM,
    NAMES,
    PGBOUNCER,
    POSTGRES,
    Stored,
)

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
POOL_SIZE = "ocp4_workload_litemaas_pgbouncer_pool_size"


def settings(size: int = 20, most: int = 100, *, replicas: int = 1, pool: int = 10) -> Any:
    found = copy.deepcopy(SETTINGS) | {"deploy_pgbouncer": True}
    found["pgbouncer"]["pool_size"] = size
    found["postgres"]["max_connections"] = most
    found["litellm"] |= {"replicas": replicas, "database_connections": pool}
    return found


@pytest.mark.parametrize(
    ("size", "replicas", "pool", "total", "clients"),
    [(20, 1, 10, 48, 27), (20, 5, 10, 48, 71), (5, 3, 50, 18, 209), (2, 1, 2, 12, 11)],
)
def test_the_database_gives_what_is_shared_whatever_the_pods_want(
    size: int, replicas: int, pool: int, total: int, clients: int
) -> None:
    asked = connections.demand(settings(size, replicas=replicas, pool=pool))
    assert (asked.total, asked.clients) == (total, clients)
    assert asked.words().endswith(f"= {total}")


@pytest.mark.parametrize(
    ("size", "most", "words"),
    [
        (20, 48, ""),
        (20, 47, "PgBouncer may ask for: 20 x (1 PgBouncer + 1 while it is replaced) + 3 to mig"),
        (20, 47, f"Set it to 48, or {POOL_SIZE} to 19."),
        (20, 9, "Set it to 48."),
        (1, 100, f"{POOL_SIZE} must be 2 or more, got 1"),
    ],
)
def test_problems(size: int, most: int, words: str) -> None:
    found = [str(problem) for problem in connections.problems(settings(size, most, replicas=5))]
    assert len(found) == (1 if words else 0), found
    assert all(words in message for message in found), found


def test_a_refusal_of_many_pods_names_pgbouncer_and_what_it_may_have() -> None:
    direct = settings(most=20, replicas=3) | {"deploy_pgbouncer": False}
    (problem,) = connections.problems(direct)
    assert f"deploy_pgbouncer to true and {POOL_SIZE} to 6 at most" in str(problem)
    assert not list(connections.problems(settings(6, 20, replicas=3)))
    assert list(connections.problems(settings(7, 20, replicas=3)))
    direct["postgres"]["max_connections"] = 11
    (problem,) = connections.problems(direct)
    assert "pgbouncer" not in str(problem)


def test_an_instance_with_it() -> None:
    (found,) = _instances.instances(settings(6, 20, replicas=3), 1)
    assert found["pgbouncer"] == {
        "image": "ghcr.io/cloudnative-pg/pgbouncer:1.24.0",
        "pool_size": 6,
        "max_client_conn": 49,
        "resources": {
            "requests": {"cpu": "20m", "memory": "16Mi"},
            "limits": {"cpu": "500m", "memory": "64Mi"},
        },
    }
    assert "pgbouncer" in _settings.parts(settings())
    assert _sizing.pooler(found).pods == 1
    plan = _plan.Plan(instances=[found])
    assert "ghcr.io/cloudnative-pg/pgbouncer:1.24.0" in _plan.images(plan)


def test_only_a_gateway_by_itself_migrates_as_it_starts() -> None:
    def by_job(**changes: Any) -> bool:
        (found,) = _instances.instances(settings(replicas=changes.pop("replicas", 1)) | changes, 1)
        return _instances.migrates_by_job(found)

    assert not by_job(deploy_pgbouncer=False)
    assert by_job(deploy_pgbouncer=False, replicas=2)
    assert by_job()


def test_switching_it_on_makes_other_pods_and_no_other_migration() -> None:
    def revision(**changes: Any) -> tuple[str, str]:
        (found,) = _instances.instances(settings() | changes, 1)
        migration, _dash, pods = found["litellm"]["revision"].partition("-")
        return migration, pods

    with_it, without = revision(), revision(deploy_pgbouncer=False)
    assert with_it[0] == without[0] and with_it[1] != without[1]


@pytest.mark.parametrize(
    "option", ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
)
def test_what_it_would_not_hand_on_is_refused(option: str) -> None:
    given = settings()
    given["litellm"]["config"] = {"general_settings": {f"database_{option}": 30}}
    (problem,) = _gateway_config.problems(given)
    assert "which PgBouncer would not hand on" in str(problem)
    assert not list(_gateway_config.problems(given | {"deploy_pgbouncer": False}))


@pytest.mark.parametrize(
    ("password", "user_list", "encoded"),
    [
        ("plain", '"litellm" "plain"\n', "plain"),
        ('a"b', '"litellm" "a""b"\n', "a%22b"),
        ("p@s:s/w#r?", '"litellm" "p@s:s/w#r?"\n', "p%40s%3As%2Fw%23r%3F"),
        ("\\", '"litellm" "\\"\n', "%5C"),
    ],
)
def test_it_knows_the_password_as_it_is(password: str, user_list: str, encoded: str) -> None:
    assert _credential_values.pooler(Wanted(), password).found == {
        "userlist.txt": user_list,
        "POOLED_DATABASE_URL": (
            f"postgresql://litellm:{encoded}@pgbouncer:6432/litellm?pgbouncer=true"
        ),
    }


def decided(existing: dict[str, Stored], **wanted: str) -> dict[str, _secret_plan.Change]:
    plan = _secret_plan.decide(
        existing,
        Wanted(**wanted),
        lambda kind: f"new-{kind}",
        volume=False,
        names=(*NAMES, PGBOUNCER),
    )
    assert not plan.problems
    return {change.name: change for change in plan.changes}


def test_its_secret_follows_from_the_databases_and_rolls_with_it() -> None:
    first = decided({})
    assert {name: change.action for name, change in first.items()} == dict.fromkeys(
        (LITELLM, POSTGRES, PGBOUNCER), "created"
    )
    assert first[PGBOUNCER].data["userlist.txt"] == '"litellm" "new-password"\n'
    # What cannot be known before it is generated is not predicted.
    assert not first[PGBOUNCER].predictable
    there = {name: Stored(change.data, "7", salted=True) for name, change in first.items()}
    again = decided(there)
    assert {change.action for change in again.values()} == {"unchanged"}
    assert all(change.predictable for change in again.values())
    other = decided(there, database_password="other")
    assert other[PGBOUNCER].action == "configured"
    assert other[PGBOUNCER].updated == ("userlist.txt", "POOLED_DATABASE_URL")
    assert other[PGBOUNCER].hash != again[PGBOUNCER].hash


def test_who_has_none_gets_no_secret_for_it() -> None:
    plan = _secret_plan.decide({}, Wanted(), volume=False)
    assert [change.name for change in plan.changes] == list(NAMES)
