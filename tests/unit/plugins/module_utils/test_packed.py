# SPDX-License-Identifier: MIT
"""Long texts on their way to a module."""

from __future__ import annotations

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._packed import pack, unpack


@pytest.mark.parametrize("text", ["", "kind: Secret\n", "naïve: ☃\r\n\t", "a: b\n---\n" * 1000])
def test_a_packed_text_comes_out_as_it_was(text: str) -> None:
    packed = pack(text)
    assert unpack(packed) == text
    assert packed.isascii() and "\n" not in packed
    assert unpack(text) == text, "what was not packed stays as it is"


def test_many_that_are_alike_become_short() -> None:
    text = "".join(f"kind: Service\nmetadata: {{name: n{number}}}\n" for number in range(1000))
    assert len(pack(text)) < len(text) / 5
