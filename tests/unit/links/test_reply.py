"""What a peer says of an error is for people, and never for their terminal or log to obey."""

from __future__ import annotations

from ward_hub.links.endpoint import Reply


def test_a_diagnostic_is_one_line_that_no_terminal_obeys() -> None:
    said = "unknown-key: Hà Đông\x1b[2J\nfile: the hub took it\x9b1A\u202e".encode()
    reply = Reply(code=0x83, payload=said)
    assert reply.diagnostic == "unknown-key: Hà Đông?[2J?file: the hub took it?1A?"
    assert reply.words == f"4.03 {reply.diagnostic}"
