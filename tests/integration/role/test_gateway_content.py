# SPDX-License-Identifier: MIT
"""Models, teams, users and keys on real gateways: the release we deploy, and the one that the LiteMaaS application ships.

Two gateways for all tests of this file, deployed by the role at the same time. The tests of one gateway build on each
other in this order.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import runpy
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (  # noqa: F401
    _content_info,
    _content_module,
    _labels,
)

MODULES = "ansible_collections.rhpds.litemaas.plugins.modules"
VERSIONS = {"v1.106.0": "litemaas-new", "v1.81.0": "litemaas-old"}
KEY_SECRET = "litellm-virtual-keys"
PASSWORD_SECRET = "litellm-user-passwords"
SECRETS = ("sk-canary-model-one", "sk-canary-model-two", "Canary-word-1234")


def _as_on_a_target():
    """Undo that a test before this one imported the controller's side, where a warning is displayed, not returned."""
    with contextlib.suppress(ImportError):  # ansible-core below 2.19 knows no such switch
        from ansible.module_utils import _internal

        _internal.is_controller = False


def forked(kubeconfig, name, options, *, check=False, diff=False):
    """Run a module as `run_module` does, in a process that has imported everything already.

    Nearly all the time of so many runs would be the start of Python.
    """
    internal = {"_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_version": ""}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **internal}}).encode())
        given.seek(0)
        child = os.fork()
        if not child:
            code = 1
            try:
                os.environ["KUBECONFIG"] = kubeconfig
                sys.argv = [name]
                sys.stdin = io.TextIOWrapper(given)
                sys.stdout = sys.stderr = io.TextIOWrapper(told, write_through=True)
                _as_on_a_target()
                runpy.run_module(f"{MODULES}.{name}", run_name="__main__", alter_sys=True)
            except SystemExit as end:
                code = int(end.code or 0)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told.seek(0)
        text = told.read().decode()
    result = json.loads(text)
    assert bool(status) == bool(result.get("failed")), text
    return result


class Managed:
    """One gateway, managed by the modules and asked as its clients do."""

    def __init__(self, version, kubeconfig, client, *, gateway, models_url):
        self.version, self.namespace = version, VERSIONS[version]
        self.old = version == "v1.81.0"
        self._kubeconfig, self.client, self.models_url = kubeconfig, client, models_url
        self.gateway, self.url = gateway, gateway.url

    def module(self, module, *, check=False, diff=True, **options):
        where = {
            "gateway_namespace": self.namespace,
            "gateway_url": self.url,
            "gateway_timeout": 60,
        }
        if module in ("gateway_content", "litellm_info"):
            where = {
                "gateways": [{"namespace": self.namespace, "expose": "route", "url": self.url}]
            }
            where["gateway_timeout"] = 60
        given = {**where, **options}
        result = forked(self._kubeconfig, module, given, check=check, diff=diff)
        text = json.dumps(result)
        assert not any(secret in text for secret in SECRETS), text
        return result

    def action(self, kind, *, check=False, **options):
        """The action of a module that manages one object, which must agree with `changed`."""
        result = self.module(f"litellm_{kind}", check=check, **options)
        assert not result.get("failed"), result
        assert result["changed"] is (result[kind]["action"] != "unchanged")
        assert bool(result.get("diff")) is result["changed"]
        return result[kind]["action"]

    def refused(self, kind, **options):
        result = self.module(f"litellm_{kind}", **options)
        assert result.get("failed"), result
        return result["msg"]

    def each_step(self, kind, first, second, gone):
        """Predicted, made, unchanged, changed in place, unchanged, removed, absent."""
        assert self.action(kind, check=True, **first) == "created"
        assert self.action(kind, **first) == "created"
        assert self.action(kind, check=True, **first) == "unchanged"
        assert self.action(kind, **first) == "unchanged"
        assert self.action(kind, check=True, **second) == "updated"
        assert self.action(kind, **second) == "updated"
        assert self.action(kind, **second) == "unchanged"
        assert self.action(kind, check=True, state="absent", **gone) == "deleted"
        assert self.action(kind, state="absent", **gone) == "deleted"
        assert self.action(kind, state="absent", **gone) == "unchanged"

    def model(self, name="tale", **changes):
        return {
            "name": name,
            "model": "openai/lab-model",
            "api_base": self.models_url,
            "api_key": SECRETS[0],
            "parameters": {"rpm": 900, "input_cost_per_token": 0.003},
            **changes,
        }

    def admin(self, method, path, body=None):
        status, answer = self.gateway.call(method, path, body)
        assert status == 200, answer
        return answer

    def listed(self, kind):
        return self.module("litellm_info", diff=False, gather=[kind])["gateways"][0][kind]

    def key_values(self, secret=KEY_SECRET):
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{secret}"
        found = self.client.find(path) or {}
        return {k: base64.b64decode(v).decode() for k, v in (found.get("data") or {}).items()}

    def enters(self, name, password):
        """Whether somebody gets into the web UI, and need not choose another password first."""
        return self.gateway.enter(name, password)

    def chat(self, key, model="tale"):
        messages = [{"role": "user", "content": "hello"}]
        body = {"model": model, "messages": messages, "max_tokens": 5}
        return self.gateway.call("POST", "/v1/chat/completions", body, key)


