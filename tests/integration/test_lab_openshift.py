# SPDX-License-Identifier: MIT
"""The lab's OpenShift, seen as an installer and its users see it: through the API server and the router.

And the lab without OpenShift, which stands for a kind cluster.
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _client
from lablib import network
from lablib.settings import Settings, current

LAB = Path(__file__).resolve().parents[1] / "lab" / "lab"
WEB = Path(__file__).with_name("web.py")
POSTGRES = "quay.io/sclorg/postgresql-16-c9s"
SCC = "unable to validate against any security context constraint"


class Refused(Exception):
    """kubectl failed; the message is what it said."""


@dataclass(frozen=True)
class Answer:
    """What came through the router: see web.py."""

    status: int
    headers: dict[str, str]
    body: str
    first: float
    last: float
    error: str


@dataclass(frozen=True)
class Lab:
    """A running lab. Everything is done from inside its network, wherever the test itself runs."""

    settings: Settings
    status: dict[str, Any]
    program: str  # kubectl

    @property
    def openshift(self) -> bool:
        return self.settings.profile == "openshift"

    @property
    def inside(self) -> list[str]:
        return network.enter(self.settings)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [*self.inside, self.program, f"--kubeconfig={self.settings.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise Refused(done.stderr)
        return done.stdout

    def create(self, *objects: dict[str, Any]) -> str:
        """Create them, in one call."""
        document = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self.kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(document))

    def dry_run(self, item: dict[str, Any], user: str = "") -> dict[str, Any]:
        """The object as the API server would store it."""
        options = ["--dry-run=server", "-o", "json"] + ([f"--as={user}"] if user else [])
        return json.loads(self.kubectl("create", "-f", "-", *options, stdin=json.dumps(item)))

    def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        where = ["-n", namespace] if namespace else []
        return json.loads(self.kubectl("get", kind, name, "-o", "json", *where))

    def request(
        self, host: str, path: str = "/", *, tls: bool = True, ca: Path | None = None
    ) -> Answer:
        """One request through the router, TLS verified against the CA that the lab names, or another."""
        target = [self.settings.router_address, "443" if tls else "80", host, path]
        trusted = [str(ca or self.settings.router_ca)] if tls else []
        command = [*self.inside, sys.executable, str(WEB), "get", *target, *trusted]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return Answer(**json.loads(done.stdout))


def started(profile: str) -> tuple[Lab, bool]:
    """The lab of this profile, and whether it had to be brought up."""
    command = [str(LAB), "--profile", profile]

    def status() -> dict[str, Any]:
        # `status` tells of a lab that is down by its exit code, too.
        done = subprocess.run([*command, "status", "--json"], capture_output=True, check=False)
        return json.loads(done.stdout)

    fresh = not status()["up"]
    if fresh:
        subprocess.run([*command, "up", "--no-real-node"], check=True)
    which = [*command, "run", "--", "which", "kubectl"]
    program = subprocess.run(which, check=True, capture_output=True, text=True).stdout.strip()
    return Lab(current(profile), status(), program), fresh


@pytest.fixture(scope="session")
def lab() -> Lab:
    return started("openshift")[0]


@pytest.fixture(scope="session")
def plain() -> Iterator[Lab]:
    """The lab without OpenShift; left as it was found."""
    lab, fresh = started("kubernetes")
    yield lab
    if fresh:
        subprocess.run([str(LAB), "--profile", "kubernetes", "down"], check=True)


def eventually(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """What the condition returns once it is true; its last failure when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except (Refused, AssertionError):
            if time.monotonic() > deadline:
                raise
        else:
            if found or time.monotonic() > deadline:
                assert found
                return found
        time.sleep(0.1)


