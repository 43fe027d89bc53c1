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
    _egress,
    _labels,
    _node,
    _revision,
    _sizing,
    _stages,
)

ROLE = Path(__file__).resolve().parents[3] / "roles" / "ocp4_workload_litemaas"
VARIABLES = yaml.safe_load((ROLE / "vars/main.yml").read_text())
CERTIFICATE = "-----BEGIN CERTIFICATE-----"
EGRESS = [_egress.dns(True), {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]
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
        "tls_secret": "",
        "pull_secret": "",
        "own_secrets": [],
        "egress": False,
        "litellm": {
            "image": "ghcr.io/x/litellm:v1",
            "replicas": 1,
            "several": False,
            "autoscaled": False,
            "config": {},
            "env_secrets": [],
            "env": {},
            "ca_bundle": False,
            "resources": resources("1Gi", "2Gi"),
            "revision": "of-it",
        },
        "postgres": {
            "image": "quay.io/x/postgresql:1",
            "storage_class": "gp3-csi",
            "storage_size": "10Gi",
            "access_mode": "ReadWriteOnce",
            "max_connections": 100,
            "resources": resources("256Mi", "512Mi"),
        },
        "redis": None,
        "pgbouncer": None,
        "external_database": None,
        "backend": None,
        "frontend": None,
    }


def redis(size: str = "5Gi") -> dict[str, Any]:
    """What an instance has more when it has a Redis."""
    found = instance(1)
    found["litellm"]["config"] = {"litellm_settings": {"cache": True}}
    return {
        "litellm": found["litellm"],
        "redis": {
            "image": "quay.io/x/redis:1",
            "storage_class": "gp3-csi",
            "storage_size": size,
            "maxmemory": 268435456,
            "resources": resources("64Mi", "512Mi"),
        },
    }


def pgbouncer() -> dict[str, Any]:
    """What an instance has more when it has a PgBouncer."""
    return {
        "pgbouncer": {
            "image": "ghcr.io/x/pgbouncer:1",
            "pool_size": 20,
            "max_client_conn": 1000,
            "resources": resources("32Mi", "64Mi"),
        }
    }


# A certificate and a pull secret of the site's, and connections restricted.
OWN: dict[str, Any] = {
    "tls_secret": "litellm-tls",
    "pull_secret": "litemaas-pull-secret",
    "own_secrets": ["certificate", "pull-secret"],
    "egress": True,
}


def several(**changes: Any) -> dict[str, Any]:
    """What an instance with several gateway pods has otherwise."""
    return {"litellm": {**instance(1)["litellm"], "replicas": 3, "several": True, **changes}}


def resources(request: str, limit: str) -> dict[str, Any]:
    return {
        "requests": {"cpu": "100m", "memory": request},
        "limits": {"cpu": "500m", "memory": limit},
    }


