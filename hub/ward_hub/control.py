"""The agent's own ear: a Unix socket in its state directory, for the commands of whoever works on this hub.

One request a connection, a line of JSON such as `{"do": "stop"}`; one line of JSON in answer. No network is needed, and
whoever may open the directory (mode 0700) is the agent's own user or root.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ward_hub.errors import AgentDown, HubError
from ward_protocol.cbor import is_map

log = logging.getLogger(__name__)
NAME = "control.sock"
MAX_LINE = 64 * 1024
PATIENCE_S = 10.0
ACT_S = 600.0  # a bundle on a slow stick
Act = Callable[[Mapping[str, Any]], Awaitable[object]]


class Control:
    """Serves `acts` by name on the socket at `path`; an act raises HubError for what it cannot do."""

    def __init__(self, path: Path, acts: Mapping[str, Act]) -> None:
        self._path = path
        self._acts = acts

    async def run(self) -> None:
        """Serve until cancelled."""
        self._path.unlink(missing_ok=True)  # what a killed agent left
        server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_LINE)
        self._path.chmod(0o600)
        try:
            async with server:
                await server.serve_forever()
        finally:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                line = await reader.readline()
            async with asyncio.timeout(ACT_S):
                answer = await self._answer(line)
            async with asyncio.timeout(PATIENCE_S):
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, ValueError, OSError) as error:
            log.info("control: a request was dropped: %s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, object]:
        try:
            asked = json.loads(line)
        except (ValueError, RecursionError):  # of a line that is nested deeper than Python calls
            return {"error": "the request is no JSON"}
        do = asked.get("do") if is_map(asked) else None
        act = self._acts.get(do) if isinstance(do, str) else None
        if act is None:
            return {"error": "there is nothing of that name to do"}
        try:
            return {"answer": await act(asked)}
        except HubError as error:
            return {"error": str(error)}
        except Exception as error:
            log.exception("control: %s failed", asked["do"])
            return {"error": f"it failed inside the agent ({error}); see its log"}


def ask(state: Path, do: str, *, patience: float = PATIENCE_S, **details: object) -> Any:  # noqa: ANN401 - JSON is anything
    """Have the agent whose state directory this is do something; return its answer, which may take `patience` seconds.

    Raises AgentDown where none listens, HubError with its own words where it will not.
    """
    path = state / NAME
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(patience)
            line.connect(str(path))
            line.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline())
    except (OSError, ValueError) as error:
        raise AgentDown(f"{path}: no agent answers there ({error}); is it running, and are you its user?") from error
    if "error" in answer:
        raise HubError(str(answer["error"]))
    return answer["answer"]