@contextlib.contextmanager
def namespaces(lab: Lab, count: int = 1, **labels: str) -> Iterator[list[str]]:
    """Namespaces of our own, with their range of user ids where there are such."""
    names = [f"lab-test-{uuid.uuid4().hex[:8]}" for _ in range(count)]
    metadata = [{"name": name, "labels": labels} for name in names]
    lab.create(*({"apiVersion": "v1", "kind": "Namespace", "metadata": item} for item in metadata))
    try:
        if lab.openshift:
            for name in names:
                eventually(lambda name=name: uid_range(lab, name))
        yield names
    finally:
        lab.kubectl("delete", "namespace", "--wait=false", *names)


def uid_range(lab: Lab, namespace: str) -> str:
    annotations = lab.get("namespace", namespace)["metadata"].get("annotations", {})
    return str(annotations.get("openshift.io/sa.scc.uid-range", ""))


@pytest.fixture
def namespace(lab: Lab) -> Iterator[str]:
    with namespaces(lab) as names:
        yield names[0]


# -- routes ------------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def serving(lab: Lab) -> Iterator[int]:
    """The port of a web server inside the lab's network."""
    server = subprocess.Popen(
        [*lab.inside, sys.executable, str(WEB), "serve", lab.settings.router_address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin and server.stdout
    try:
        yield int(server.stdout.readline())
    finally:
        server.stdin.close()
        server.wait(10)
        server.stdout.close()


@pytest.fixture(scope="session")
def backend(lab: Lab) -> Iterator[int]:
    with serving(lab) as port:
        yield port


def service(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"name": "http", "port": 4000}]},
    }


def endpoints(lab: Lab, namespace: str, port: int, ready: bool = True) -> dict[str, Any]:
    """As if a pod stood where our server stands."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "web-1",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port}],
        "endpoints": [{"addresses": [lab.settings.router_address], "conditions": {"ready": ready}}],
    }


def route(
    namespace: str,
    name: str,
    host: str = "",
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    return {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {
            "name": name,
            "namespace": namespace,
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {
            **({"host": host} if host else {}),
            "to": {"kind": "Service", "name": "web"},
            "port": {"targetPort": "http"},
            "tls": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
            **spec,
        },
    }


def admission(lab: Lab, namespace: str, name: str) -> dict[str, Any]:
    """The route's condition Admitted; empty before the router has spoken."""
    status = lab.get("route", name, namespace).get("status", {})
    conditions = [item for entry in status.get("ingress", []) for item in entry["conditions"]]
    return next((item for item in conditions if item["type"] == "Admitted"), {})


@pytest.fixture
def web(lab: Lab, namespace: str, backend: int) -> str:
    """A namespace with a Service `web` that answers."""
    lab.create(service(namespace), endpoints(lab, namespace, backend))
    return namespace


def unique(lab: Lab) -> str:
    return f"t{uuid.uuid4().hex[:8]}.{lab.status['apps_domain']}"


def test_a_route_is_admitted_and_served_over_tls(lab: Lab, web: str) -> None:
    host = unique(lab)
    lab.create(route(web, "r", host))
    assert eventually(lambda: admission(lab, web, "r"))["status"] == "True"
    (ingress,) = lab.get("route", "r", web)["status"]["ingress"]
    assert (ingress["host"], ingress["routerName"]) == (host, "default")
    answer = eventually(lambda: (found := lab.request(host)).status == 200 and found)
    headers = json.loads(answer.body)
    assert (headers["host"], headers["x-forwarded-proto"]) == (host, "https")
    assert "set-cookie" in answer.headers
    redirected = lab.request(host, "/a?b=c", tls=False)
    assert (redirected.status, redirected.headers["location"]) == (302, f"https://{host}/a?b=c")


def test_fields_left_out_are_filled_in_as_by_openshift(lab: Lab, namespace: str) -> None:
    item = route(namespace, "r")
    item["spec"]["to"] = {"kind": "Service", "name": "web"}
    made = lab.dry_run(item)
    assert made["spec"]["to"] == {"kind": "Service", "name": "web", "weight": 100}
    assert made["spec"]["wildcardPolicy"] == "None"
    assert made["spec"]["host"] == f"r-{namespace}.{lab.status['apps_domain']}"
    assert made["metadata"]["annotations"]["openshift.io/host.generated"] == "true"


