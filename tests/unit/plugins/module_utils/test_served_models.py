# SPDX-License-Identifier: MIT
"""What a list of models says, and which of it is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _served_models


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ["a", "b"]),
        ({"data": []}, []),
        ({"data": [{"name": "a"}]}, []),
        # The list of KServe's own protocol.
        ({"models": ["a"]}, None),
        ({"data": ["a"]}, None),
        (["a"], None),
        ("a page", None),
    ],
)
def test_the_list_of_models(answer: Any, names: list[str] | None) -> None:
    assert _served_models.names(answer) == names


@pytest.mark.parametrize(
    ("asked", "served", "names", "said"),
    [
        ((), ["a", "b"], ["a", "b"], ""),
        (("b",), ["a", "b"], ["b"], ""),
        (("openai/b", "b"), ["a", "b"], ["b"], ""),
        (
            ("granit", "b"),
            ["granite", "b"],
            ["b"],
            "does not serve granit; it serves granite, b. Did you mean granite?",
        ),
        (("x",), ["granite"], [], "does not serve x; it serves granite. Name one of these."),
        ((), [], [], "serves no model"),
    ],
)
def test_which_are_wanted(
    asked: tuple[str, ...], served: list[str], names: list[str], said: str
) -> None:
    found, problems = _served_models.chosen(asked, served, "https://m")
    assert found == names
    assert said in " ".join(problems) and bool(said) is bool(problems)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("granite-3-8b-instruct", "chat"),
        ("nomic-embed-text-v1.5", "embedding"),
        ("intfloat/multilingual-e5-large", "embedding"),
        ("BAAI/bge-m3", "embedding"),
    ],
)
def test_what_a_name_suggests(name: str, first: str) -> None:
    guesses = _served_models.guesses(name)
    assert guesses[0] == first and set(guesses) == {"chat", "embedding"}
