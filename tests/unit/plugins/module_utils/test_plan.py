# SPDX-License-Identifier: MIT
"""The plan as a whole, where no API server is needed; tests/integration/test_plan.py has the rest."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _instances, _plan
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())


def failing(error: LitemaasError) -> Any:
    def connect() -> Any:
        raise error

    return connect


def test_a_connection_that_fails_is_one_more_problem() -> None:
    settings = copy.deepcopy(SETTINGS)
    settings["litellm"]["replicas"] = 9
    plan = _plan.make(settings, failing(LitemaasError("There is no kubeconfig: log in.")))
    assert [str(problem) for problem in plan.problems] == [
        "ocp4_workload_litemaas_litellm_replicas must be 1 to 5, got 9. "
        "More would need more database connections than the database gives.",
        "connection to the cluster failed. There is no kubeconfig: log in.",
    ]
    assert plan.instances == []


def test_an_error_of_the_api_is_told_from_a_connection_that_fails() -> None:
    plan = _plan.make(copy.deepcopy(SETTINGS), failing(ApiError("It answered 500.", status=500)))
    assert [str(problem) for problem in plan.problems] == [
        "connection to the cluster brought an error. It answered 500."
    ]


def test_a_cluster_that_is_described_is_not_asked() -> None:
    described = {
        "platform": "AWS",
        "apps_domain": "apps.example.com",
        "routes": True,
        "openshift": True,
        "kubernetes_version": "v1.34.1",
    }
    settings: Any = {"cluster": described, "cluster_domain": ""}
    refused = failing(LitemaasError("asked"))
    assert _plan.cluster(settings, refused) == described
    settings["cluster_domain"] = "apps.other.org"
    assert _plan.cluster(settings, refused) == {**described, "apps_domain": "apps.other.org"}


def planned(users: int, **changes: Any) -> tuple[_plan.Plan, Any]:
    settings = copy.deepcopy(SETTINGS) | changes
    plan = _plan.Plan(
        instances=_instances.instances(settings, users),
        users=users,
        storage_class={"name": "gp3-csi", "reason": "asked for by name"},
    )
    return plan, settings


def test_the_summary_of_one_instance() -> None:
    plan, settings = planned(1)
    assert _plan.summary(plan, settings) == [
        "1 instance in litemaas",
        "Gateway: ghcr.io/berriai/litellm-non_root:v1.106.0, 1 replica",
        "Database: quay.io/sclorg/postgresql-16-c9s:20260923, 10Gi of gp3-csi (asked for by name)",
        "Address: https://litellm-rhpds.apps.example.com",
        "Needs: 700m CPU and 1.5Gi of memory requested, 2 and 3Gi at most; 10Gi of storage",
    ]


def test_the_summary_of_several() -> None:
    plan, settings = planned(20, multi_user=True)
    plan.surplus = ["litemaas-user21", "litemaas-user22"]
    lines = _plan.summary(plan, settings)
    assert lines[0] == "20 instances in litemaas-user1 to litemaas-user20"
    assert lines[3] == (
        "Address: https://litellm-user1-rhpds.apps.example.com "
        "to https://litellm-user20-rhpds.apps.example.com"
    )
    assert lines[4].startswith("Needs: 6 CPU and 25Gi of memory requested, 20 and 50Gi at most")
    assert lines[5] == (
        "One gateway that all share would need 700m CPU and 1.5Gi of memory "
        "(ocp4_workload_litemaas_tenancy: shared)"
    )
    assert lines[6] == "Left alone, of an earlier run: litemaas-user21, litemaas-user22"


def test_the_summary_of_one_that_all_share() -> None:
    limits = {"max_budget": 5, "budget_duration": "1d", "rpm_limit": 60}
    plan, settings = planned(80, multi_user=True, tenancy="shared", shared_limits=limits)
    assert _plan.summary(plan, settings) == [
        "1 instance in litemaas-user-shared, shared by 80 users",
        "Each user: a login, a team with a budget of 5 US dollars every 1d, 60 requests a minute, "
        "and a key",
        "Gateway: ghcr.io/berriai/litellm-non_root:v1.106.0, 1 replica",
        "Database: quay.io/sclorg/postgresql-16-c9s:20260923, 10Gi of gp3-csi (asked for by name)",
        "Address: https://litellm-user-shared-rhpds.apps.example.com",
        "Needs: 700m CPU and 1.5Gi of memory requested, 2 and 3Gi at most; 10Gi of storage",
        "80 instances of their own would need 24 CPU and 100Gi of memory "
        "(ocp4_workload_litemaas_tenancy: dedicated)",
    ]


def test_the_summary_without_an_address() -> None:
    cluster = {**SETTINGS["cluster"], "routes": False, "openshift": False, "apps_domain": ""}
    plan, settings = planned(1, cluster=cluster)
    assert _plan.summary(plan, settings)[3] == (
        "Address: http://litellm.litemaas.svc:4000 (inside the cluster only)"
    )


def test_the_sizing_of_one_and_of_all() -> None:
    sizing = _plan.sizing(*planned(80, multi_user=True))
    assert sizing["instance"]["memory_request"] == "1.25Gi"
    assert sizing["total"]["memory_request"] == "100Gi"
    assert sizing["shared"]["memory_request"] == "1.5Gi"
    sizing = _plan.sizing(*planned(80, multi_user=True, tenancy="shared"))
    assert sizing["total"] == sizing["instance"]
    assert sizing["dedicated"]["memory_request"] == "100Gi"
    assert set(_plan.sizing(*planned(1))) == {"instance", "total"}