def render(
    expose: str = "route",
    *,
    count: int = 1,
    openshift: bool = True,
    extra: Any = None,
    **changes: Any,
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
        "ocp4_workload_litemaas_extra_manifests": extra or [],
        "ocp4_workload_litemaas_litellm_ca_bundle": f"{CERTIFICATE}\n",
        "ocp4_workload_litemaas_version": "0.2.0",
        "_ocp4_workload_litemaas_instances": instances,
        "_ocp4_workload_litemaas_rendered": instances,
        "_ocp4_workload_litemaas_hashes": {
            i["name"]: {
                "postgres": "aa",
                "litellm": "bb",
                "redis": "cc",
                "pgbouncer": "dd",
                "external_database": "ee",
                "backend": "ff",
                "backend_database": "ee",
            }
            for i in instances
        },
        "_ocp4_workload_litemaas_cluster": {"openshift": openshift},
        "_ocp4_workload_litemaas_egress": EGRESS,
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
    known = set(_labels.OBJECTS + _labels.ROUTER_OBJECTS)
    sent = {
        (o["apiVersion"], o["kind"], o["metadata"]["name"])
        for o in render(expose, openshift=openshift)
        + render(expose, **redis())
        + render(expose, **several())
        + render(expose, **OWN)
        if o["kind"] != "Job"
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
    (migration,) = (o for o in render(**several()) if o["kind"] == "Job")
    for obj, app, changes in (
        (find(render(**redis()), "Deployment", "redis"), "redis", redis()),
        (migration, "litellm", several()),  # as much as a pod of the gateway, in one of its own
    ):
        each = _demand.amount(_sizing.BY_APP[app]({**instance(1), **changes}))
        asked = _node.requests(obj["spec"]["template"]["spec"])
        assert asked == _node.Amount(each.cpu, each.memory, 1), app
        labels = obj["spec"]["template"]["metadata"]["labels"]
        assert labels["app"] == (app if obj is not migration else _demand.MIGRATION)
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


def test_a_pod_that_still_waits_ends_when_it_is_told_to():
    found = [
        container
        for spec in pod_specs(everything())
        for container in spec.get("initContainers", [])
        if container["name"].startswith("wait-for-")
    ]
    assert {"wait-for-postgres", "wait-for-migration"} <= {each["name"] for each in found}
    for container in found:
        assert container["command"][2].startswith("trap 'exit 143' TERM"), container["name"]


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
    allowed = [{"key": "app", "operator": "In", "values": ["litellm", "litellm-migration"]}]
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchExpressions": allowed}}]
    # Policies add up: no other may select the database's pods.
    assert not [
        o for o in objects if o["kind"] == "NetworkPolicy" and o["spec"]["podSelector"] == {}
    ]


def test_routers_of_both_kinds_and_the_api_servers_proxy_reach_the_gateway():
    sources = find(render(), "NetworkPolicy", "litellm")["spec"]["ingress"][0]["from"]
    labels = [s["namespaceSelector"]["matchLabels"] for s in sources if "namespaceSelector" in s]
    assert {"policy-group.network.openshift.io/ingress": ""} in labels
    assert {"policy-group.network.openshift.io/host-network": ""} in labels


def test_redis_is_there_with_a_password_and_bounded():
    objects = render(**redis())
    deployment = find(objects, "Deployment", "redis")["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
    (container,) = deployment["template"]["spec"]["containers"]
    arguments = dict(zip(container["args"][1::2], container["args"][2::2], strict=True))
    assert arguments["--maxmemory"] == "268435456"
    assert arguments["--maxmemory-policy"] == "volatile-lru"
    assert arguments["--save"] == "60 1"
    assert "command" not in container
    claim = find(objects, "PersistentVolumeClaim", "redis")["spec"]
    assert claim["resources"]["requests"]["storage"] == "5Gi"
    variables = {v["name"]: v for v in container["env"]}
    assert variables["REDIS_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == "redis-secret"


def test_redis_without_a_volume_keeps_nothing():
    objects = render(**redis(""))
    assert not [o for o in objects if o["kind"] == "PersistentVolumeClaim"]
    (container,) = find(objects, "Deployment", "redis")["spec"]["template"]["spec"]["containers"]
    assert container["args"][-2:] == ["--save", ""]


def test_only_the_gateway_reaches_redis():
    policy = find(render(**redis()), "NetworkPolicy", "redis")["spec"]
    assert policy["podSelector"] == {"matchLabels": {"app": "redis"}}
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"app": "litellm"}}}]


def test_the_gateway_knows_redis_and_rolls_with_its_password_and_configuration():
    template = find(render(**redis()), "Deployment", "litellm")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert container["args"][-2:] == ["--config", "/etc/litellm/config.yaml"]
    assert {"name": "REDIS_HOST", "value": "redis"} in container["env"]
    annotations = template["metadata"]["annotations"]
    assert annotations["rhpds.litemaas/credentials-hash"] == "bb-cc"
    assert annotations["rhpds.litemaas/revision"] == "of-it"
    config = find(render(**redis()), "ConfigMap", "litellm-config")["data"]["config.yaml"]
    assert yaml.safe_load(config) == {"litellm_settings": {"cache": True}}


def test_one_pod_migrates_by_itself_and_may_be_drained():
    objects = render()
    assert not [o for o in objects if o["kind"] in ("Job", "PodDisruptionBudget")]
    spec = find(objects, "Deployment", "litellm")["spec"]["template"]["spec"]
    assert [c["name"] for c in spec["initContainers"]] == ["wait-for-postgres"]
    names = {v["name"] for v in spec["containers"][0]["env"]}
    assert "DISABLE_SCHEMA_UPDATE" not in names


def job(objects):
    (found,) = [o for o in objects if o["kind"] == "Job"]
    return found


