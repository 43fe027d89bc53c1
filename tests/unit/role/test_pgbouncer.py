# SPDX-License-Identifier: MIT
"""The manifests of an instance whose gateway reaches its database through PgBouncer."""

from __future__ import annotations

import configparser
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _demand, _labels, _node, _sizing

from .test_templates import containers, find, instance, job, pod_specs, render, resources, several


def pooled(**changes: Any) -> dict[str, Any]:
    """What an instance has more with PgBouncer."""
    pgbouncer = {
        "image": "ghcr.io/x/pgbouncer:1",
        "pool_size": 6,
        "max_client_conn": 49,
        "resources": resources("16Mi", "64Mi"),
        **changes,
    }
    return {"pgbouncer": pgbouncer}


ALL = pytest.mark.parametrize("more", [{}, several()], ids=["one", "several"])


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in container["env"]}


@ALL
def test_the_gateway_goes_through_it_and_the_migration_past_it(more: dict[str, Any]) -> None:
    objects = render(**pooled(), **more)
    spec = find(objects, "Deployment", "litellm")["spec"]["template"]["spec"]
    (gateway,) = spec["containers"]
    given = variables(gateway)
    assert given["DATABASE_URL"] == {
        "secretKeyRef": {"name": "pgbouncer-secret", "key": "POOLED_DATABASE_URL"}
    }
    assert [v["name"] for v in gateway["env"]].count("DATABASE_URL") == 1
    assert given["DISABLE_SCHEMA_UPDATE"] == "True"
    (waits,) = spec["initContainers"]
    assert waits["name"] == _demand.WAITS
    assert (variables(waits)["PGHOST"], variables(waits)["PGPORT"]) == ("pgbouncer", "6432")
    migration = job(objects)["spec"]["template"]["spec"]
    migrates = migration["initContainers"][1]
    assert variables(migrates)["DATABASE_URL"]["secretKeyRef"]["name"] == "litellm-secret"
    assert variables(migration["containers"][0])["PGHOST"] == "postgres"
    assert "pgbouncer" not in str(migration)


def test_switching_it_on_is_no_other_migration() -> None:
    assert job(render(**several())) == job(render(**several(), **pooled()))


def test_a_single_pod_has_no_disruption_budget_that_would_block_a_drain() -> None:
    assert not [o for o in render(**pooled()) if o["kind"] == "PodDisruptionBudget"]


def test_it_pools_transactions_and_knows_its_bounds() -> None:
    objects = render(**pooled())
    text = find(objects, "ConfigMap", "pgbouncer")["data"]["pgbouncer.ini"]
    found = configparser.ConfigParser(interpolation=None)
    found.read_string(text)
    assert found["databases"]["litellm"] == "host=postgres port=5432 dbname=litellm"
    assert found["pgbouncer"]["pool_mode"] == "transaction"
    assert found["pgbouncer"]["default_pool_size"] == "6"
    assert found["pgbouncer"]["max_client_conn"] == "49"
    assert found["pgbouncer"]["unix_socket_dir"] == ""
    folder, _slash, name = found["pgbouncer"]["auth_file"].rpartition("/")
    spec = find(objects, "Deployment", "pgbouncer")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
    (users,) = [v["secret"] for v in spec["volumes"] if v["name"] == mounts[folder]]
    assert users["secretName"] == "pgbouncer-secret"
    assert users["defaultMode"] == 0o440
    assert users["items"] == [{"key": name, "path": name}]
    # The Secret holds the gateway's URL too, which is none of its business.
    assert "password" not in text.lower()
    assert "env" not in container


def test_it_rolls_with_its_settings_and_its_secret() -> None:
    def annotations(**changes: Any) -> dict[str, str]:
        objects = render(**pooled(**changes))
        return find(objects, "Deployment", "pgbouncer")["spec"]["template"]["metadata"][
            "annotations"
        ]

    assert annotations()["rhpds.litemaas/credentials-hash"] == "dd"
    assert annotations() == annotations()
    assert annotations() != annotations(pool_size=7)
    assert annotations() != annotations(max_client_conn=50)
    gateway = find(render(**pooled()), "Deployment", "litellm")["spec"]["template"]["metadata"]
    assert gateway["annotations"]["rhpds.litemaas/credentials-hash"] == "bb-dd"


def sources(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return [source["podSelector"] for rule in policy["spec"]["ingress"] for source in rule["from"]]


def admits(policy: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a pod with these labels gets in."""

    def matches(selector: dict[str, Any]) -> bool:
        tests = {
            "In": lambda each: labels.get(each["key"]) in each["values"],
            "DoesNotExist": lambda each: each["key"] not in labels,
        }
        return selector.get("matchLabels", {}).items() <= labels.items() and all(
            tests[each["operator"]](each) for each in selector.get("matchExpressions", ())
        )

    return any(map(matches, sources(policy)))


def test_only_the_gateway_reaches_it_and_only_it_and_the_migration_the_database() -> None:
    objects = render(**pooled())
    pods = {
        name: o["spec"]["template"]["metadata"]["labels"]
        for o in objects
        if o["kind"] in ("Deployment", "Job")
        for name in [o["spec"]["template"]["metadata"]["labels"]["app"]]
    }
    to_database = [find(objects, "NetworkPolicy", n) for n in ("postgres", "pgbouncer-postgres")]
    assert {p["spec"]["podSelector"]["matchLabels"]["app"] for p in to_database} == {"postgres"}
    reach = {name for name, own in pods.items() if any(admits(p, own) for p in to_database)}
    assert reach == {"pgbouncer", "litellm-migration"}
    policy = find(objects, "NetworkPolicy", "pgbouncer")
    assert {name for name, own in pods.items() if admits(policy, own)} == {"litellm"}
    # While it is switched on, pods from before still go directly, and new ones afterwards.
    before = find(render(), "Deployment", "litellm")["spec"]["template"]["metadata"]["labels"]
    assert admits(to_database[0], before)
    # While it is switched off, it still gets in until it goes: its policy goes with it.
    assert _labels.OPTIONAL in to_database[1]["metadata"]["labels"]


def test_the_gateways_selector_stays_as_it_is() -> None:
    assert (
        find(render(**pooled()), "Deployment", "litellm")["spec"]["selector"]
        == find(render(), "Deployment", "litellm")["spec"]["selector"]
    )


def test_what_it_brings_is_restricted_known_and_may_be_switched_off() -> None:
    def names(objects: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
        return {(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in objects}

    objects = render(**pooled())
    brought = names(objects) - names(render())
    optional = [o for o in objects if _labels.OPTIONAL in o["metadata"]["labels"]]
    assert brought == names(optional)
    assert {each for each in brought if each[1] != "Job"} <= set(_labels.OBJECTS)
    parts = {o["metadata"]["labels"][_labels.OPTIONAL] for o in optional}
    assert parts == {"pgbouncer", "migration"}
    for container in containers(objects):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert set(container["resources"]) == {"requests", "limits"}
    for spec in pod_specs(objects):
        assert spec["automountServiceAccountToken"] is False


def test_it_asks_for_what_the_plan_reckons_with() -> None:
    spec = find(render(**pooled()), "Deployment", "pgbouncer")["spec"]["template"]["spec"]
    each = _demand.amount(_sizing.pooler({**instance(1), **pooled()}))  # type: ignore[typeddict-item]
    assert _node.requests(spec) == _node.Amount(each.cpu, each.memory, 1)