def test_applying_a_route_again_changes_nothing(lab: Lab, namespace: str) -> None:
    item = json.dumps(route(namespace, "r", unique(lab)))
    versions = []
    for _ in range(2):
        lab.kubectl("apply", "--server-side", "--field-manager=test", "-f", "-", stdin=item)
        eventually(lambda: admission(lab, namespace, "r"))
        versions.append(lab.get("route", "r", namespace)["metadata"]["resourceVersion"])
    assert versions[0] == versions[1]


def test_the_certificate_is_not_signed_by_the_api_servers_ca(lab: Lab, tmp_path: Path) -> None:
    kubeconfig = yaml.safe_load(lab.settings.kubeconfig.read_text())
    authority = tmp_path / "ca.crt"
    encoded = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]
    authority.write_bytes(base64.b64decode(encoded))
    assert "CERTIFICATE_VERIFY_FAILED" in lab.request(unique(lab), ca=authority).error


def test_every_user_may_read_the_routers_ca_and_nothing_beside_it(lab: Lab) -> None:
    arguments = ("get", "configmap", "-n", "openshift-config-managed", "--as=somebody")
    found = lab.kubectl(*arguments, "default-ingress-cert", "-o", "json")
    assert json.loads(found)["data"]["ca-bundle.crt"] == lab.settings.router_ca.read_text()
    with pytest.raises(Refused, match="forbidden"):
        lab.kubectl(*arguments, "kube-root-ca.crt")


def test_unknown_hosts_and_services_without_endpoints_answer_503(lab: Lab, namespace: str) -> None:
    assert lab.request(unique(lab)).status == 503
    host = unique(lab)
    lab.create(service(namespace), route(namespace, "r", host))
    eventually(lambda: admission(lab, namespace, "r"))
    time.sleep(1)
    answer = lab.request(host)
    assert (answer.status, "Application is not available" in answer.body) == (503, True)


def test_only_ready_endpoints_are_served(lab: Lab, web: str, backend: int) -> None:
    host = unique(lab)
    lab.create(route(web, "r", host))
    eventually(lambda: lab.request(host).status == 200)
    for ready, status in ((False, 503), (True, 200)):
        lab.kubectl("replace", "-f", "-", stdin=json.dumps(endpoints(lab, web, backend, ready)))
        eventually(lambda status=status: lab.request(host).status == status)


def test_the_oldest_route_holds_the_host_until_it_goes(lab: Lab) -> None:
    host = unique(lab)
    with namespaces(lab, 2) as (one, two):
        lab.create(route(one, "old", host))
        assert eventually(lambda: admission(lab, one, "old"))["status"] == "True"
        time.sleep(1)  # creation times have no fractions
        lab.create(route(two, "young", host))
        refused = eventually(lambda: admission(lab, two, "young"))
        assert (refused["status"], refused["reason"]) == ("False", "HostAlreadyClaimed")
        assert (
            refused["message"]
            == f"a route in another namespace holds {host} and is older than young"
        )
        lab.kubectl("delete", "route", "old", "-n", one)
        eventually(lambda: admission(lab, two, "young")["status"] == "True")


def test_labels_of_more_than_63_characters(lab: Lab, namespace: str) -> None:
    domain = lab.settings.apps_domain
    lab.dry_run(route(namespace, "r", f"{'a' * 63}.{domain}"))
    with pytest.raises(Refused, match="must be no more than 63 characters"):
        lab.dry_run(route(namespace, "r", f"{'a' * 64}.{domain}"))
    lenient = {"route.openshift.io/allow-non-dns-compliant-host": "true"}
    lab.create(route(namespace, "r", f"{'a' * 64}.{domain}", lenient))
    refused = eventually(lambda: admission(lab, namespace, "r"))
    assert (refused["status"], refused["reason"]) == ("False", "InvalidHost")


