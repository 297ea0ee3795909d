"""The custody log's tree: every entry is proved by a path, and nothing else is."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.custody import Tree, proofs, root_from
from appliance.contract.errors import DigestError


def digests(count: int) -> list[str]:
    return [hashlib.sha256(str(n).encode()).hexdigest() for n in range(count)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])).digest()


def tree_of(leaves: list[str]) -> Tree:
    tree = Tree()
    for one in leaves:
        tree.add(one)
    return tree


@given(st.integers(0, 70))
def test_the_root_is_the_one_of_rfc_9162(count: int) -> None:
    leaves = digests(count)
    assert tree_of(leaves).root() == root_by_definition([bytes.fromhex(one) for one in leaves]).hex()


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_tree_goes_on_from_its_edge(first: int, more: int) -> None:
    leaves = digests(first + more)
    begun = tree_of(leaves[:first])
    again = Tree(begun.size, begun.edge)
    for one in leaves[first:]:
        again.add(one)
    assert (again.size, again.root()) == (first + more, tree_of(leaves).root())


@given(st.integers(1, 70), st.data())
def test_every_entry_is_proved_at_its_own_place_alone(size: int, data: st.DataObject) -> None:
    leaves = digests(size)
    wanted = data.draw(st.sets(st.integers(0, size - 1)))
    # the log goes on after the head was signed
    found = proofs([*leaves, *digests(3)], wanted, size)
    root = tree_of(leaves).root()
    assert set(found) == wanted
    for n, path in found.items():
        steps = [bytes.fromhex(one) for one in path]
        for place in range(size + 2):
            leads = root_from(bytes.fromhex(leaves[n]), place, size, steps)
            assert (leads is not None and leads.hex() == root) == (place == n)
        assert root_from(bytes.fromhex(leaves[n]), n, size, [*steps, bytes(32)]) is None
        assert root_from(bytes(32), n, size, steps) != bytes.fromhex(root)


def test_a_log_that_was_cut_gives_no_proof() -> None:
    with pytest.raises(DigestError, match="has 3 entries, and 4"):
        proofs(digests(3), [1], 4)