def test_several_pods_wait_for_one_migration():
    objects = render(**several())
    name = job(objects)["metadata"]["name"]
    deployment = find(objects, "Deployment", "litellm")
    assert deployment["metadata"]["annotations"]["rhpds.litemaas/migration"] == name
    spec = deployment["spec"]["template"]["spec"]
    (waits,) = spec["initContainers"]
    assert name in waits["command"][-1]
    assert {"name": "DISABLE_SCHEMA_UPDATE", "value": "True"} in spec["containers"][0]["env"]
    pod = job(objects)["spec"]["template"]["spec"]
    assert [c["name"] for c in pod["initContainers"]] == ["wait-for-postgres", "migrate"]
    assert f"'{name}'" in pod["containers"][0]["command"][-1]
    migrates = pod["initContainers"][1]
    assert migrates["args"] == ["--skip_server_startup"]
    assert "DISABLE_SCHEMA_UPDATE" not in {v["name"] for v in migrates["env"]}
    assert "LITELLM_MIGRATION_DIR" in {v["name"] for v in migrates["env"]}
    assert "MIGRATION-NAME" not in str(objects)
    assert "ttlSecondsAfterFinished" not in job(objects)["spec"]


def test_connections_are_left_open_for_longer_than_a_router_keeps_them():
    def told(objects):
        containers = find(objects, "Deployment", "litellm")["spec"]["template"]["spec"][
            "containers"
        ]
        (value,) = [v["value"] for v in containers[0]["env"] if v["name"] == "KEEPALIVE_TIMEOUT"]
        return value

    assert int(told(render())) > 300
    objects = render(**several(env={"KEEPALIVE_TIMEOUT": "620"}))
    assert told(objects) == "620"
    migrates = job(render(**several()))["spec"]["template"]["spec"]["initContainers"][1]
    assert "KEEPALIVE_TIMEOUT" not in {v["name"] for v in migrates["env"]}


def test_the_migrations_name_changes_with_what_migrates_and_with_nothing_else():
    def name(**changes):
        return job(render(**several(**changes)))["metadata"]["name"]

    assert name() == name(replicas=5)
    assert (
        len({name(), name(image="ghcr.io/x/litellm:v2"), name(resources=resources("2Gi", "4Gi"))})
        == 3
    )


def test_the_plan_knows_what_migrates_anew():
    """The revision, by which room is looked for, changes in its first part with the Job's text."""

    def both(**changes):
        redis = changes.pop("with_redis", {})
        litellm = {**several()["litellm"], **redis.get("litellm", {}), **changes}
        whole = {**several(), **redis, "litellm": {**litellm, "replicas": 3, "several": True}}
        revision = _revision.revision(
            litellm, helper="postgres", redis=bool(redis), ca_bundle=str(litellm["ca_bundle"])
        )
        return job(render(**whole))["metadata"]["name"], revision.partition("-")

    name, (migration, _dash, pods) = both()
    for same in ({"replicas": 5}, {"autoscaled": True}):
        assert both(**same) == (name, (migration, "-", pods))
    for other_pods in (
        {"config": {"a": {"b": 1}}},
        {"env_secrets": ["x"]},
        {"with_redis": {"redis": redis()["redis"]}},
    ):
        found, (first, _dash, second) = both(**other_pods)
        assert (found, first) == (name, migration), other_pods
        assert second != pods
    for other in (
        {"image": "ghcr.io/x/litellm:v2"},
        {"resources": resources("2Gi", "4Gi")},
        {"env": {"HTTPS_PROXY": "http://p"}},
        {"ca_bundle": True},
    ):
        found, (first, _dash, second) = both(**other)
        assert found != name and first != migration and second != pods, other