def test_choosing_a_host_needs_a_permission_of_its_own(lab: Lab, namespace: str) -> None:
    rules = {"apiGroups": ["route.openshift.io"], "resources": ["routes"], "verbs": ["create"]}
    lab.create(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "maker", "namespace": namespace},
            "rules": [rules],
        },
        *(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": user, "namespace": namespace},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
                "subjects": [
                    {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
                ],
            }
            for user, kind, role in (("maker", "Role", "maker"), ("owner", "ClusterRole", "admin"))
        ),
    )
    eventually(lambda: lab.dry_run(route(namespace, "r"), "maker"))
    with pytest.raises(
        Refused, match="you do not have permission to set the host field of the route"
    ):
        lab.dry_run(route(namespace, "r", unique(lab)), "maker")
    assert eventually(lambda: lab.dry_run(route(namespace, "r", unique(lab)), "owner"))


@pytest.mark.parametrize(
    ("timeout", "status", "between"), [("1s", 504, (0.9, 2.5)), ("5s", 200, (2.9, 4.5))]
)
def test_the_timeout_annotation_acts(
    lab: Lab, web: str, timeout: str, status: int, between: tuple[float, float]
) -> None:
    host = unique(lab)
    lab.create(route(web, "r", host, {"haproxy.router.openshift.io/timeout": timeout}))
    eventually(lambda: lab.request(host).status == 200)
    answer = lab.request(host, "/sleep/3")
    assert answer.status == status
    assert between[0] < answer.last < between[1]


def test_a_stream_is_not_buffered_and_may_last_longer_than_the_timeout(lab: Lab, web: str) -> None:
    host = unique(lab)
    lab.create(route(web, "r", host, {"haproxy.router.openshift.io/timeout": "1s"}))
    eventually(lambda: lab.request(host).status == 200)
    answer = lab.request(host, "/drip/8/0.3")
    assert answer.body.count("data: ") == 8
    assert answer.first < 1
    assert answer.last > 2


def test_a_stalled_stream_is_cut_by_the_timeout(lab: Lab, web: str) -> None:
    host = unique(lab)
    lab.create(route(web, "r", host, {"haproxy.router.openshift.io/timeout": "1s"}))
    eventually(lambda: lab.request(host).status == 200)
    answer = lab.request(host, "/drip/2/3")
    assert (answer.status, "IncompleteRead" in answer.error) == (200, True)


def test_a_reload_cuts_nothing(lab: Lab, web: str) -> None:
    host = unique(lab)
    lab.create(route(web, "r", host))
    eventually(lambda: lab.request(host).status == 200)
    answers: list[Answer] = []
    stream = threading.Thread(target=lambda: answers.append(lab.request(host, "/drip/12/0.3")))
    stream.start()
    for number in range(3):
        other = unique(lab)
        lab.create(route(web, f"other-{number}", other))
        eventually(lambda other=other: lab.request(other).status == 200)
    stream.join()
    assert answers[0].body.count("data: ") == 12


# -- the security context constraint -----------------------------------------------------------------------------------
def pod(namespace: str, **spec: Any) -> dict[str, Any]:
    """A pod that is restricted in everything but what is given."""
    security = spec.pop("container", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": POSTGRES,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "runAsNonRoot": True,
                        "seccompProfile": {"type": "RuntimeDefault"},
                        **security,
                    },
                }
            ],
            **spec,
        },
    }


@pytest.fixture(scope="module")
def home(lab: Lab) -> Iterator[str]:
    """A namespace for pods that are only tried, where Pod Security leaves them to the constraint."""
    with namespaces(lab, **{"pod-security.kubernetes.io/enforce": "privileged"}) as names:
        eventually(lambda: lab.get("serviceaccount", "default", names[0]))
        yield names[0]