@pytest.fixture(scope="module")
def gateways(play, kubeconfig, client, gateway, model_server):
    """Both gateways by version."""

    def deploy(version):
        name = VERSIONS[version]
        run = play(
            namespace=name,
            route_name=name,
            litellm_tag=version,
            litellm_cpu_limit="2000m",
            allow_unsafe_image=version == "v1.81.0",
        )
        assert run.rc == 0, run.text
        asked = gateway(run.user_data())
        return Managed(version, kubeconfig, client, gateway=asked, models_url=model_server)

    try:
        with ThreadPoolExecutor() as pool:
            yield dict(zip(VERSIONS, pool.map(deploy, VERSIONS), strict=True))
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: play(namespace=name, remove=True), VERSIONS.values()))


@pytest.fixture(params=VERSIONS, scope="module")
def managed(request, gateways):
    return gateways[request.param]


def test_an_empty_gateway_is_listed(managed):
    # LiteLLM answers its list of models with status 500 until it has had one.
    assert managed.listed("models") == []


def test_a_model_is_made_changed_in_place_and_removed(managed):
    first, gone = managed.model(), {"name": "tale"}
    second = managed.model(parameters={"rpm": 800, "input_cost_per_token": 0.003}, mode="chat")
    managed.each_step("model", first, second, gone)


def test_what_litellm_cannot_clear_is_made_anew_under_the_same_id(managed):
    model = managed.model()
    assert managed.action("model", **model) == "created"
    before = managed.listed("models")
    fewer = managed.model(parameters={"input_cost_per_token": 0.003})
    without_key = {**fewer, "api_key": None}
    assert "give its api_key" in managed.refused("model", **without_key)
    assert managed.action("model", check=True, **fewer) == "replaced"
    assert managed.action("model", **fewer) == "replaced"
    assert managed.action("model", **fewer) == "unchanged"
    after = managed.listed("models")
    assert [model["id"] for model in after] == [model["id"] for model in before]
    assert "rpm" not in after[0]["parameters"]
    # A number, though 1.81 returns text.
    assert after[0]["parameters"]["input_cost_per_token"] == 0.003


def test_a_changed_credential_is_noticed(managed):
    model = managed.model(parameters={"input_cost_per_token": 0.003})
    assert managed.action("model", **{**model, "api_key": SECRETS[1]}) == "updated"
    assert managed.action("model", **{**model, "api_key": SECRETS[1]}) == "unchanged"
    assert managed.action("model", **{**model, "api_key": None}) == "unchanged"


