# SPDX-License-Identifier: MIT
"""The manifests of the LiteMaaS application, held against what its images and the cluster expect."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _application,
    _credential_values,
    _demand,
    _labels,
    _node,
    _sizing,
)
from lablib.images.builder import SOURCES

from .test_templates import (
    VARIABLES,
    containers,
    find,
    instance,
    pod_specs,
    redis,
    render,
    resources,
)

HOST = "litemaas-user1-rhpds.apps.example.com"
APPLICATION = {
    "backend": {
        "image": "quay.io/x/backend:1",
        "resources": resources("256Mi", "512Mi"),
        "client_id": "system:serviceaccount:litemaas-user1:backend",
        "issuer": "https://oauth-openshift.apps.example.com",
        "callback_url": f"https://{HOST}/api/auth/callback",
        "origin": f"https://{HOST}",
    },
    "frontend": {
        "image": "quay.io/x/frontend:1",
        "resources": resources("128Mi", "256Mi"),
        "host": HOST,
        "url": f"https://{HOST}",
    },
}


def application(expose: str = "route", **more: Any) -> list[dict[str, Any]]:
    return render(expose, **{**APPLICATION, **more})


def pod(name: str, objects: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return find(objects or application(), "Deployment", name)["spec"]["template"]["spec"]


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def names(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(o["kind"], o["metadata"]["name"]) for o in objects}


@pytest.mark.parametrize("expose", ["route", "ingress"])
def test_all_that_it_brings_is_known_and_may_be_switched_off(expose: str) -> None:
    objects = application(expose)
    brought = names(objects) - names(render(expose))
    known = {(kind, name) for _api_version, kind, name in _labels.APPLICATION}
    left = {
        ("Route" if expose == "ingress" else "Ingress", "frontend"),
        ("Secret", "backend-secret"),
    }
    assert brought == known - left
    optional = {
        (o["kind"], o["metadata"]["name"])
        for o in objects
        if "rhpds.litemaas/optional" in o["metadata"]["labels"]
    }
    assert brought == optional
    assert all(_labels.is_ours(o, "litemaas-user") for o in objects)


def test_without_it_the_text_is_what_it_was() -> None:
    assert not names(render()) & {(kind, name) for _v, kind, name in _labels.APPLICATION}
    assert "LITEMAAS" not in str(render()) and "start-hash" not in str(render())


def test_the_backend_is_told_everything_that_it_checks() -> None:
    """Against the stand-in's own list, which is that of the real backend's documentation."""
    source = (SOURCES / "litemaas/backend.py").read_text()
    wanted = re.findall(r'^    "([A-Z_]+)": (?:r"|HTTPS|DATABASE)', source, re.MULTILINE)
    assert len(wanted) > 20
    told = environment(pod("backend")["containers"][0])
    assert set(wanted) <= set(told)
    assert told["LITELLM_API_URL"] == instance(1)["url"]
    assert told["NODE_ENV"] == "production"
    assert not [name for name in told if "TLS" in name]


def test_secrets_come_by_reference() -> None:
    told = environment(pod("backend")["containers"][0])
    references = {
        name: (value["secretKeyRef"]["name"], value["secretKeyRef"]["key"])
        for name, value in told.items()
        if isinstance(value, dict)
    }
    assert references.pop("OAUTH_CLIENT_SECRET") == ("backend-oauth-token", "token")
    for name in ("LITELLM_API_KEY", "LITELLM_MASTER_KEY"):
        assert references.pop(name) == ("litellm-secret", "LITELLM_MASTER_KEY")
    own = set(_credential_values.BACKEND_KEYS) - {"DATABASE_PASSWORD"}
    assert references == {name: ("backend-secret", name) for name in own}


def test_the_pool_is_what_is_reckoned_with() -> None:
    told = environment(pod("backend")["containers"][0])
    assert told["DB_MAX_CONNECTIONS"] == str(_application.POOL)
    assert find(application(), "Deployment", "backend")["spec"]["replicas"] == 1


def test_the_role_and_the_database_have_one_name() -> None:
    assert VARIABLES["_ocp4_workload_litemaas_backend_role"] == _credential_values.BACKEND_ROLE
    found = VARIABLES["_ocp4_workload_litemaas_backend_database"]
    assert found == _credential_values.BACKEND_DATABASE


def test_its_account_is_the_oauth_client() -> None:
    account = find(application(), "ServiceAccount", "backend")
    assert account["metadata"]["annotations"] == {
        "serviceaccounts.openshift.io/oauth-redirecturi.litemaas": f"https://{HOST}/api/auth/callback"
    }
    token = find(application(), "Secret", "backend-oauth-token")
    assert token["type"] == "kubernetes.io/service-account-token"
    assert token["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "backend"}
    assert "data" not in token and "stringData" not in token


def test_no_pod_has_a_token_mounted() -> None:
    for spec in pod_specs(application()):
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
    assert pod("backend")["serviceAccountName"] == "backend"
    assert pod("frontend")["serviceAccountName"] == "frontend"


def test_every_container_is_bounded_and_restricted() -> None:
    for container in containers(application()):
        assert set(container["resources"]) == {"requests", "limits"}
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        # The frontend's image writes into its own root at start.
        assert security["readOnlyRootFilesystem"] is (container["name"] != "frontend")


def test_authorities_are_trusted_and_nothing_is_waved_through() -> None:
    spec = pod("backend")
    (volume,) = [each for each in spec["volumes"] if each["name"] == "ca"]
    assert volume["configMap"]["name"] == "kube-root-ca.crt"
    backend = spec["containers"][0]
    (mount,) = [each for each in backend["volumeMounts"] if each["name"] == "ca"]
    assert environment(backend)["NODE_EXTRA_CA_CERTS"] == f"{mount['mountPath']}/ca.crt"


def test_it_counts_as_started_when_its_tables_are_there() -> None:
    backend, check = pod("backend")["containers"]
    assert "command" not in backend and "args" not in backend
    mark = VARIABLES["_ocp4_workload_litemaas_backend_mark"]
    assert backend["startupProbe"]["exec"]["command"][-1] == f"test -e {mark}"
    assert check["readinessProbe"]["exec"]["command"][-1] == f"test -e {mark}"
    assert backend["readinessProbe"]["httpGet"]["path"] == "/api/v1/health/ready"
    assert backend["livenessProbe"]["httpGet"]["path"] == "/api/v1/health/live"
    script = check["command"][-1]
    for table in VARIABLES["_ocp4_workload_litemaas_backend_tables"]:
        assert re.search(rf"'\{{[a-z_,]*\b{table}\b[a-z_,]*\}}'", script), table


def test_scripts_are_scripts() -> None:
    objects = application()
    waits, *_ = pod("backend", objects)["initContainers"]
    (config,) = [o for o in objects if o["metadata"]["name"] == "litemaas-database"]
    for text in (
        waits["command"][-1],
        pod("backend", objects)["containers"][1]["command"][-1],
        config["data"]["litemaas.sh"],
    ):
        bash = shutil.which("bash")
        assert bash
        done = subprocess.run([bash, "-n"], input=text, capture_output=True, text=True, check=False)
        assert not done.stderr, done.stderr


def test_the_database_makes_role_and_database_without_a_superusers_password() -> None:
    objects = application()
    template = find(objects, "StatefulSet", "postgres")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    told = environment(container)
    reference = told["LITEMAAS_PASSWORD"]["secretKeyRef"]
    assert reference == {"name": "backend-secret", "key": "DATABASE_PASSWORD"}
    assert "POSTGRESQL_ADMIN_PASSWORD" not in told
    assert "command" not in container and "args" not in container
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounts["start"] == "/opt/app-root/src/postgresql-start"
    assert re.fullmatch(
        r"[0-9a-f]{10}", template["metadata"]["annotations"]["rhpds.litemaas/start-hash"]
    )


def test_what_changed_rolls_what_uses_it() -> None:
    objects = application()

    def annotation(kind: str, name: str) -> str:
        template = find(objects, kind, name)["spec"]["template"]
        return template["metadata"]["annotations"]["rhpds.litemaas/credentials-hash"]

    assert annotation("StatefulSet", "postgres") == "aa-ee"
    assert annotation("Deployment", "backend") == "ff-bb"
    assert annotation("Deployment", "litellm") == "bb"


def policy(name: str) -> Any:
    return find(application(), "NetworkPolicy", name)["spec"]["ingress"]


def test_who_reaches_whom() -> None:
    (rule,) = policy("backend")
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "frontend"}}}]
    assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]
    (rule,) = policy("backend-database")
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "backend"}}}]
    assert rule["ports"] == [{"port": 5432, "protocol": "TCP"}]
    assert policy("frontend")[0]["from"] == policy("litellm")[0]["from"]


@pytest.mark.parametrize(("expose", "kind"), [("route", "Route"), ("ingress", "Ingress")])
def test_one_address_for_pages_and_api(expose: str, kind: str) -> None:
    exposed = find(application(expose), kind, "frontend")["spec"]
    rules = exposed.get("rules") or [exposed]
    assert [rule["host"] for rule in rules] == [HOST]
    assert environment(pod("frontend")["containers"][0]) == {"BACKEND_URL": "http://backend:8080"}


def test_what_a_pod_asks_for_is_what_the_preflight_reckons_with() -> None:
    for app in ("backend", "frontend"):
        each = _demand.amount(_sizing.BY_APP[app]({**instance(1), **APPLICATION}))
        assert _node.requests(pod(app)) == _node.Amount(each.cpu, each.memory, 1)
    check = pod("backend")["containers"][1]["resources"]
    assert check == _sizing.BACKEND_CHECK


def test_it_stands_beside_redis() -> None:
    both = names(application(**redis()))
    assert names(application()) | names(render(**redis())) == both