def test_what_the_author_left_open_is_filled_in(lab: Lab, home: str) -> None:
    first = int(uid_range(lab, home).split("/")[0])
    item = pod(home)
    item["spec"]["containers"].append({"name": "bare", "image": POSTGRES})
    item["spec"]["initContainers"] = [
        {"name": "init", "image": POSTGRES, "securityContext": {"runAsUser": first + 7}}
    ]
    made = lab.dry_run(item)
    spec = made["spec"]
    assert made["metadata"]["annotations"]["openshift.io/scc"] == "restricted-v2"
    assert spec["securityContext"] == {
        "fsGroup": first,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert [c["securityContext"]["runAsUser"] for c in spec["containers"]] == [first, first]
    assert spec["containers"][1]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": first,
    }
    assert spec["initContainers"][0]["securityContext"]["runAsUser"] == first + 7


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"container": {"runAsUser": 26}},
            r"\.containers\[c\]\.runAsUser: Invalid value: 26: must be in the ranges: \[",
        ),
        ({"securityContext": {"runAsUser": 1001}}, "runAsUser: Invalid value: 1001"),
        ({"securityContext": {"fsGroup": 26}}, "26 is not an allowed group"),
        ({"hostNetwork": True}, "Host network is not allowed to be used"),
        ({"hostPID": True}, "Host PID is not allowed to be used"),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
            "hostPath volumes are not allowed to be used",
        ),
        (
            {"container": {"privileged": True, "allowPrivilegeEscalation": None}},
            "Privileged containers are not allowed",
        ),
        (
            {"container": {"allowPrivilegeEscalation": True}},
            "privilege escalation for containers is not allowed",
        ),
        ({"container": {"capabilities": {"add": ["NET_ADMIN"]}}}, "capability may not be added"),
        ({"container": {"seccompProfile": {"type": "Unconfined"}}}, "seccompProfile: Forbidden"),
    ],
)
def test_what_is_not_restricted_is_refused(
    lab: Lab, home: str, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message) as raised:
        lab.dry_run(pod(home, **spec))
    assert SCC in str(raised.value)


def test_every_namespace_has_another_range(lab: Lab) -> None:
    with namespaces(lab, 3) as names:
        ranges = {uid_range(lab, name) for name in names}
    assert len(ranges) == 3


def test_a_pod_waits_for_its_namespaces_range(lab: Lab) -> None:
    """Right after the namespace a pod is refused; its controller comes again."""
    name = f"lab-test-{uuid.uuid4().hex[:8]}"
    template = {
        "metadata": {"labels": {"app": "p"}},
        "spec": {**pod(name)["spec"], "serviceAccountName": "own"},
    }
    bare = pod(name, serviceAccountName="own")
    try:
        with pytest.raises(
            Refused, match=r"unable to find annotation openshift\.io/sa\.scc\.uid-range"
        ):
            lab.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
                {
                    "apiVersion": "v1",
                    "kind": "ServiceAccount",
                    "metadata": {"name": "own", "namespace": name},
                },
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "metadata": {"name": "p", "namespace": name},
                    "spec": {"selector": {"matchLabels": {"app": "p"}}, "template": template},
                },
                bare,
            )

        def users() -> list[int]:
            items = json.loads(lab.kubectl("get", "pods", "-n", name, "-o", "json"))["items"]
            return [item["spec"]["containers"][0]["securityContext"]["runAsUser"] for item in items]

        assert eventually(users, 30) == [int(uid_range(lab, name).split("/")[0])]
    finally:
        lab.kubectl("delete", "namespace", "--wait=false", name)


def test_no_pod_slips_through_as_its_namespaces_range_appears(
    client: _client.Client, namespace: str
) -> None:
    """One policy fills in and another checks, and the range may come between the two."""
    home = f"/api/v1/namespaces/{namespace}"
    annotation = "openshift.io/sa.scc.uid-range"
    given = client.get(home)["metadata"]["annotations"][annotation]
    over = threading.Event()

    def flicker() -> None:
        while not over.is_set():
            for value in (None, given):
                body = {"metadata": {"annotations": {annotation: value}}}
                kind = "application/merge-patch+json"
                client.request("PATCH", home, body=body, content_type=kind)

    def create(_number: int) -> list[bool]:
        path = f"{home}/pods"
        made = client.request("POST", path, query={"dryRun": "All"}, body=pod(namespace))[1]
        return ["runAsUser" in c["securityContext"] for c in made["spec"]["containers"]]

    eventually(lambda: client.find(f"{home}/serviceaccounts/default"))
    flickering = threading.Thread(target=flicker)
    flickering.start()
    try:
        answers = client.each(create, range(600), threads=4)
    finally:
        over.set()
        flickering.join()
    refused = [answer for answer in answers if isinstance(answer, _client.ApiError)]
    assert {error.status for error in refused} == {403}
    accepted = [answer for answer in answers if isinstance(answer, list)]
    assert accepted
    assert all(map(all, accepted)), f"{sum(not all(a) for a in accepted)} of {len(accepted)}"


