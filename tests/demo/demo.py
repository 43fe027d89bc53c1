#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make demo`: from nothing to a chat completion through the Route of a gateway that the role deployed.

With KUBECONFIG set that cluster is used; without, the lab is brought up and the rest runs inside its view of the
network, where `*.apps.lab.test` has an address. A second run finds everything in place and only chats.

A model needs something behind it. On the lab that is its model server; elsewhere the endpoint named by
DEMO_API_BASE, DEMO_MODEL and DEMO_API_KEY, or, without those, an answer that LiteLLM itself gives (`mock_response`).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "lab" / "lab"
OUTPUT = ROOT / "tests" / "output" / "demo"
MODEL_SERVER = ROOT / "tests" / "lab" / "images" / "model-server" / "model-server.yaml"
INSIDE = "LITEMAAS_DEMO_LAB"
PREFIX = "ocp4_workload_litemaas_"
KEY_ALIAS = "litemaas-demo"
KEY_SECRET = "litemaas-demo-key"
QUESTION = "In one sentence: what is OpenShift?"

sys.path.insert(0, str(ROOT / "collections"))

STARTED = time.monotonic() - float(os.environ.get(INSIDE, "0"))
PHASES: list[tuple[str, float]] = []


def say(text: str) -> None:
    """One line, with the time since the start in front."""
    elapsed = int(time.monotonic() - STARTED)
    print(f"[demo {elapsed // 60}:{elapsed % 60:02d}] {text}", flush=True)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Say what begins, and remember how long it took."""
    say(name)
    start = time.monotonic()
    yield
    PHASES.append((name, time.monotonic() - start))


def bring_up_the_lab() -> int:
    """Without a cluster of the user's: start the lab, and this program again inside it."""
    start = time.monotonic()
    say(
        "KUBECONFIG is not set: bringing up a Kubernetes with OpenShift's side of it on this machine"
    )
    subprocess.run([LAB, "up"], check=True)
    return subprocess.run(
        [LAB, "run", "--", sys.executable, str(Path(__file__).resolve())],
        check=False,
        env={**os.environ, INSIDE: f"{time.monotonic() - start:.1f}"},
    ).returncode


def deploy() -> dict[str, Any]:
    """Run the playbook as a user would, and return what it hands to the catalog."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    command = ["ansible-playbook", "playbooks/deploy_litemaas.yml", "-e", f"output_dir={OUTPUT}"]
    say("$ " + " ".join(command[:2]))
    subprocess.run(command, cwd=ROOT, check=True)
    data = yaml.safe_load((OUTPUT / "provision-user-data.yaml").read_text(encoding="utf-8"))
    return dict(data)


def connect(data: dict[str, Any]) -> tuple[Any, Any, str]:
    """The API server, a function from key to gateway, and how that gateway is reached."""
    from ansible_collections.rhpds.litemaas.plugins.module_utils import (
        _client,
        _connection,
        _litellm,
    )

    client = _client.connect(dict.fromkeys(_connection.ARGUMENT_SPEC))
    if data["litemaas_url"].startswith("https://"):
        web = _litellm.Web(_litellm.ca_bundle(client))
        address = _litellm.AddressTransport(data["litemaas_url"], web)
        try:
            _litellm.Gateway(address).request("GET", "/health/readiness")
        except _litellm.GatewayError as error:
            say(f"  the gateway's address cannot be used from here: {error.message}")
        else:
            return (
                client,
                lambda key: _litellm.Gateway(address, key, timeout=120),
                "through the Route, TLS verified",
            )
    else:
        say("  nothing exposes the gateway outside the cluster")
    proxy = _litellm.ProxyTransport(client, data["litemaas_namespace"])
    by_proxy = "through the API server's proxy"
    return client, lambda key: _litellm.Gateway(proxy, key, timeout=120), by_proxy


def start_model_server(client: Any) -> dict[str, Any]:
    """Apply the lab's model server, wait until it is ready, and return the parameters of a model on it."""
    from ansible_collections.rhpds.litemaas.plugins.module_utils import _apply

    objects = [
        each for each in yaml.safe_load_all(MODEL_SERVER.read_text(encoding="utf-8")) if each
    ]
    _apply.apply(client, objects)
    path = "/apis/apps/v1/namespaces/models/deployments/model-server"
    end = time.monotonic() + 120
    while not client.get(path).get("status", {}).get("readyReplicas"):
        if time.monotonic() > end:
            raise SystemExit(
                "The model server is not ready after 2 minutes: tests/lab/lab run -- kubectl get pods -n models"
            )
        time.sleep(0.5)
    return {
        "model": "openai/lab-model",
        "api_base": "http://model-server.models.svc/v1",
        "api_key": "sk-lab-model-server",
    }


def add_model(gateway: Any, parameters: dict[str, Any]) -> str:
    """Register the model unless it is there, and return its public name."""
    name = parameters["model"].removeprefix("openai/")
    if name not in [each["id"] for each in gateway.request("GET", "/v1/models")["data"]]:
        body = {
            "model_name": name,
            "litellm_params": parameters,
            "model_info": {"id": f"litemaas-demo-{name}"},
        }
        gateway.request("POST", "/model/new", body)
    return name


