# SPDX-License-Identifier: MIT
"""The manifests of an instance whose database is one of the site's."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels

from .test_templates import containers, find, instance, job, pod_specs, render, several

PLACE = {"namespace": "databases", "name": "models", "key": "uri"}
OUTSIDE = {"external_database": PLACE}
ALL = pytest.mark.parametrize("more", [{}, several()], ids=["one", "several"])


def names(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(o["kind"], o["metadata"]["name"]) for o in objects}


@ALL
def test_there_is_nothing_of_a_database_and_all_else(more: dict[str, Any]) -> None:
    with_it, own = names(render(**OUTSIDE, **more)), names(render(**more))
    gone = {(k, "postgres") for k in ("StatefulSet", "Service", "ServiceAccount", "NetworkPolicy")}
    assert {each for each in own - with_it if each[0] != "Job"} == gone
    assert {each for each in with_it - own if each[0] != "Job"} == set()


@ALL
def test_psql_and_litellm_get_where_to_go_from_secrets(more: dict[str, Any]) -> None:
    objects = render(**OUTSIDE, **more)
    assert "postgres-secret" not in str(objects)
    found = set()
    for container in containers(objects):
        for variable in container.get("env", []):
            if variable["name"].startswith("PG") and variable["name"] != "PGCONNECT_TIMEOUT":
                reference = variable["valueFrom"]["secretKeyRef"]
                assert reference == {"name": "database-secret", "key": variable["name"]}
                found.add(container["name"])
            if variable["name"] == "DATABASE_URL":
                assert variable["valueFrom"]["secretKeyRef"]["name"] == "litellm-secret"
        if container["name"] == "wait-for-postgres":
            assert "-h postgres" not in str(container["command"])
    assert found == (
        {"wait-for-postgres", "wait-for-migration", "record"} if more else {"wait-for-postgres"}
    )


def test_the_gateway_says_that_it_uses_it() -> None:
    deployment = find(render(**OUTSIDE), "Deployment", "litellm")
    assert deployment["metadata"]["annotations"][_labels.SECRETS] == "external_database"
    assert _labels.OPTIONAL not in deployment["metadata"]["labels"]


def test_another_database_is_another_migration_and_has_its_own_hash() -> None:
    outside, own = job(render(**OUTSIDE, **several())), job(render(**several()))
    assert outside["metadata"]["name"] != own["metadata"]["name"]
    hashes = [
        each["spec"]["template"]["metadata"]["annotations"]["rhpds.litemaas/credentials-hash"]
        for each in (outside, own)
    ]
    assert hashes == ["ee", "aa"]


@ALL
def test_whoever_speaks_to_it_trusts_the_sites_certificates(more: dict[str, Any]) -> None:
    litellm = {**instance(1)["litellm"], **more.get("litellm", {}), "ca_bundle": True}
    objects = render(**OUTSIDE, litellm=litellm)
    for container in containers(objects):
        mounts = {mount["mountPath"] for mount in container.get("volumeMounts", [])}
        assert "/etc/litellm-ca" in mounts, container["name"]
    for spec in pod_specs(objects):
        assert "ca" in {volume["name"] for volume in spec["volumes"]}
    own = containers(render(litellm=litellm))
    (waits,) = [each for each in own if each["name"].startswith("wait-for-") and not more] or [{}]
    assert "volumeMounts" not in waits