def test_a_credential_comes_out_of_a_secret(managed):
    model = managed.model("from-secret", api_key=None)
    lost = {"name": "nowhere", "key": "token"}
    assert "does not exist" in managed.refused("model", **model, api_key_secret=lost)
    path = f"/api/v1/namespaces/{managed.namespace}/secrets/credentials-of-a-model"
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "credentials-of-a-model", "namespace": managed.namespace},
        "data": {"token": base64.b64encode(SECRETS[0].encode()).decode()},
    }
    managed.client.apply(path, body, field_manager="tests")
    source = {"name": "credentials-of-a-model", "key": "token"}
    assert managed.action("model", **model, api_key_secret=source) == "created"
    assert managed.action("model", **model, api_key_secret=source) == "unchanged"
    assert managed.action("model", name="from-secret", state="absent") == "deleted"


def test_a_second_model_of_a_name_is_no_accident(managed):
    body = {"model_name": "theirs", "litellm_params": {"model": "openai/x", "api_key": "x"}}
    made = managed.admin("POST", "/model/new", body)["model_id"]
    said = managed.refused("model", **managed.model("theirs"))
    assert "made by others" in said and made in said
    assert managed.action("model", **managed.model("theirs", id=made)) == "updated"
    assert managed.action("model", name="theirs", id=made, state="absent") == "deleted"


def test_a_team_is_made_changed_cleared_and_removed(managed):
    first = {
        "alias": "students",
        "models": ["tale"],
        "max_budget": 5,
        "budget_duration": "30d",
        "tpm_limit": 1000,
        "metadata": {"room": 1},
    }
    second = {
        "alias": "students",
        "models": [],
        "max_budget": -1,
        "budget_duration": "-1",
        "tpm_limit": -1,
        "metadata": {"floor": 2},
        "blocked": True,
    }
    managed.each_step("team", first, second, {"alias": "students"})


def test_a_team_that_somebody_made_is_taken_by_its_alias(managed):
    made = managed.admin("POST", "/team/new", {"team_alias": "found"})["team_id"]
    assert managed.action("team", alias="found", max_budget=3) == "updated"
    assert managed.action("team", alias="found", max_budget=3) == "unchanged"
    other = managed.admin("POST", "/team/new", {"team_alias": "found"})["team_id"]
    said = managed.refused("team", alias="found", max_budget=4)
    assert "2 teams" in said and made in said and other in said
    for id in (made, other):
        assert managed.action("team", id=id, alias="found", state="absent") == "deleted"


def test_a_user_is_made_changed_and_removed(managed):
    first = {"id": "ann", "email": "ann@example.com", "max_budget": 3, "models": ["tale"]}
    # An empty list: LiteLLM answers an update with one by 200 and ignores it.
    second = {**first, "max_budget": 4, "rpm_limit": 7, "models": []}
    managed.each_step("user", first, second, {"id": "ann"})
    assert not [key for key in managed.listed("virtual_keys") if key["user_id"] == "ann"]


def test_a_budget_of_a_user_is_cleared_or_the_release_cannot(managed):
    assert managed.action("user", id="ben", max_budget=3) == "created"
    if managed.old:
        said = managed.refused("user", id="ben", max_budget=-1)
        assert "accepted a change of max_budget and did not make it" in said
    else:
        assert managed.action("user", id="ben", max_budget=-1) == "updated"
        assert managed.action("user", id="ben", max_budget=-1) == "unchanged"
    managed.admin("POST", "/user/new", {"user_id": "c1", "user_email": "one@example.com"})
    said = managed.refused("user", id="c2", email="one@example.com")
    assert "user c2" in said and "already exists" in said.lower()


