# SPDX-License-Identifier: MIT
"""The manifests as they are rendered, held against the rules they must keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible.plugins.filter.core import FilterModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _demand,
    _labels,
    _node,
    _sizing,
)

ROLE = Path(__file__).resolve().parents[3] / "roles" / "ocp4_workload_litemaas"
VARIABLES = yaml.safe_load((ROLE / "vars/main.yml").read_text())
FIXED_ID = VARIABLES["_ocp4_workload_litemaas_fixed_ids"]["runAsUser"]


def instance(number: int, expose: str = "route") -> dict[str, Any]:
    """An instance as the plan gives it."""
    name = f"user{number}"
    host = f"litellm-{name}-rhpds.apps.example.com" if expose != "none" else ""
    return {
        "name": name,
        "user": name,
        "deployment": "litemaas-user",
        "namespace": f"litemaas-{name}",
        "create_namespace": True,
        "labels": _labels.ownership("litemaas-user", name),
        "host": host,
        "url": f"https://{host}",
        "expose": expose,
        "litellm": {
            "image": "ghcr.io/x/litellm:v1",
            "replicas": 2,
            "resources": resources("1Gi", "2Gi"),
        },
        "postgres": {
            "image": "quay.io/x/postgresql:1",
            "storage_class": "gp3-csi",
            "storage_size": "10Gi",
            "access_mode": "ReadWriteOnce",
            "resources": resources("256Mi", "512Mi"),
        },
    }


def resources(request: str, limit: str) -> dict[str, Any]:
    return {
        "requests": {"cpu": "100m", "memory": request},
        "limits": {"cpu": "500m", "memory": limit},
    }


def render(
    expose: str = "route", *, count: int = 1, openshift: bool = True, **changes: Any
) -> list[dict[str, Any]]:
    """All objects of *count* instances."""
    # The settings of Ansible's template lookup.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters.update(FilterModule().filters())
    instances = [{**instance(n, expose), **changes} for n in range(1, count + 1)]
    values = {
        **VARIABLES,
        "ocp4_workload_litemaas_version": "0.2.0",
        "_ocp4_workload_litemaas_instances": instances,
        "_ocp4_workload_litemaas_hashes": {
            i["name"]: {"postgres": "aa", "litellm": "bb"} for i in instances
        },
        "_ocp4_workload_litemaas_cluster": {"openshift": openshift},
    }
    text = "".join(
        environment.get_template(name).render(values)
        for name in ("namespaces.yml.j2", "instances.yml.j2")
    )
    return [document for document in yaml.safe_load_all(text) if document]


def pod_specs(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [o["spec"]["template"]["spec"] for o in objects if "template" in o.get("spec", {})]


def containers(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        c
        for spec in pod_specs(objects)
        for c in spec.get("initContainers", []) + spec["containers"]
    ]


def find(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


EXPOSURES = [("route", True), ("ingress", False), ("none", False)]


@pytest.mark.parametrize("expose, openshift", EXPOSURES)
def test_every_object_says_whose_it_is(expose, openshift):
    for o in render(expose, openshift=openshift):
        assert _labels.is_ours(o, "litemaas-user"), o["metadata"]
        assert o["metadata"]["labels"]["rhpds.litemaas/instance"] == "user1"


@pytest.mark.parametrize("expose, openshift", EXPOSURES)
def test_every_object_is_one_that_the_preflight_looks_for(expose, openshift):
    known = {(api, kind, name) for api, kind, name in _labels.OBJECTS}
    sent = {
        (o["apiVersion"], o["kind"], o["metadata"]["name"])
        for o in render(expose, openshift=openshift)
    }
    assert {key for key in sent if key[1] != "Namespace"} <= known


def test_eighty_instances_are_eighty_times_one():
    one, many = render(), render(count=80)
    assert len(many) == 80 * len(one)
    assert len(
        {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in many}
    ) == len(many)


def test_no_secret_is_among_them():
    assert not [o for o in render() if o["kind"] == "Secret"]


def test_an_existing_namespace_is_not_sent():
    assert not [o for o in render(create_namespace=False) if o["kind"] == "Namespace"]


@pytest.mark.parametrize(
    "exposed, kinds", [("route", {"Route"}), ("ingress", {"Ingress"}), ("none", set())]
)
def test_it_is_exposed_as_planned(exposed, kinds):
    assert {o["kind"] for o in render(exposed) if o["kind"] in ("Route", "Ingress")} == kinds


@pytest.mark.parametrize("expose", ["route", "ingress", "none"])
def test_the_deployment_says_how_it_was_meant(expose):
    annotations = find(render(expose), "Deployment", "litellm")["metadata"]["annotations"]
    assert annotations == {_labels.VERSION: "0.2.0", _labels.EXPOSE: expose}


def test_a_route_gives_completions_time_and_redirects_to_tls():
    route = find(render(), "Route", "litellm")
    assert route["metadata"]["annotations"]["haproxy.router.openshift.io/timeout"] == "600s"
    assert route["metadata"]["annotations"]["haproxy.router.openshift.io/timeout-tunnel"] == "600s"
    assert route["spec"]["tls"] == {
        "termination": "edge",
        "insecureEdgeTerminationPolicy": "Redirect",
    }


@pytest.mark.parametrize("openshift", [True, False])
def test_every_container_is_bounded_and_restricted(openshift):
    for container in containers(render(openshift=openshift)):
        assert set(container["resources"]) == {"requests", "limits"}
        assert (
            set(container["resources"]["limits"])
            == set(container["resources"]["requests"])
            == {"cpu", "memory"}
        )
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_what_a_pod_asks_for_is_what_the_preflight_reckons_with():
    # With a gateway as small as this the init container asks for more.
    small = resources("1Mi", "2Mi")
    small["requests"]["cpu"] = small["limits"]["cpu"] = "1m"
    for changes in ({}, {"litellm": {**instance(1)["litellm"], "resources": small}}):
        objects = render(**changes)
        for kind, app in (("Deployment", "litellm"), ("StatefulSet", "postgres")):
            spec = find(objects, kind, app)["spec"]["template"]["spec"]
            reckoned = _sizing.BY_APP[app]({**instance(1), **changes})
            each = _demand.amount(reckoned)
            assert _node.requests(spec) == _node.Amount(each.cpu, each.memory, 1), (kind, changes)
    limits = [
        each["resources"]["limits"]
        for each in find(objects, "Deployment", "litellm")["spec"]["template"]["spec"][
            "initContainers"
        ]
    ]
    assert limits == [_sizing.GATEWAY_INIT["limits"]]


def test_every_pod_has_its_own_account_without_a_token():
    for spec in pod_specs(render()):
        assert spec["automountServiceAccountToken"] is False
        assert spec["serviceAccountName"] in ("litellm", "postgres")
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_openshift_chooses_the_ids_and_elsewhere_they_are_given():
    for spec in pod_specs(render(openshift=True)):
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(spec["securityContext"])
    for spec in pod_specs(render(openshift=False)):
        assert (
            spec["securityContext"]["runAsUser"] == spec["securityContext"]["fsGroup"] == FIXED_ID
        )


def test_postgres_keeps_its_entrypoint():
    (container,) = find(render(), "StatefulSet", "postgres")["spec"]["template"]["spec"][
        "containers"
    ]
    assert "command" not in container
    assert "PGDATA" not in {variable["name"] for variable in container["env"]}


def test_a_broken_database_pod_is_replaced_once_its_cause_is_mended():
    # OrderedReady, the default, waits for the broken pod for ever; and the field cannot be changed later.
    assert find(render(), "StatefulSet", "postgres")["spec"]["podManagementPolicy"] == "Parallel"


def test_credentials_come_by_reference_and_roll_only_what_uses_them():
    objects = render()
    for kind, name, digest in (("StatefulSet", "postgres", "aa"), ("Deployment", "litellm", "bb")):
        template = find(objects, kind, name)["spec"]["template"]
        assert template["metadata"]["annotations"]["rhpds.litemaas/credentials-hash"] == digest
    references = [
        v["valueFrom"]["secretKeyRef"]
        for c in containers(objects)
        for v in c.get("env", [])
        if "valueFrom" in v
    ]
    assert {(r["name"], r["key"]) for r in references} == {
        ("postgres-secret", "POSTGRES_PASSWORD"),
        ("litellm-secret", "DATABASE_URL"),
        ("litellm-secret", "LITELLM_MASTER_KEY"),
        ("litellm-secret", "LITELLM_SALT_KEY"),
        ("litellm-secret", "UI_USERNAME"),
        ("litellm-secret", "UI_PASSWORD"),
    }


def test_the_gateway_has_minutes_for_its_first_start_and_is_asked_at_paths_that_exist():
    (container,) = find(render(), "Deployment", "litellm")["spec"]["template"]["spec"]["containers"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 600
    assert {container[p]["httpGet"]["path"] for p in ("startupProbe", "livenessProbe")} == {
        "/health/liveliness"
    }
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/readiness"
    assert {"name": "STORE_MODEL_IN_DB", "value": "True"} in container["env"]


def test_only_the_gateway_reaches_the_database():
    objects = render()
    policy = find(objects, "NetworkPolicy", "postgres")["spec"]
    assert policy["podSelector"] == {"matchLabels": {"app": "postgres"}}
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"app": "litellm"}}}]
    # Policies add up: no other may select the database's pods.
    assert not [
        o for o in objects if o["kind"] == "NetworkPolicy" and o["spec"]["podSelector"] == {}
    ]


def test_routers_of_both_kinds_and_the_api_servers_proxy_reach_the_gateway():
    sources = find(render(), "NetworkPolicy", "litellm")["spec"]["ingress"][0]["from"]
    labels = [s["namespaceSelector"]["matchLabels"] for s in sources if "namespaceSelector" in s]
    assert {"policy-group.network.openshift.io/ingress": ""} in labels
    assert {"policy-group.network.openshift.io/host-network": ""} in labels


def test_no_image_is_written_into_a_template():
    for file in (ROLE / "templates").rglob("*.j2"):
        for line in file.read_text().splitlines():
            assert "image:" not in line or "{{ instance." in line, (file, line)
