"""Attack 68: a write that names writes which do not exist yet, or whose link does not match.

Refusing layer: merging (``model/merge.py``; record-model.md, Cell).
"""

from __future__ import annotations

import pytest

from casesync.model.cells import CellId
from casesync.model.merge import StreamState
from casesync.model.segment_body import Replacement, Write, decode_content, encode_content

CELLS = [CellId(b"\x01" * 16, 1, number, None, 0) for number in (1, 2)]
VICTIM, ATTACKER = 1, 2
TRUE_LINK, GUESS = b"true-lnk", b"a guess!"
ORDERS = [(VICTIM, ATTACKER), (ATTACKER, VICTIM)]


def run(order: tuple[int, int], link8: bytes, number: int = 1, forms: str = "same") -> set[int]:
    """The devices with live writes after both changes came in this order."""
    state = StreamState()
    for device in order:
        if device == VICTIM:
            body = encode_content(1, 1, [], [Write(cell, 3, "word") for cell in CELLS])
            state.apply(VICTIM, 1, 2, TRUE_LINK, decode_content(body), 1)
        else:
            cells = CELLS if forms == "same" else CELLS[:1]
            names = [Replacement(VICTIM, number, link8, 3)]
            body = encode_content(2, 1, names, [Write(cell, 3, None) for cell in cells])
            state.apply(ATTACKER, 1, 2, b"attacker", decode_content(body), 2)
    return {write.device for write in state.live_writes() if write.cell == CELLS[0]}


@pytest.mark.parametrize("forms", ["same", "other"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_wrong_link_replaces_nothing_in_either_order(order: tuple[int, int], forms: str) -> None:
    """Nobody can delete what does not exist yet: its link cannot be known."""
    assert run(order, GUESS, forms=forms) == {VICTIM, ATTACKER}


@pytest.mark.parametrize("forms", ["same", "other"])
@pytest.mark.parametrize("order", ORDERS)
def test_the_true_link_replaces_in_either_order(order: tuple[int, int], forms: str) -> None:
    """The same table with the right link does replace: the refusal above is the link's."""
    assert run(order, TRUE_LINK, forms=forms) == {ATTACKER}


@pytest.mark.parametrize("order", ORDERS)
def test_naming_another_number_under_a_true_link_replaces_nothing(order: tuple[int, int]) -> None:
    assert run(order, TRUE_LINK, number=2) == {VICTIM, ATTACKER}


def test_names_of_what_never_comes_do_not_slow_others_down() -> None:
    """A table of 4,096 names of nobody is kept apart from the devices that write here."""
    state = StreamState()
    names = [Replacement(device, 1, GUESS, 1) for device in range(10, 4106)]
    body = decode_content(encode_content(1, 1, names, [Write(CELLS[0], 3, None)]))
    state.apply(ATTACKER, 1, 2, b"attacker", body, 1)
    assert len(state.row[0]) == 1