def test_a_user_enters_the_web_ui_with_the_password_that_was_set(managed):
    """On 1.106 too, which has users change a password that an administrator set before anything else."""
    user = {"id": "dan", "email": "dan@example.com", "metadata": {"room": 1}}
    assert managed.action("user", **user, login=True, check=True) == "created"
    assert managed.action("user", **user, login=True) == "created"
    password = managed.key_values(PASSWORD_SECRET)["dan"]
    assert managed.action("user", **user, login=True) == "unchanged"
    assert managed.action("user", **user, login=True, check=True) == "unchanged"
    assert managed.enters("dan@example.com", password)
    assert not managed.enters("dan@example.com", "Wrong-word-1234")

    chosen = {**user, "login_password": SECRETS[2], "user_alias": "Dan"}
    assert managed.action("user", **chosen, check=True) == "updated"
    assert managed.action("user", **chosen) == "updated"
    assert managed.action("user", **chosen) == "unchanged"
    assert managed.enters("dan@example.com", SECRETS[2])
    assert not managed.enters("dan@example.com", password)
    assert managed.key_values(PASSWORD_SECRET) == {"dan": SECRETS[2]}
    (live,) = [each for each in managed.listed("users") if each["user_id"] == "dan"]
    assert live["metadata"]["room"] == 1

    assert "has no user_email" in managed.refused("user", id="eve", login=True)
    if not managed.old:
        said = managed.refused("user", id="eve", email="eve", login_password="too-short")
        assert "Password does not meet the required policy" in said
        assert managed.action("user", id="eve", state="absent") == "deleted"
    assert managed.action("user", id="dan", state="absent") == "deleted"
    assert managed.key_values(PASSWORD_SECRET) == {}


def test_the_members_of_a_team_are_those_that_are_declared(managed):
    members = [{"id": "fay"}, {"id": "gus"}]
    content = {
        "users": [{"id": "fay"}, {"id": "gus"}, {"id": "hal"}],
        "teams": [{"alias": "crew", "members": members}],
    }
    assert managed.module("gateway_content", **content)["changed"]
    assert not managed.module("gateway_content", **content)["changed"]

    def live():
        found = managed.admin("GET", "/team/info?team_id=crew")["team_info"]["members_with_roles"]
        return {m["user_id"]: m["role"] for m in found if m["user_id"] != "default_user_id"}

    assert live() == {"fay": "user", "gus": "user"}
    boss = [{"id": "fay"}, {"id": "gus", "role": "admin"}]
    assert "premium feature" in managed.refused("team", alias="crew", members=boss)
    members[:] = [{"id": "gus"}, {"id": "hal"}]
    assert managed.action("team", **content["teams"][0], check=True) == "updated"
    assert managed.action("team", **content["teams"][0]) == "updated"
    assert managed.action("team", **content["teams"][0]) == "unchanged"
    assert live() == {"gus": "user", "hal": "user"}
    for kind in content.values():
        for spec in kind:
            spec |= {"state": "absent"}
    del content["teams"][0]["members"]
    assert managed.module("gateway_content", **content)["changed"]
    assert not managed.module("gateway_content", **content)["changed"]


def test_what_an_earlier_run_made_and_nobody_declares_is_named_or_removed(managed):
    mark = {"made_for": "class"}

    def declared(*names):
        return {
            "surplus_metadata": mark,
            "users": [
                {"id": name, "email": name, "login": True, "metadata": mark} for name in names
            ],
            "teams": [
                {"alias": name, "members": [{"id": name}], "metadata": mark} for name in names
            ],
            "virtual_keys": [
                {"alias": name, "team": name, "user": name, "metadata": mark} for name in names
            ],
        }

    first = managed.module("gateway_content", **declared("one", "two", "three"))
    assert not first.get("failed"), first["msg"]
    assert [key["key_alias"] for key in first["gateways"][0]["virtual_keys"]] == [
        *("one", "two", "three")
    ]
    fewer = managed.module("gateway_content", **declared("one"))
    assert not fewer["changed"]
    surplus = fewer["gateways"][0]["surplus"]
    assert [(each["kind"], each["name"], each["action"]) for each in surplus] == [
        (kind, name, "kept") for kind in ("key", "team", "user") for name in ("two", "three")
    ]
    asked = {**declared("one"), "remove_surplus": True}
    assert managed.module("gateway_content", check=True, **asked)["changed"]
    removed = managed.module("gateway_content", **asked)
    assert not removed.get("failed"), removed["msg"]
    assert removed["changed"] and len(removed["gateways"][0]["surplus"]) == 6
    assert set(managed.key_values(PASSWORD_SECRET)) == {"one"}
    assert not {"two", "three"} & set(managed.key_values())
    again = managed.module("gateway_content", **asked)
    assert (again["changed"], again["gateways"][0]["surplus"]) == (False, [])
    nobody = managed.module("gateway_content", surplus_metadata=mark, remove_surplus=True)
    assert len(nobody["gateways"][0]["surplus"]) == 3


