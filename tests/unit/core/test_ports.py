"""Ports of this machine."""

from __future__ import annotations

import socket

from harness.core import ports


def test_the_preferred_port_is_chosen_if_it_is_free() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        taken: int = listening.getsockname()[1]
        assert not ports.is_free(taken)
        another = ports.free(taken)
        assert another != taken
        assert ports.is_free(another)
    assert ports.free(taken) == taken
