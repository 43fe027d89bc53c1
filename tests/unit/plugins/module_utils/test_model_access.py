# SPDX-License-Identifier: MIT
"""Names of models in keys, and the lists that may forbid them."""

from __future__ import annotations

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _key_call
from ansible_collections.rhpds.litemaas.plugins.module_utils import _model_access as access
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


def item(name: str, model: str, **info: object) -> dict[str, object]:
    return {"model_name": name, "litellm_params": {"model": model}, "model_info": info}


LISTED = [
    item("granite", "openai/granite-3-8b"),
    item("small", "openai/mistral-7b"),
    item("large", "openai/mistral-7b"),
    item("anthropic/*", "anthropic/*"),
    item("grouped", "openai/g", access_groups=["beta"]),
    item("embed", "openai/nomic", mode="embedding"),
]
SERVED = access.Served.of(LISTED)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (["granite"], ["granite"]),
        (["openai/granite-3-8b"], ["granite"]),
        (["granite-3-8b"], ["granite"]),
        (["openai/granite"], ["granite"]),
        (["openai/granite-3-8b", "granite"], ["granite"]),
        (["anthropic/claude"], ["anthropic/claude"]),
        (["all-team-models"], ["all-team-models"]),
        (["beta"], ["beta"]),
        (["mine"], ["mine"]),
        ([], []),
    ],
)
def test_names_are_found(asked: list[str], names: list[str]) -> None:
    resolved = access.resolve(asked, SERVED, ["mine"])
    assert (resolved.names, resolved.problems) == (names, [])
    assert bool(resolved.notes) is (asked[:1] != names[:1])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("openai/mistral-7b", "it could be large or small: say which"),
        ("granit", "did you mean granite?"),
        ("openai/granit", "did you mean granite?"),
        ("nothing", "which serves anthropic/*, embed, granite, grouped, large, small"),
    ],
)
def test_names_are_refused_with_the_candidates(asked: str, said: str) -> None:
    resolved = access.resolve([asked], SERVED)
    assert said in resolved.problems[0] and resolved.names == []


def test_a_gateway_without_models_is_named() -> None:
    assert "serves none" in access.resolve(["x"], access.Served.of([])).problems[0]


@pytest.mark.parametrize(
    ("allowed", "models", "missing", "widened"),
    [
        ([], ["granite"], [], None),
        (["all-proxy-models"], ["granite"], [], None),
        (["granite"], ["granite"], [], None),
        (["beta"], ["grouped"], [], None),
        (["anthropic/*"], ["anthropic/claude"], [], None),
        (["small"], ["granite"], ["granite"], ["small", "granite"]),
        (["no-default-models"], ["granite"], ["granite"], ["granite"]),
        (["no-default-models"], [], ["all-proxy-models"], ["all-proxy-models"]),
        (["small"], [], [], None),
        (["small"], ["all-team-models"], [], None),
    ],
)
def test_lists_of_users_and_teams(
    allowed: list[str], models: list[str], missing: list[str], widened: list[str] | None
) -> None:
    assert access.lacking(allowed, models, SERVED) == missing
    if widened:
        assert access.widened(allowed, missing) == widened
        assert access.lacking(widened, models, SERVED) == []


@pytest.mark.parametrize(
    ("models", "named", "expected"),
    [
        (["embed"], "", ("embed", "embedding")),
        ([], "", ("granite", "chat")),
        (["small", "granite"], "", ("small", "chat")),
        (["all-proxy-models"], "", ("granite", "chat")),
        ([], "embed", ("embed", "embedding")),
        (["anthropic/claude"], "anthropic/claude", ("anthropic/claude", "chat")),
    ],
)
def test_what_a_key_is_verified_with(
    models: list[str], named: str, expected: tuple[str, str]
) -> None:
    assert _key_call.choose(LISTED, models, named) == expected


def test_nothing_to_verify_with_is_said() -> None:
    with pytest.raises(LitemaasError, match="verify_model"):
        _key_call.choose([item("anthropic/*", "anthropic/*")], [])