def test_a_key_is_made_changed_and_removed(managed):
    first = {
        "alias": "steps",
        "models": ["tale"],
        "max_budget": 2,
        "tpm_limit": 50000,
        "max_parallel_requests": 4,
        "duration": "30d",
        "metadata": {"room": 1},
    }
    second = {
        "alias": "steps",
        "models": [],
        "max_budget": -1,
        "tpm_limit": -1,
        "max_parallel_requests": -1,
        "duration": "-1",
        "blocked": True,
    }
    managed.each_step("key", first, second, {"alias": "steps"})
    assert "steps" not in managed.key_values()


def test_a_key_works_and_stays_the_same(managed):
    options = {"alias": "lab", "models": ["tale"], "verify": True, "return_values": True}
    made = managed.module("litellm_key", **options)
    assert made["key"]["verified_model"] == "tale"
    value = managed.key_values()["lab"]
    assert made["key"]["value"] == value
    assert made["key"]["token"] == hashlib.sha256(value.encode()).hexdigest()
    status, answer = managed.chat(value)
    assert status == 200, answer
    again = managed.module("litellm_key", **options)
    assert (again["changed"], again["key"]["value"]) == (False, value)
    # Asked for by nobody, it is not returned.
    quiet = managed.module("litellm_key", alias="lab", models=["tale"])
    assert value not in json.dumps(quiet)
    stored = managed.client.get(f"/api/v1/namespaces/{managed.namespace}/secrets/{KEY_SECRET}")
    assert _labels.is_ours(stored, managed.namespace)


def test_another_way_to_the_gateway_is_the_api_server(managed):
    result = managed.module(
        "litellm_key", gateway_url=None, alias="lab", models=["tale"], verify=True
    )
    assert result["gateway"]["via"] == "proxy"
    assert (result["changed"], result["key"]["verified_model"]) == (False, "tale")


def test_an_upstream_id_in_a_key_is_the_public_name(managed):
    # The first cause: what LiteLLM itself makes of such a key.
    body = {"key_alias": "raw", "models": ["openai/lab-model"]}
    raw = managed.admin("POST", "/key/generate", body)["key"]
    status, answer = managed.chat(raw)
    assert status in (401, 403) and answer["error"]["type"] == "key_model_access_denied"
    made = managed.module("litellm_key", alias="fixed", models=["openai/lab-model"], verify=True)
    assert made["key"]["models"] == ["tale"] and made["key"]["verified_model"] == "tale"
    said = managed.refused("key", alias="unknown", models=["openai/tail"])
    assert "openai/tail is no model of the gateway" in said and "did you mean tale?" in said
    assert "unknown" not in managed.key_values()


def test_a_list_of_the_user_that_forbids_all_is_repaired_or_explained(managed):
    # The second cause: what LiteLLM's own form sends for a new user when nothing is chosen.
    managed.admin("POST", "/user/new", {"user_id": "invited", "models": ["no-default-models"]})
    body = {"key_alias": "refused", "models": ["tale"], "user_id": "invited"}
    raw = managed.admin("POST", "/key/generate", body)["key"]
    status, answer = managed.chat(raw)
    assert status in (401, 403) and "model_access_denied" in answer["error"]["type"], answer
    key = {"alias": "personal", "models": ["tale"], "user": "invited"}
    said = managed.refused("key", **key, repair_access=False)
    assert "its user invited may only use no-default-models, not tale" in said
    repaired = managed.module("litellm_key", **key, verify=True)
    assert repaired["key"]["verified_model"] == "tale", repaired
    assert [user["user_id"] for user in repaired["gateway"]["users"]] == ["invited"]
    assert managed.chat(managed.key_values()["personal"])[0] == 200
    assert managed.action("key", **key) == "unchanged"


