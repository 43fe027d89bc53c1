# SPDX-License-Identifier: MIT
"""The LiteMaaS application beside what an instance may have otherwise, and its words in a plan."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _application,
    _extra,
    _instances,
    _labels,
    _tenants,
)

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
SWITCHES = {"deploy_frontend": True, "deploy_backend": True, "oauth_enabled": True}


@pytest.fixture
def settings() -> Any:
    return {**copy.deepcopy(SETTINGS), **SWITCHES}


def test_a_database_of_the_sites_is_refused(settings: Any) -> None:
    settings["database_secret"] = {"name": "site", "namespace": "data"}
    (problem,) = _application.problems(settings)
    assert str(problem).startswith(
        "ocp4_workload_litemaas_deploy_backend needs the PostgreSQL of the instance, in place of "
        "which ocp4_workload_litemaas_database_secret names another. "
    )
    assert problem.remedy.endswith("Leave one of the two out.")
    assert not list(_application.problems({**settings, "database_secret": {}}))


def test_a_plan_says_where_it_is(settings: Any) -> None:
    settings |= {"multi_user": True}
    found = _instances.instances(settings, 3)
    for instance in found:
        assert instance["backend"]
        instance["backend"]["issuer"] = "https://oauth"
    (line,) = _application.words(found)
    assert "https://litemaas-user1-rhpds.apps.example.com to https://litemaas-user3-rhpds" in line
    assert "litemaas-backend:0.2.0" in line and line.endswith("the login of https://oauth")
    assert _application.words(_instances.instances(SETTINGS, 1)) == []


@pytest.mark.parametrize("tenancy", ["dedicated", "shared"])
def test_who_is_told_what(settings: Any, tenancy: str) -> None:
    settings |= {"multi_user": True, "tenancy": tenancy}
    instances = _instances.instances(settings, 2)
    told = [each["frontend_url"] for each in _tenants.recipients(settings, instances, 2)]
    fronts = [each["frontend"]["url"] for each in instances if each["frontend"]]
    assert told == (fronts if tenancy == "dedicated" else fronts * 2)
    plain = _instances.instances(SETTINGS, 1)
    assert _tenants.recipients(SETTINGS, plain, 1)[0]["frontend_url"] == ""


def test_its_names_are_taken_only_where_it_is(settings: Any) -> None:
    """A site's own `frontend` in a namespace of its own is nobody's business otherwise."""
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "frontend"}}
    settings["extra_manifests"] = [theirs]
    (problem,) = _extra.problems(settings)
    assert "is Service frontend, which the instance has already" in str(problem)
    assert not list(_extra.problems({**SETTINGS, "extra_manifests": [theirs]}))
    assert set(_labels.objects(False)) < set(_labels.objects(True))