def test_several_pods_end_after_their_last_request_and_are_spread():
    objects = render(**several())
    spec = find(objects, "Deployment", "litellm")["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] > 600
    spread = {s["topologyKey"]: s["whenUnsatisfiable"] for s in spec["topologySpreadConstraints"]}
    assert spread == {
        "topology.kubernetes.io/zone": "ScheduleAnyway",
        "kubernetes.io/hostname": "ScheduleAnyway",
    }
    strategy = find(objects, "Deployment", "litellm")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": 1, "maxUnavailable": 0}
    budget = find(objects, "PodDisruptionBudget", "litellm")["spec"]
    assert budget["maxUnavailable"] == 1


@pytest.mark.parametrize("changes", [redis(), several()], ids=["redis", "several"])
def test_what_they_bring_is_restricted_and_has_no_token(changes):
    objects = render(**changes)
    for container in containers(objects):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert set(container["resources"]) == {"requests", "limits"}
    for spec in pod_specs(objects):
        assert spec["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    "changes", [redis(), several(), OWN], ids=["redis", "several", "the site's own"]
)
def test_all_that_they_bring_is_known_as_what_may_be_switched_off(changes):
    def names(objects):
        return {(o["kind"], o["metadata"]["name"]) for o in objects}

    without, with_it = render(), render(**changes)
    brought = names(with_it) - names(without)
    assert brought
    assert brought == {
        (o["kind"], o["metadata"]["name"])
        for o in with_it
        if "rhpds.litemaas/optional" in o["metadata"]["labels"]
    }
    assert not [o for o in without if "rhpds.litemaas/optional" in o["metadata"]["labels"]]


def test_several_pods_get_requests_by_how_many_they_have():
    def annotations(objects):
        return find(objects, "Route", "litellm")["metadata"]["annotations"]

    balance = "haproxy.router.openshift.io/balance"
    assert annotations(render(**several()))[balance] == "leastconn"
    assert balance not in annotations(render())

    cookies = "haproxy.router.openshift.io/disable_cookies"
    both = {**redis(), "litellm": {**redis()["litellm"], "replicas": 3, "several": True}}
    assert annotations(render(**both))[cookies] == "true"
    # Without Redis a browser is better off with one pod, whose answers agree.
    assert not [c for c in ({}, redis(), several()) if cookies in annotations(render(**c))]


def test_an_autoscaler_decides_how_many_there_are():
    assert (
        "replicas" not in find(render(**several(autoscaled=True)), "Deployment", "litellm")["spec"]
    )


def test_what_a_site_adds_is_part_of_each_instance():
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "gateway", "labels": {"team": "a"}},
        "spec": {"text": "$(INSTANCE) in $(NAMESPACE) at https://$(HOST)/"},
    }
    for n, found in enumerate(
        (o for o in render(count=2, extra=[monitor]) if o["kind"] == "ServiceMonitor"), start=1
    ):
        labels = found["metadata"]["labels"]
        assert found["metadata"]["namespace"] == f"litemaas-user{n}"
        assert labels["team"] == "a"
        assert labels["rhpds.litemaas/instance"] == f"user{n}"
        assert labels["rhpds.litemaas/optional"] == "extra"
        host = f"litellm-user{n}-rhpds.apps.example.com"
        assert found["spec"]["text"] == f"user{n} in litemaas-user{n} at https://{host}/"


@pytest.mark.parametrize("pods", [{}, {"replicas": 2, "several": True}], ids=["one", "several"])
def test_a_proxy_and_certificates_reach_whatever_runs_litellm(pods):
    more = {"env": {"HTTPS_PROXY": "http://p"}, "ca_bundle": True, **pods}
    objects = render(litellm={**instance(1)["litellm"], **more})
    assert find(objects, "ConfigMap", "litellm-ca")["data"]["ca.pem"] == CERTIFICATE + "\n"
    gateways = [c for c in containers(objects) if c["image"] == "ghcr.io/x/litellm:v1"]
    assert len(gateways) == (2 if pods else 1)
    for container in gateways:
        assert {"name": "HTTPS_PROXY", "value": "http://p"} in container["env"]
        assert {"name": "SSL_CERT_FILE", "value": "/etc/litellm-ca/ca.pem"} in container["env"]
        assert "/etc/litellm-ca" in {m["mountPath"] for m in container["volumeMounts"]}
    for spec in pod_specs(objects):
        mounted = {
            m["name"]
            for c in spec["containers"] + spec.get("initContainers", [])
            for m in c.get("volumeMounts", [])
        }
        # The database's volume comes from the StatefulSet's claim.
        assert mounted <= {v["name"] for v in spec["volumes"]} | {"data"}


def test_secrets_of_the_site_become_the_gateways_environment():
    objects = render(litellm={**instance(1)["litellm"], "env_secrets": ["sso"]})
    (container,) = find(objects, "Deployment", "litellm")["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "sso"}}]


def test_no_image_is_written_into_a_template():
    for file in (ROLE / "templates").rglob("*.j2"):
        for line in file.read_text().splitlines():
            assert "image:" not in line or "{{ instance." in line, (file, line)


def everything(**more: Any) -> list[dict[str, Any]]:
    """All kinds of pods there are."""
    litellm = {**redis()["litellm"], "replicas": 3, "several": True}
    return render(**{**redis(), **pgbouncer(), "litellm": litellm, **more})


def test_images_of_all_pods_are_pulled_with_the_secret():
    found = pod_specs(everything(pull_secret="mirror"))
    assert len(found) == 5  # gateway, migration, database, Redis, PgBouncer
    assert [spec.get("imagePullSecrets") for spec in found] == [[{"name": "mirror"}]] * len(found)
    assert not [spec for spec in pod_specs(everything()) if "imagePullSecrets" in spec]


def test_a_route_reads_its_certificate_from_a_secret_that_the_router_may_read():
    objects = render(tls_secret="llm-tls", own_secrets=[])
    route = find(objects, "Route", "litellm")
    assert route["spec"]["tls"] == {
        "termination": "edge",
        "insecureEdgeTerminationPolicy": "Redirect",
        "externalCertificate": {"name": "llm-tls"},
    }
    role = find(objects, "Role", "litellm-certificate")
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["llm-tls"],
            "verbs": ["get", "list", "watch"],
        }
    ]
    binding = find(objects, "RoleBinding", "litellm-certificate")
    assert binding["roleRef"]["name"] == "litellm-certificate"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "router", "namespace": "openshift-ingress"}
    ]
    order = [(o["kind"], stage) for stage, part in enumerate(_stages.stages(objects)) for o in part]
    assert dict(order)["RoleBinding"] < dict(order)["Route"]