def test_a_list_of_the_team_that_lacks_the_model(managed):
    assert managed.action("team", alias="readers", models=["another"]) == "created"
    key = {"alias": "reader", "models": ["tale"], "team": "readers"}
    declared = {"teams": [{"alias": "readers", "models": ["another"]}], "virtual_keys": [key]}
    said = managed.module("gateway_content", **declared)["msg"]
    assert "its team readers may only use another, not tale: correct the models" in said
    assert managed.module("litellm_key", **key, verify=True)["key"]["verified_model"] == "tale"
    assert "no team nobody" in managed.refused("key", alias="x", models=["tale"], team="nobody")


def test_a_refusal_is_told_in_the_words_of_the_gateway(managed):
    said = managed.refused("key", alias="lab", models=["tale"], blocked=True, verify=True)
    assert "refuses a request for the model tale" in said and "blocked" in said.lower()
    assert managed.action("key", alias="lab", models=["tale"], blocked=False) == "updated"


def test_rotating_a_key_leaves_the_others(managed):
    before = managed.key_values()
    result = managed.module("litellm_key", alias="lab", models=["tale"], rotate=True, verify=True)
    assert result["key"]["action"] == "replaced"
    after = managed.key_values()
    assert {k for k in before if before[k] != after[k]} == {"lab"}
    assert managed.chat(after["fixed"])[0] == 200


def test_a_lost_value_is_made_anew_and_a_key_of_others_is_not(managed):
    path = f"/api/v1/namespaces/{managed.namespace}/secrets/{KEY_SECRET}"
    managed.client.delete(path)
    assert managed.action("key", alias="lab", models=["tale"], verify=True) == "replaced"
    assert "made by others" in managed.refused("key", alias="raw", models=["tale"])
    assert managed.action("key", alias="raw", models=["tale"], rotate=True) == "replaced"


def test_a_spent_budget_is_the_refusal_of_the_gateway(managed):
    key = {"alias": "poor", "models": ["tale"], "max_budget": 0.0000001}
    assert managed.action("key", **key) == "created"
    value = managed.key_values()["poor"]
    end = time.monotonic() + 90
    status, answer = managed.chat(value)
    while status == 200:  # what was spent is written down some seconds later
        assert time.monotonic() < end, "the budget was never exceeded"
        time.sleep(1)
        status, answer = managed.chat(value)
    said = managed.refused("key", **key, verify=True)
    assert "Budget has been exceeded" in said and "Budget has been exceeded" in json.dumps(answer)


def test_every_page_of_keys_is_read(managed):
    keys = [{"alias": f"many-{number}", "models": ["tale"]} for number in range(103)]
    made = managed.module("gateway_content", virtual_keys=keys)
    assert not made.get("failed"), made["msg"]
    listed = {key["key_alias"] for key in managed.listed("virtual_keys")}
    assert {key["alias"] for key in keys} <= listed


def test_a_wrong_key_is_an_error_and_nothing_else(managed):
    wrong = {"gateway_key": "sk-wrong-0123456789abcdef", "gateway_retries": 0}
    said = managed.refused("key", alias="lab", models=["tale"], **wrong)
    assert "its answer to the key it is managed with" in said
    assert "sk-wrong" not in said


def test_many_gateways_and_one_that_is_not_there(gateways, run_module):
    places = [
        {"namespace": each.namespace, "url": each.url, "expose": "route"}
        for each in gateways.values()
    ]
    some = next(iter(gateways.values()))
    content = {
        "models": [some.model("shared")],
        "virtual_keys": [{"alias": "common", "models": ["shared"]}],
    }
    options = {"gateways": [*places, {"name": "ghost", "namespace": "no-such-place"}], **content}
    result = run_module("gateway_content", {**options, "gateway_timeout": 60})
    assert result["failed"] and "1 of 3 gateways" in result["msg"]
    assert "ghost: the Secret litellm-secret does not exist" in result["msg"]
    assert [each["failed"] for each in result["gateways"]] == [False, False, True]
    options["gateways"] = places
    assert run_module("gateway_content", {**options, "gateway_timeout": 60})["changed"] is False
    wrong = run_module("gateway_content", {**options, "models": [{"name": "a"}], "teams": [{}]})
    assert (
        "model a says nothing of where it is" in wrong["msg"]
        and "a team has neither" in wrong["msg"]
    )


