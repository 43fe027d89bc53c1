# SPDX-License-Identifier: MIT
"""What is declared against what is there: teams, users, keys, models. No gateway is needed to decide."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content,
    _content_holder,
    _content_key,
    _content_model,
    _content_options,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._content_key import Stand
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

KEY = "sk-master"
VALUE = "sk-value"


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        (0.003, "0.003", True),
        (5, 5.0, True),
        (5, None, False),
        (True, 1, True),
        (True, "true", False),
        ({"a": 1}, {"a": "1", "b": None}, True),
        ([1, 2], ["1", "2"], True),
        ([1], [1, 2], False),
        ("x", "x", True),
        ("x", None, False),
    ],
)
def test_the_same_in_other_words(wanted: Any, found: Any, expected: bool) -> None:
    assert _content.same(wanted, found) is expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, []),
        (["b", "a", "b"], ["a", "b"]),
        (["all-proxy-models"], []),
        (["a", "*"], []),
        (["no-default-models"], ["no-default-models"]),
    ],
)
def test_allow_lists_have_one_form(listed: list[str] | None, expected: list[str]) -> None:
    assert _content.names(listed) == expected


@pytest.mark.parametrize(
    ("wanted", "found", "sent"),
    [
        ({"max_budget": None}, {"max_budget": 5.0}, {"max_budget": None}),
        ({"max_budget": None}, {}, {}),
        ({"max_budget": 5}, {"max_budget": 5.0}, {}),
        ({"models": []}, {"models": ["all-proxy-models"]}, {}),
        ({"models": []}, {"models": ["a"]}, {"models": []}),
        ({"models": ["a", "b"]}, {"models": ["b", "a"]}, {}),
        ({"metadata": {"a": 1}}, {"metadata": {"b": 2}}, {"metadata": {"a": 1, "b": 2}}),
        ({"metadata": {"b": None}}, {"metadata": {"a": 1, "b": 2}}, {"metadata": {"a": 1}}),
        ({"metadata": {"a": 1}}, {"metadata": {"a": 1, "b": 2}}, {}),
        ({"metadata": {"a": 1}}, {"metadata": None}, {"metadata": {"a": 1}}),
        ({"blocked": False}, {"blocked": None}, {"blocked": False}),
        ({"blocked": True}, {"blocked": False}, {"blocked": True}),
        ({"aliases": {}}, {"aliases": None}, {}),
    ],
)
def test_only_what_differs_is_sent(
    wanted: dict[str, Any], found: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert _content.fields(wanted, found) == sent


def test_below_zero_takes_a_limit_away() -> None:
    spec = {"max_budget": -1, "tpm_limit": 0, "rpm_limit": None, "budget_duration": "-1"}
    assert _content.limits(spec) == {"max_budget": None, "tpm_limit": 0, "budget_duration": None}


def test_a_team_without_an_id_has_its_alias() -> None:
    change = _content_holder.team({"team_alias": "t", "max_budget": 5.0}, None)
    assert (change.action, change.id) == ("created", "t")
    assert change.body == {"team_alias": "t", "team_id": "t", "max_budget": 5.0}


def test_a_team_that_was_found_by_its_alias_keeps_its_id() -> None:
    found = {"team_id": "uuid", "team_alias": "t", "max_budget": None}
    change = _content_holder.team({"team_alias": "t", "max_budget": 5.0}, found)
    assert (change.action, change.id, change.body) == ("updated", "uuid", {"max_budget": 5.0})


def test_a_user_may_use_all_in_words_that_an_update_heeds() -> None:
    change = _content_holder.user({"user_id": "u", "models": []}, {"models": ["a"]})
    assert change.body == {"models": ["all-proxy-models"]}
    again = _content_holder.user({"user_id": "u", "models": []}, {"models": ["all-proxy-models"]})
    assert again.action == "unchanged"


ANN = {"user_id": "ann", "user_email": "ann@example.com", "metadata": {"room": 7}}


def test_a_password_is_set_once_and_noted_as_a_hash() -> None:
    made = _content_holder.user(ANN, None, "Pass-word-1234", KEY)
    assert made.body["password"] == ("ann@example.com", "Pass-word-1234")
    seal = made.body["metadata"][_content_holder.SEAL]
    assert made.after["password"] == _content.HIDDEN
    assert made.after["metadata"] == {"room": 7} and seal not in str(made.after)

    live = {**ANN, "metadata": {"theirs": 1, **made.body["metadata"]}}
    assert not _content_holder.user(ANN, live, "Pass-word-1234", KEY).changes
    # What users choose themselves stays: only what is declared is compared.
    assert not _content_holder.user(ANN, live).changes
    changed = _content_holder.user(ANN, live, "Another-word-1", KEY)
    assert changed.action == "updated" and changed.body["password"].password == "Another-word-1"
    assert changed.body["metadata"]["theirs"] == 1
    assert (changed.before, changed.after) == (
        {"metadata": {"theirs": 1, "room": 7}, "password": _content.HIDDEN},
        {"metadata": {"theirs": 1, "room": 7}, "password": _content.CHANGED},
    )


def test_the_hash_of_a_password_tells_neither_it_nor_that_two_are_the_same() -> None:
    seals = {
        _content_holder.seal(id, "Pass-word-1234", key)
        for id in ("ann", "bob")
        for key in (KEY, "sk-other")
    }
    assert len(seals) == 4


def member(id: str, role: str = "user") -> dict[str, str]:
    return {"user_id": id, "role": role}


@pytest.mark.parametrize(
    ("wanted", "live", "members"),
    [
        ([member("ann")], None, ({"ann": "user"}, [], {})),
        ([member("ann")], [member("default_user_id", "admin")], ({"ann": "user"}, [], {})),
        ([member("ann")], [member("default_user_id", "admin"), member("ann")], None),
        ([{"user_id": "ann"}], [member("ann", "admin")], ({}, [], {"ann": "user"})),
        ([], [member("ann"), member("bob")], ({}, ["ann", "bob"], {})),
        (None, [member("ann")], None),
    ],
)
def test_the_members_of_a_team(wanted: Any, live: Any, members: Any) -> None:
    found = (
        None if live is None else {"team_id": "t", "team_alias": "t", "members_with_roles": live}
    )
    change = _content_holder.team({"team_alias": "t", "members": wanted}, found)
    assert change.body.get("members") == members
    assert change.action == ("unchanged" if not members else "updated" if found else "created")


def test_no_key_comes_with_a_user() -> None:
    assert _content_holder.user({"user_id": "u"}, None).body["auto_create_key"] is False


def found_key(**fields: Any) -> dict[str, Any]:
    return {
        "token": _content_key.token(VALUE),
        "key_alias": "k",
        "models": ["a"],
        "metadata": {"litemaas": "true"},
        "spend": 1.5,
        **fields,
    }


@pytest.mark.parametrize(
    ("spec", "found", "action", "body"),
    [
        ({}, found_key(), "unchanged", {}),
        ({"max_budget": 2.0}, found_key(), "updated", {"max_budget": 2.0}),
        # A lifetime is sent once: each time it is, it starts anew.
        (
            {"duration": "7d"},
            found_key(metadata={"litemaas": "true", "litemaas_duration": "7d"}, expires="x"),
            "unchanged",
            {},
        ),
        (
            {"duration": "8d"},
            found_key(metadata={"litemaas": "true", "litemaas_duration": "7d"}, expires="x"),
            "updated",
            {"metadata": {"litemaas": "true", "litemaas_duration": "8d"}, "duration": "8d"},
        ),
        ({"state": "absent"}, None, "unchanged", {}),
        ({"state": "absent"}, found_key(), "deleted", {}),
    ],
)
def test_a_key_in_place(
    spec: dict[str, Any], found: dict[str, Any] | None, action: str, body: dict[str, Any]
) -> None:
    change = _content_key.change({"key_alias": "k", **spec}, ["a"], Stand(found, VALUE), VALUE)
    assert (change.action, dict(change.body)) == (action, body)


def test_a_new_value_keeps_settings_and_spend() -> None:
    found = found_key(max_budget=3.0, user_id="u", expires="x")
    change = _content_key.change({"key_alias": "k"}, None, Stand(found, "sk-new"), "sk-new")
    assert change.action == "replaced"
    assert change.id == _content_key.token(VALUE)
    kept = {key: change.body[key] for key in ("key", "spend", "max_budget", "user_id", "models")}
    assert kept == {
        "key": "sk-new",
        "spend": 1.5,
        "max_budget": 3.0,
        "user_id": "u",
        "models": ["a"],
    }
    assert "sk-new" not in repr(change) and "sk-new" not in str((change.before, change.after))


def test_a_key_of_others_is_not_ended_by_accident() -> None:
    found = found_key(metadata={})
    with pytest.raises(LitemaasError, match="made by others"):
        _content_key.change({"key_alias": "k"}, None, Stand(found, ""), "sk-new")
    spec = {"key_alias": "k", "rotate": True}
    assert _content_key.change(spec, None, Stand(found, ""), "sk-new").action == "replaced"


def model(**spec: Any) -> _content_model.Model:
    return _content_model.read({"name": "m", "model": "openai/x", "api_base": "http://x", **spec})


def live(made: _content_model.Model, **parameters: Any) -> dict[str, Any]:
    """What a gateway returns of a model that was just made: no credentials, some defaults."""
    body = _content_model.change(made, [], KEY).body
    visible = {k: v for k, v in body["litellm_params"].items() if k not in made.credentials}
    return {
        "model_name": body["model_name"],
        "litellm_params": {**visible, "use_in_pass_through": False, **parameters},
        "model_info": {**body["model_info"], "db_model": True, "key": None},
    }


@pytest.mark.parametrize(
    ("before", "after", "action", "sent"),
    [
        ({}, {}, "unchanged", {}),
        ({"api_key": "k"}, {"api_key": "k"}, "unchanged", {}),
        ({"api_key": "k"}, {}, "unchanged", {}),
        ({"parameters": {"rpm": 5}}, {"parameters": {"rpm": "5"}}, "unchanged", {}),
        ({"parameters": {"rpm": 5}}, {"parameters": {"rpm": 6}}, "updated", {"rpm": 6}),
        ({"parameters": {"rpm": 5}}, {}, "replaced", None),
        ({"parameters": {"rpm": 5}}, {"parameters": {"rpm": None}}, "replaced", None),
        ({}, {"model": "openai/y"}, "updated", {"model": "openai/y"}),
    ],
)
def test_a_model_in_place(
    before: dict[str, Any], after: dict[str, Any], action: str, sent: dict[str, Any] | None
) -> None:
    change = _content_model.change(model(**after), [live(model(**before))], KEY)
    assert change.action == action
    if sent:
        assert sent.items() <= change.body["litellm_params"].items()


def test_numbers_that_come_back_as_text_are_no_change() -> None:
    made = model(parameters={"input_cost_per_token": 0.003})
    found = live(made, input_cost_per_token="0.003")
    assert _content_model.change(made, [found], KEY).action == "unchanged"


def test_a_changed_credential_shows_and_does_not_tell() -> None:
    change = _content_model.change(model(api_key="new"), [live(model(api_key="old"))], KEY)
    assert change.action == "updated"
    assert change.body["litellm_params"]["api_key"] == "new"
    assert (change.before["credentials"], change.after["credentials"]) == ("***", "*** (changed)")
    seal = change.body["model_info"][_content_model.SEAL]
    assert seal != _content_model.seal(model(api_key="new"), "another key")


def test_a_model_is_not_made_anew_without_its_credential() -> None:
    found = live(model(api_key="k", parameters={"rpm": 5}))
    with pytest.raises(LitemaasError, match="give its api_key"):
        _content_model.change(model(), [found], KEY)


def test_a_model_of_the_configuration_is_left_alone() -> None:
    found = live(model())
    found["model_info"]["db_model"] = False
    with pytest.raises(LitemaasError, match="configuration file"):
        _content_model.change(model(), [found], KEY)


def test_a_second_model_of_a_name_needs_an_id() -> None:
    other = {"model_name": "m", "litellm_params": {}, "model_info": {"id": "theirs"}}
    with pytest.raises(LitemaasError, match=r"made by others \(id theirs\)"):
        _content_model.change(model(), [other], KEY)
    assert _content_model.change(model(id="mine"), [other], KEY).action == "created"


def test_the_form_of_litellms_own_configuration_is_understood() -> None:
    spec = {
        "model_name": "m",
        "litellm_params": {"model": "openai/x", "api_base": "http://x", "api_key": "k", "rpm": 5},
        "model_info": {"id": "mine", "mode": "chat"},
    }
    read = _content_model.read(spec)
    assert (read.name, read.id, read.credentials) == ("m", "mine", {"api_key": "k"})
    assert read.parameters == {"model": "openai/x", "api_base": "http://x", "rpm": 5}
    assert read.info == {"mode": "chat"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("api_key", True),
        ("aws_secret_access_key", True),
        ("vertex_credentials", True),
        ("azure_ad_token", True),
        ("input_cost_per_token", False),
        ("max_tokens", False),
    ],
)
def test_credentials_are_known_by_name(name: str, expected: bool) -> None:
    assert _content_model.is_secret(name) is expected


def test_users_and_members_that_cannot_be() -> None:
    content = {
        "users": [{"user_id": "ann", "login": True}, {"user_id": "bob", "state": "absent"}],
        "teams": [{"team_alias": "t", "members": [{"user_id": "bob"}, {"user_id": "cy"}] * 2}],
    }
    said = " ".join(_content_options.problems(content))
    assert "user ann is to enter the web UI and has no user_email" in said
    assert "team t has the member bob, who is to be absent" in said
    assert "team t: member cy stands there 2 times" in said


def test_everything_wrong_is_said_at_once_and_no_secret() -> None:
    content = {
        "models": [
            {"name": "a"},
            {"name": "b", "model": "openai/b", "api_key": "sk-secret", "api_key_secret": {}},
            {"name": "b", "model": "openai/b2"},
            {"name": "c", "model": "x", "api_key": "sk-secret", "api_key_secret": {"name": "s"}},
        ],
        "teams": [{}, {"team_alias": "t", "state": "absent"}],
        "users": [{"user_id": "u"}, {"user_id": "u"}],
        "virtual_keys": [
            {"key_alias": "k", "value": "canary"},
            {"key_alias": "k"},
            {"key_alias": "l", "team_id": "t"},
        ],
    }
    found = "\n".join(_content_options.problems(content))
    assert found.count("\n") == 7
    for text in (
        "model a says nothing of where it is",
        "model b stands there 2 times",
        "model c has both",
        "a team has neither",
        "user u stands there 2 times",
        "key k stands there 2 times",
        "must begin with sk-",
        "in the team t, which is to be absent",
    ):
        assert text in found
    assert "canary" not in found and "sk-secret" not in found