def test_a_service_account_gets_its_pull_secret(lab: Lab, namespace: str) -> None:
    lab.create(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "own", "namespace": namespace},
        }
    )
    account = eventually(
        lambda: (found := lab.get("serviceaccount", "own", namespace)).get("imagePullSecrets")
        and found
    )
    (reference,) = account["imagePullSecrets"]
    assert lab.get("secret", reference["name"], namespace)["type"] == "kubernetes.io/dockercfg"


# -- configuration and storage -----------------------------------------------------------------------------------------
def test_cluster_configuration(lab: Lab) -> None:
    assert lab.get("infrastructure", "cluster")["status"]["platformStatus"]["type"] == "AWS"
    domain = lab.get("ingresses.config.openshift.io", "cluster")["spec"]["domain"]
    assert domain == lab.settings.apps_domain
    assert lab.get("clusterversion", "version")["status"]["desired"]["version"].startswith("4.")
    lab.get("oauth", "cluster")


def claim(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
    }


def test_the_default_class_waits_for_a_pod(lab: Lab, namespace: str) -> None:
    lab.create(claim(namespace, "data"))
    found = lab.get("pvc", "data", namespace)
    assert (found["spec"]["storageClassName"], found["status"]["phase"]) == ("gp3-csi", "Pending")


@pytest.fixture
def real_node(lab: Lab) -> None:
    if not lab.status["real_node"]:
        pytest.skip("the lab runs without its node")


def writer(lab: Lab, namespace: str, claim_name: str, script: str) -> dict[str, Any]:
    """A pod that runs a script with the claim's volume at /data."""
    image = next(name for name in lab.status["images"] if name.startswith(POSTGRES))
    item = pod(namespace, restartPolicy="Never")
    item["metadata"]["name"] = f"writer-{claim_name}"
    item["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}]
    item["spec"]["containers"][0] |= {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", "-ceu", script],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "1", "memory": "64Mi"},
        },
    }
    return item


@pytest.mark.usefixtures("real_node")
@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("default", {}),
        ("share", {"storageClassName": "nfs-client", "accessModes": ["ReadWriteMany"]}),
        ("virt", {"storageClassName": "ocs-storagecluster-ceph-rbd-virtualization"}),
    ],
)
def test_a_random_user_can_write_to_a_volume(
    lab: Lab, namespace: str, name: str, spec: dict[str, Any]
) -> None:
    script = "mkdir /data/userdata; echo kept >/data/userdata/x; chmod 700 /data/userdata; id -u; ls -ld /data"
    lab.create(claim(namespace, name, **spec), writer(lab, namespace, name, script))
    pod_name = f"writer-{name}"
    # A claim that is bound while the scheduler tries its pod is missed now and then: it looks again at such after five minutes.
    eventually(
        lambda: lab.get("pod", pod_name, namespace)["status"]["phase"] in ("Succeeded", "Failed"),
        360,
    )
    output = lab.kubectl("logs", "-n", namespace, pod_name)
    assert lab.get("pod", pod_name, namespace)["status"]["phase"] == "Succeeded", output
    assert output.splitlines()[0] == uid_range(lab, namespace).split("/")[0]
    volume = lab.get("pvc", name, namespace)["spec"]["volumeName"]
    folder = Path(lab.get("pv", volume)["spec"]["local"]["path"])
    assert (folder / "userdata/x").read_text() == "kept\n"
    lab.kubectl("delete", "-n", namespace, f"pod/{pod_name}", f"pvc/{name}")
    eventually(lambda: not folder.exists(), 60)