def test_the_role_gives_every_gateway_what_its_variables_say(gateways, play, tmp_path):
    managed = gateways["v1.106.0"]
    where = {
        "namespace": managed.namespace,
        "route_name": managed.namespace,
        "litellm_cpu_limit": "2000m",
    }
    variables = {
        **where,
        "models": [managed.model("role-model")],
        # The name of earlier releases, in the form of LiteLLM's own configuration.
        "litellm_models": [
            {
                "model_name": "older-name",
                "litellm_params": {
                    "model": "openai/lab-model",
                    "api_base": managed.models_url,
                    "api_key": SECRETS[1],
                },
            }
        ],
        "teams": [{"alias": "class", "models": ["role-model"]}],
        "virtual_keys": [
            {"alias": "student", "models": ["role-model"], "team": "class", "verify": True}
        ],
    }
    first = play("-vvv", "--diff", output_dir=tmp_path, **variables).ok()
    data = first.user_data()
    assert not any(secret in first.text for secret in SECRETS)
    assert data["litemaas_models"] == "role-model"
    assert data["litemaas_api_base"] == f"{managed.url}/v1"
    key = data["litemaas_virtual_key"]
    assert key == managed.key_values()["student"]
    assert managed.chat(key, "role-model")[0] == 200
    assert {"role-model", "older-name"} <= {model["name"] for model in managed.listed("models")}

    again = play(output_dir=tmp_path, **variables).ok()
    assert again.recap["changed"] == 0
    assert again.user_data()["litemaas_virtual_key"] == key

    variables["virtual_keys"].append({"alias": "wrong", "models": ["nothing"]})
    failed = play(output_dir=tmp_path, **variables)
    assert failed.rc != 0
    assert "key wrong: nothing is no model of the gateway" in failed.stdout
    assert failed.user_data()["litemaas_virtual_key"] == key


@pytest.fixture(scope="module")
def manage(play, gateways):
    """manage("list_keys", …) runs the playbook for both gateways, its variables unprefixed."""

    def run(action, *flags, environment=None, **variables):
        given = {"namespaces": ",".join(each.namespace for each in gateways.values()), **variables}
        extra = {f"litemaas_manage_{name}": value for name, value in given.items()}
        extra["litemaas_manage_action"] = action
        return play(
            *flags,
            playbook="playbooks/manage_litemaas.yml",
            environment=environment,
            extra=extra,
        )

    return run


def test_what_a_model_server_serves_is_registered_and_answers(gateways, manage):
    some = next(iter(gateways.values()))
    servers = {"endpoints": f"{some.models_url}, https://model.invalid"}
    key = {"MODEL_API_KEY": SECRETS[0]}
    run = manage("discover_models", "-vvv", environment=key, **servers)
    assert run.rc != 0 and SECRETS[0] not in run.text
    # One server that is not there takes nothing from the other.
    assert "https://model.invalid: its host name does not resolve here" in run.stdout
    assert f"{some.models_url}  lab-model" in run.stdout
    assert "litemaas-new, litemaas-old:\nmodel  lab-model  created\n" in run.stdout
    for each in gateways.values():
        status, answer = each.chat(each.gateway.key, "lab-model")
        assert status == 200, answer
    servers["endpoints"] = some.models_url
    assert manage("discover_models", environment=key, **servers).ok().recap["changed"] == 0
    # Another credential, or none, is noticed.
    assert manage("discover_models", "--check", **servers).ok().recap["changed"] == 1


def test_models_are_added_listed_and_removed_everywhere(gateways, manage, tmp_path):
    some = next(iter(gateways.values()))
    assert "model  added  created" in manage("add_models", models=[some.model("added")]).ok().stdout
    file = tmp_path / "models.json"
    run = manage("list_models", format="json", file=str(file)).ok()
    assert run.recap["changed"] == 0
    for each in json.loads(file.read_text())["gateways"]:
        assert {"added", "lab-model"} <= {model["name"] for model in each["models"]}
    shown = manage("list_models", namespaces=some.namespace).ok().stdout
    assert re.search(rf"^added +openai/lab-model +chat +{some.models_url}$", shown, re.MULTILINE)
    assert "model  added  deleted" in manage("remove_models", models="added").ok().stdout
    for each in gateways.values():
        assert "added" not in {model["name"] for model in each.listed("models")}