def virtual_key(client: Any, gateway: Any, namespace: str, model: str) -> str:
    """The demo's key: made once, kept in a Secret, so that a second run uses the same."""
    path = f"/api/v1/namespaces/{namespace}/secrets/{KEY_SECRET}"
    stored = client.find(path)
    if stored:
        key = base64.b64decode(stored["data"]["key"]).decode()
    else:
        key = f"sk-{secrets.token_urlsafe(24)}"
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": KEY_SECRET, "namespace": namespace},
            "data": {"key": base64.b64encode(key.encode()).decode()},
        }
        client.apply(path, body, field_manager="litemaas-demo")
    found = gateway.request(
        "GET", "/key/list", query={"key_alias": KEY_ALIAS, "return_full_object": "true"}
    )
    models = found["keys"][0]["models"] if found["keys"] else []
    wanted = {"key_alias": KEY_ALIAS, "models": [*models, model], "key": key}
    if not found["keys"]:
        gateway.request("POST", "/key/generate", wanted)
    elif model not in models:
        gateway.request("POST", "/key/update", wanted)
    return key


def chat(gateway: Any, model: str) -> None:
    """One completion, and one that streams."""
    body = {"model": model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 100}
    start = time.monotonic()
    answer = gateway.request("POST", "/v1/chat/completions", body)
    say(f"  you:   {QUESTION}")
    say(
        f"  {model}: {answer['choices'][0]['message']['content']}  ({time.monotonic() - start:.2f} s)"
    )
    start, pieces, first = time.monotonic(), [], 0.0
    for event in gateway.stream("POST", "/v1/chat/completions", {**body, "stream": True}):
        choices = json.loads(event).get("choices") or [{}]
        piece = (choices[0].get("delta") or {}).get("content") or ""
        if piece:
            first = first or time.monotonic() - start
            pieces.append(piece)
    if not pieces:
        raise SystemExit("The streamed answer had no content.")
    say(f"  streamed: {''.join(pieces)}  ({len(pieces)} pieces, the first after {first:.2f} s)")


def parameters_of_a_model(client: Any) -> dict[str, Any]:
    """What stands behind the demo's model; see the top of this file."""
    if os.environ.get("DEMO_API_BASE"):
        return {
            "model": "openai/" + os.environ["DEMO_MODEL"],
            "api_base": os.environ["DEMO_API_BASE"],
            "api_key": os.environ.get("DEMO_API_KEY", "unused"),
        }
    if INSIDE in os.environ:
        return start_model_server(client)
    say("  no DEMO_API_BASE is set: LiteLLM itself answers for the model (mock_response)")
    return {
        "model": "openai/demo",
        "api_key": "unused",
        "mock_response": "A Kubernetes platform with everything a team needs.",
    }


def main() -> int:
    """The demo's phases, and how long each took."""
    if "KUBECONFIG" not in os.environ:
        return bring_up_the_lab()
    if INSIDE in os.environ:
        PHASES.append(("Bring up the lab", float(os.environ[INSIDE])))
    else:
        say(f"using the cluster of KUBECONFIG={os.environ['KUBECONFIG']}")

    with phase("Deploy LiteMaaS with the role"):
        data = deploy()
    client, gateway_with, way = connect(data)
    master = gateway_with(data["litemaas_api_key"])
    with phase("Add a model over the API"):
        model = add_model(master, parameters_of_a_model(client))
    with phase("Make a virtual key for it"):
        key = virtual_key(client, master, data["litemaas_namespace"], model)
    with phase(f"Chat with the virtual key, {way}"):
        chat(gateway_with(key), model)

    width = max(len(name) for name, _seconds in PHASES)
    print("\nHow long it took")
    for name, seconds in PHASES:
        print(f"  {name:<{width}}  {seconds:6.1f} s")
    print("\nHow to log in")
    print(f"  URL          {data['litemaas_url']}/ui")
    print(f"  User         {data['litemaas_username']}")
    print(f"  Password     {data['litemaas_password']}")
    print(f"  Master key   {data['litemaas_api_key']}")
    print(f"  Virtual key  {key}   (model {model})")
    if INSIDE in os.environ:
        status = json.loads(
            subprocess.run(
                [LAB, "status", "--json"], capture_output=True, text=True, check=True
            ).stdout
        )
        host = data["litemaas_url"].removeprefix("https://")
        print("\nFrom this machine, where the lab's names have no address of their own:")
        print(
            f"  curl --cacert {status['ca_file']} --resolve {host}:443:{status['router_address']} \\"
        )
        print(f"    {data['litemaas_url']}/v1/models -H 'Authorization: Bearer {key}'")
        print(
            "  make lab-down                        stops the lab; its data stays for the next time"
        )
    print(
        "\nTo remove it again: ansible-playbook playbooks/deploy_litemaas.yml -e ocp4_workload_litemaas_remove=true"
    )
    if INSIDE in os.environ:
        print("(on the lab: tests/lab/lab run -- ansible-playbook …)")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        sys.exit(
            f"[demo] {failed.cmd[0]} ended with {failed.returncode}; what went wrong stands above."
        )
    except Exception as failed:
        from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

        # The collection's own errors are sentences; anything else is a bug and keeps its traceback.
        if not isinstance(failed, LitemaasError):
            raise
        sys.exit(f"[demo] {failed}")