@pytest.mark.usefixtures("real_node")
def test_a_disk_grows_when_its_claim_asks_for_more(lab: Lab, namespace: str) -> None:
    lab.create(claim(namespace, "data"), writer(lab, namespace, "data", "true"))
    eventually(lambda: lab.get("pvc", "data", namespace)["status"]["phase"] == "Bound", 60)
    wanted = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    lab.kubectl("patch", "pvc", "data", "-n", namespace, "--type=merge", "-p", json.dumps(wanted))
    eventually(lambda: lab.get("pvc", "data", namespace)["status"]["capacity"]["storage"] == "2Gi")


@pytest.mark.usefixtures("real_node")
def test_a_disk_cannot_be_shared(lab: Lab, namespace: str) -> None:
    lab.create(
        claim(namespace, "data", accessModes=["ReadWriteMany"]),
        writer(lab, namespace, "data", "true"),
    )
    events = (
        "get",
        "events",
        "-n",
        namespace,
        "--field-selector=reason=ProvisioningFailed",
        "-o",
        "json",
    )
    (event,) = eventually(lambda: json.loads(lab.kubectl(*events))["items"], 30)
    assert "Volume capabilities not supported" in event["message"]


@pytest.mark.usefixtures("real_node")
def test_pods_are_served_as_they_become_ready_and_go(lab: Lab, namespace: str) -> None:
    image = next(name for name in lab.status["images"] if "model-server" in name)
    host = unique(lab)
    template = pod(namespace)["spec"]
    template["containers"][0] |= {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    web = service(namespace)
    web["spec"] = {
        "selector": {"app": "p"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
    }
    labels = {"labels": {"app": "p"}}
    lab.create(
        web,
        route(namespace, "r", host),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "p", "namespace": namespace},
            "spec": {
                "selector": {"matchLabels": labels["labels"]},
                "template": {"metadata": labels, "spec": template},
            },
        },
    )
    eventually(lambda: lab.request(host, "/").status != 503, 90)
    lab.kubectl("scale", "deployment/p", "-n", namespace, "--replicas=0")
    eventually(lambda: lab.request(host, "/").status == 503, 60)


# -- plain Kubernetes --------------------------------------------------------------------------------------------------
def test_plain_kubernetes_has_none_of_openshift(plain: Lab) -> None:
    assert "openshift" not in plain.kubectl("api-versions")
    (default,) = json.loads(plain.kubectl("get", "storageclass", "-o", "json"))["items"]
    assert default["metadata"]["name"] == "standard"
    with namespaces(plain) as (name,):
        eventually(lambda: plain.get("serviceaccount", "default", name))
        made = plain.dry_run(pod(name, container={"runAsUser": 26}))
        assert made["spec"]["containers"][0]["securityContext"]["runAsUser"] == 26
        assert not uid_range(plain, name)


def test_an_ingress_is_served(plain: Lab) -> None:
    host = unique(plain)
    with namespaces(plain) as (name,), serving(plain) as port:
        backend = {"service": {"name": "web", "port": {"number": 4000}}}
        rule = {
            "host": host,
            "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
        }
        plain.create(
            service(name),
            endpoints(plain, name, port),
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {
                    "name": "web",
                    "namespace": name,
                    "annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "1"},
                },
                "spec": {"rules": [rule], "tls": [{"hosts": [host]}]},
            },
        )

        def address() -> Any:
            found = plain.get("ingress", "web", name)
            assert found["spec"]["ingressClassName"] == "lab"
            return found.get("status", {}).get("loadBalancer", {}).get("ingress")

        assert eventually(address) == [{"ip": plain.settings.router_address}]
        eventually(lambda: plain.request(host).status == 200)
        assert plain.request(host, tls=False).headers["location"] == f"https://{host}/"
        assert plain.request(host, "/sleep/3").status == 504