def test_keys_are_issued_rotated_and_revoked_everywhere(gateways, manage):
    first = {each.namespace: each.key_values() for each in gateways.values()}
    keys = [{"alias": name, "models": ["lab-model"], "verify": True} for name in ("alpha", "beta")]
    run = manage("issue_keys", keys=keys).ok()
    assert (
        "value in the Secret litellm-virtual-keys, entry alpha  lab-model answers it" in run.stdout
    )
    issued = {each.namespace: each.key_values() for each in gateways.values()}
    for each in gateways.values():
        new = issued[each.namespace]
        assert set(new) - set(first[each.namespace]) == {"alpha", "beta"}
        assert not any(value in run.text for value in new.values())

    refused = manage("rotate_keys", keys="alpha, alhpa")
    assert refused.rc != 0 and "has no key alhpa; it has" in refused.stdout
    run = manage("rotate_keys", keys="alpha", show_values=True).ok()
    for each in gateways.values():
        old, new = issued[each.namespace], each.key_values()
        assert {name for name in old if old[name] != new.get(name)} == {"alpha"}
        assert new["alpha"] in run.stdout  # as was asked for
        assert each.chat(new["alpha"], "lab-model")[0] == 200
        assert each.chat(new["beta"], "lab-model")[0] == 200
        end = time.monotonic() + 75
        while each.chat(old["alpha"], "lab-model")[0] != 401:
            assert time.monotonic() < end, "the old value is still good"
            time.sleep(1)

    assert "key  alpha  deleted" in manage("revoke_keys", keys="alpha").ok().stdout
    listed = manage("list_keys").ok()
    for each in gateways.values():
        assert "alpha" not in each.key_values() and "beta" in each.key_values()
        assert f"{each.namespace}: " in listed.stdout
    assert "key   beta " in listed.stdout and "key   alpha " not in listed.stdout


def test_the_report_says_what_is_spent_and_what_is_exhausted(gateways, manage, tmp_path):
    # What was spent is written down in batches, ten to fifteen seconds later.
    file = tmp_path / "spend.json"
    end = time.monotonic() + 60
    while True:
        manage("report_spend", format="json", file=str(file)).ok()
        report = json.loads(file.read_text())
        poor = [
            key
            for each in report["gateways"]
            for key in each["virtual_keys"]
            if key["key_alias"] == "poor"
        ]
        assert len(poor) == len(gateways)
        if all(key["exhausted"] for key in poor):
            break
        assert time.monotonic() < end, poor
    for key in poor:
        assert key["spend"] >= key["max_budget"] and key["remaining"] == 0
    for each in report["gateways"]:
        assert each["spend"] == sum(key["spend"] for key in each["virtual_keys"]) > 0
    assert report["spend"] == sum(each["spend"] for each in report["gateways"])
    shown = manage("report_spend").ok().stdout
    assert len([line for line in shown.splitlines() if "poor" in line and "exhausted" in line]) == 2
    assert "2 gateways: " in shown and "USD spent in all" in shown


def test_nothing_is_changed_by_accident(gateways, manage):
    run = manage("revoke_keys", keys="beta", namespaces=[])
    assert run.rc != 0 and "or set litemaas_manage_all to true for all of them" in run.stdout
    # Others may be on the cluster, in whatever state: they are asked too, and have no such key.
    run = manage("revoke_keys", "--check", keys="beta", namespaces=[], all=True)
    assert "litemaas-new, litemaas-old:\nkey  beta  deleted\n" in run.stdout
    run = manage("revoke", format="yaml")
    assert run.rc != 0
    assert "litemaas_manage_action must be one of list_models" in run.stdout
    assert "litemaas_manage_format must be text or json, got yaml" in run.stdout
    assert "beta" in next(iter(gateways.values())).key_values()