def test_an_ingress_names_its_certificate():
    (tls,) = find(render("ingress", openshift=False, tls_secret="llm-tls"), "Ingress", "litellm")[
        "spec"
    ]["tls"]
    assert tls["secretName"] == "llm-tls"
    objects = render("ingress", openshift=False)
    assert "secretName" not in find(objects, "Ingress", "litellm")["spec"]["tls"][0]
    assert not [
        o for o in render("ingress", tls_secret="x") if o["kind"] in ("Role", "RoleBinding")
    ]


def test_what_consists_of_a_secret_alone_is_told_on_the_deployment():
    annotations = find(render(**OWN), "Deployment", "litellm")["metadata"]["annotations"]
    assert annotations[_labels.SECRETS] == "certificate pull-secret"
    assert _labels.SECRETS not in find(render(), "Deployment", "litellm")["metadata"]["annotations"]


def reaches(objects: list[dict[str, Any]], name: str) -> Any:
    """Where the pods of a policy may connect to; None where that is open."""
    spec = find(objects, "NetworkPolicy", name)["spec"]
    return spec.get("egress", []) if "Egress" in spec["policyTypes"] else None


def inside(rule: dict[str, Any]) -> tuple[list[str], list[int]]:
    """Of a rule for pods of the namespace: their apps and ports."""
    (peer,) = rule["to"]
    chosen = peer["podSelector"]
    (expression,) = chosen.get("matchExpressions") or [{"values": [chosen["matchLabels"]["app"]]}]
    return expression["values"], [each["port"] for each in rule["ports"]]


def test_restricted_pods_reach_what_they_need_and_what_is_allowed():
    objects, before = everything(egress=True), everything()
    assert reaches(objects, "postgres") == reaches(objects, "redis") == []
    own, *others = reaches(objects, "litellm")
    assert inside(own) == (["postgres", "pgbouncer", "redis"], [5432, 6432, 6379])
    assert others == EGRESS
    for name in ("litellm-migration", "pgbouncer"):
        own, *others = reaches(objects, name)
        assert (inside(own), others) == ((["postgres"], [5432]), EGRESS[:1]), name
    policies = [o for o in objects if o["kind"] == "NetworkPolicy"]
    restricted = {
        o["spec"]["podSelector"]["matchLabels"]["app"]
        for o in policies
        if "Egress" in o["spec"]["policyTypes"]
    }
    pods = [o["spec"]["template"] for o in objects if "template" in o.get("spec", {})]
    assert {pod["metadata"]["labels"]["app"] for pod in pods} == restricted, "every kind of pod"
    # What comes in is what came in before.
    assert {o["metadata"]["name"] for o in policies} - {"litellm-migration"} == {
        o["metadata"]["name"] for o in before if o["kind"] == "NetworkPolicy"
    }
    for o in before:
        if o["kind"] == "NetworkPolicy":
            now = find(objects, "NetworkPolicy", o["metadata"]["name"])["spec"]
            assert (
                o["spec"]["policyTypes"] == ["Ingress"] and now["ingress"] == o["spec"]["ingress"]
            )


def test_a_gateway_that_migrates_by_itself_needs_no_policy_for_that():
    names = {o["metadata"]["name"] for o in render(egress=True) if o["kind"] == "NetworkPolicy"}
    assert names == {"postgres", "litellm"}


def test_who_wants_none_of_it_renders_no_more():
    """Neither an object nor a field nor a line, whatever else an instance has."""
    for name in ("certificate", "pull-secret", "externalCertificate", "imagePullSecrets", "Egress"):
        assert name not in str(everything()), name
