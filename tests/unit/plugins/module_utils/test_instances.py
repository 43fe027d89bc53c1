# SPDX-License-Identifier: MIT
"""The list of instances: one or many, on one code path."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _instances

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())


@pytest.fixture
def settings() -> Any:
    return copy.deepcopy(SETTINGS)


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1), (3, 3), ("3", 3), (" 3 ", 3), ("+3", 3), ("03", 3), (3.0, 3), (1000, 1000)],
)
def test_count(value: Any, number: int) -> None:
    assert _instances.count(value) == number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", "must be a whole number of 1 or more, got 'abc'"),
        (0, "must be a whole number of 1 or more, got 0"),
        ("0", "must be a whole number of 1 or more, got '0'"),
        (-1, "must be a whole number of 1 or more, got -1"),
        ("-1", "must be a whole number of 1 or more, got '-1'"),
        (True, "must be a whole number of 1 or more, got true"),
        (False, "must be a whole number of 1 or more, got false"),
        ("", "must be a whole number of 1 or more, got ''"),
        (None, "must be a whole number of 1 or more, got nothing"),
        ("3.0", "must be a whole number of 1 or more, got '3.0'"),
        (3.5, "must be a whole number of 1 or more, got 3.5"),
        (float("nan"), "must be a whole number of 1 or more, got nan"),
        (float("inf"), "must be a whole number of 1 or more, got inf"),
        ("1e2", "must be a whole number of 1 or more, got '1e2'"),
        ("٣", "must be a whole number of 1 or more, got '٣'"),
        ([3], "must be a whole number of 1 or more, got [3]"),
        ({}, "must be a whole number of 1 or more, got {}"),
        (1001, "must be 1000 at most, got 1001"),
        ("99999999999999999999", "must be 1000 at most, got 99999999999999999999"),
    ],
)
def test_a_wrong_count_is_named(value: Any, words: str) -> None:
    with pytest.raises(ValueError) as error:
        _instances.count(value)
    assert str(error.value) == words


def test_one_instance(settings: Any) -> None:
    (found,) = _instances.instances(settings, 1)
    assert found == {
        "name": "litemaas",
        "user": "",
        "deployment": "litemaas",
        "namespace": "litemaas",
        "create_namespace": True,
        "labels": {
            "app.kubernetes.io/managed-by": "rhpds.litemaas",
            "app.kubernetes.io/part-of": "litemaas",
            "rhpds.litemaas/deployment": "litemaas",
            "rhpds.litemaas/instance": "litemaas",
        },
        "host": "litellm-rhpds.apps.example.com",
        "url": "https://litellm-rhpds.apps.example.com",
        "expose": "route",
        "tls_secret": "",
        "pull_secret": "",
        "own_secrets": [],
        "egress": False,
        "litellm": {
            "image": "ghcr.io/berriai/litellm-non_root:v1.106.0",
            "replicas": 1,
            "several": False,
            "autoscaled": False,
            "config": {},
            "env_secrets": [],
            "env": {},
            "ca_bundle": False,
            "resources": {
                "requests": {"cpu": "200m", "memory": "1Gi"},
                "limits": {"cpu": "1000m", "memory": "2Gi"},
            },
            "revision": found["litellm"]["revision"],
        },
        "postgres": {
            "image": "quay.io/sclorg/postgresql-16-c9s:20260923",
            "storage_class": "",
            "storage_size": "10Gi",
            "access_mode": "ReadWriteOnce",
            "max_connections": 100,
            "resources": {
                "requests": {"cpu": "500m", "memory": "512Mi"},
                "limits": {"cpu": "1000m", "memory": "1Gi"},
            },
        },
        "redis": None,
        "pgbouncer": None,
        "external_database": None,
        "backend": None,
        "frontend": None,
    }


def test_redis_and_what_the_gateway_has_to_know_of_it(settings: Any) -> None:
    settings |= {"deploy_redis": True}
    settings["postgres"]["storage_class"] = "gp3-csi"
    (found,) = _instances.instances(settings, 1)
    assert found["redis"] == {
        "image": "quay.io/sclorg/redis-7-c9s:20260923",
        "storage_class": "gp3-csi",
        "storage_size": "5Gi",
        "maxmemory": 256 * 2**20,
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "512Mi"},
        },
    }
    # Redis counts; no answer is ever taken from it.
    assert found["litellm"]["config"]["litellm_settings"] == {
        "cache": True,
        "cache_params": {"type": "redis", "supported_call_types": []},
    }


@pytest.mark.parametrize(
    ("limit", "keeps", "most"),
    [("512Mi", True, 2**28), ("1000M", False, 700_000_000), ("64Mi", True, 2**25), ("x", True, 0)],
)
def test_redis_leaves_some_of_its_memory_free(limit: str, keeps: bool, most: int) -> None:
    assert _instances.maxmemory(limit, keeps=keeps) == most


def test_the_application_has_an_address_of_its_own(settings: Any) -> None:
    settings |= {"deploy_backend": True, "deploy_frontend": True, "oauth_enabled": True}
    (found,) = _instances.instances(settings, 1)
    assert found["backend"] == {
        "image": "quay.io/rh-aiservices-bu/litemaas-backend:0.2.0",
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"cpu": "500m", "memory": "512Mi"},
        },
        "client_id": "system:serviceaccount:litemaas:backend",
        "issuer": "",
        "callback_url": "https://litemaas-rhpds.apps.example.com/api/auth/callback",
        "origin": "https://litemaas-rhpds.apps.example.com",
    }
    assert found["frontend"] == {
        "image": "quay.io/rh-aiservices-bu/litemaas-frontend:0.2.0",
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "200m", "memory": "256Mi"},
        },
        "host": "litemaas-rhpds.apps.example.com",
        "url": "https://litemaas-rhpds.apps.example.com",
    }
    # The gateway's pods are the same as without it.
    assert (
        _instances.instances({**settings, "deploy_backend": False}, 1)[0]["litellm"]
        == found["litellm"]
    )


@pytest.mark.parametrize(
    ("more", "host"),
    [
        ({"tenancy": "dedicated"}, "litemaas-student2-rhpds.apps.example.com"),
        ({"tenancy": "shared"}, "litemaas-student-shared-rhpds.apps.example.com"),
    ],
)
def test_the_applications_of_users(settings: Any, more: dict[str, Any], host: str) -> None:
    settings |= {"deploy_backend": True, "deploy_frontend": True, "oauth_enabled": True, **more}
    settings |= {
        "multi_user": True,
        "user_prefix": "student",
        "image_registry": "mirror.example.com/x",
    }
    last = _instances.instances(settings, 2)[-1]
    assert last["frontend"] and last["backend"]
    assert last["frontend"]["host"] == host
    assert last["backend"]["client_id"] == f"system:serviceaccount:{last['namespace']}:backend"
    image = "mirror.example.com/x/rh-aiservices-bu/litemaas-backend:0.2.0"
    assert last["backend"]["image"] == image


def test_an_instance_for_each_user(settings: Any) -> None:
    settings |= {"multi_user": True, "user_prefix": "student"}
    found = _instances.instances(settings, 12)
    assert [each["namespace"] for each in found] == [f"litemaas-student{n}" for n in range(1, 13)]
    last = found[-1]
    # The catalog and the lab guide know users by `user` and the number, whatever the prefix.
    assert (last["name"], last["user"]) == ("user12", "user12")
    assert last["deployment"] == "litemaas-student"
    assert last["labels"]["rhpds.litemaas/instance"] == "user12"
    assert last["host"] == "litellm-student12-rhpds.apps.example.com"
    assert last["litellm"]["resources"]["requests"] == {"cpu": "100m", "memory": "1Gi"}
    assert last["postgres"]["resources"]["limits"] == {"cpu": "500m", "memory": "512Mi"}
    assert len({json.dumps(each["labels"]) for each in found}) == 12


def test_one_instance_for_all_users(settings: Any) -> None:
    settings |= {"multi_user": True, "user_prefix": "student", "tenancy": "shared"}
    (found,) = _instances.instances(settings, 12)
    assert (found["name"], found["user"]) == ("shared", "")
    assert found["namespace"] == "litemaas-student-shared"
    # Removal, and a run with the other tenancy, find it by the label that users' own ones have.
    assert found["deployment"] == "litemaas-student"
    assert found["host"] == "litellm-student-shared-rhpds.apps.example.com"
    assert found["litellm"]["resources"]["requests"] == {"cpu": "200m", "memory": "1Gi"}


def test_namespaces_of_others_are_not_created(settings: Any) -> None:
    settings |= {"multi_user": True}
    found = _instances.instances(settings, 3, {"litemaas-user2"})
    assert [each["create_namespace"] for each in found] == [True, False, True]


@pytest.mark.parametrize(
    ("routes", "domain", "expose", "url"),
    [
        (True, "apps.x.y", "route", "https://litellm-rhpds.apps.x.y"),
        (False, "apps.x.y", "ingress", "https://litellm-rhpds.apps.x.y"),
        (False, "", "none", "http://litellm.litemaas.svc:4000"),
    ],
)
def test_exposure(settings: Any, routes: bool, domain: str, expose: str, url: str) -> None:
    settings["cluster"] |= {"routes": routes, "apps_domain": domain}
    (found,) = _instances.instances(settings, 1)
    assert (found["expose"], found["url"]) == (expose, url)
    assert bool(found["host"]) == (expose != "none")


def test_nothing_secret_is_in_an_instance(settings: Any) -> None:
    settings["credentials"] = {"ocp4_workload_litemaas_litellm_ui_password": "canary"}
    assert "canary" not in json.dumps(_instances.instances(settings, 1))
