"""The worker's commands, one JSON message each; answers carry the ``id`` of the command.

* ``{"id", "do": "probe", "path"}`` -> ``clip`` with the facts of the file, or ``failed`` with ``reason``
* ``{"id", "do": "play", "parts", "gain_db", "lead_in_ms"}`` -> ``started``, ``levels`` ..., ``played`` or
  ``failed``; a part is ``[path, begin_ms, end_ms]``, null for the file's end
* ``{"id", "do": "stream", ...}`` with the fields of a `StreamOrder`: as ``play``; ``levels``, ``played`` and
  ``failed`` tell in ``stream`` what came of it
* ``{"id", "do": "stop", "fade_ms"}``: the order with this id ends soon; no answer of its own

The worker ends, silent at once, when its input ends: with the agent, sound stops too.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ward_hw.audio_worker import pipe
from ward_hw.audio_worker.files import Files
from ward_hw.audio_worker.order import PlayOrder
from ward_hw.audio_worker.player import Content, Player
from ward_hw.audio_worker.stream_order import StreamOrder

if TYPE_CHECKING:
    from ward_hw.audio_worker.output import Output

# Heap and private mappings; a file that makes a decoder want more is refused (MemoryError) or ends this
# process.
_MEMORY_LIMIT = 384 * 1024 * 1024


class Worker:
    """Obeys commands read from ``commands``, writes answers to ``answers``."""

    def __init__(self, settings: argparse.Namespace, commands: BinaryIO, answers: BinaryIO) -> None:
        self._settings = settings
        self._commands = commands
        self._answers = answers
        self._output: Output | None = None
        self._player: Player | None = None
        self._number = 0
        self._sending = threading.Lock()

    def run(self) -> None:
        """Obey until the input ends."""
        while (command := pipe.read(self._commands)) is not None:
            self._obey(command)
        if self._output is not None:
            self._output.close()

    def send(self, message: pipe.Message) -> None:
        """Answer; an agent that is gone is noticed by the end of input, not here."""
        with self._sending:
            try:
                self._answers.write(pipe.pack(message))
                self._answers.flush()
            except OSError:
                return

    def _obey(self, command: pipe.Message) -> None:
        number = int(str(command["id"]))
        try:
            match command["do"]:
                case "probe":
                    self.send({"id": number, "event": "clip", **_probe(Path(str(command["path"])))})
                case "play":
                    order = PlayOrder.read(command)
                    self._play(number, Files(order), order.lead_in_ms)
                case "stream":
                    self._play(number, _stream(StreamOrder.read(command)))
                case "stop" if self._player is not None and number == self._number:
                    self._player.stop(int(str(command["fade_ms"])))
                case _:
                    pass  # a stop that came after the end
        except Exception as error:  # noqa: BLE001 - told to the agent, whatever it is
            self.send({"id": number, "event": "failed", "reason": str(error) or type(error).__name__})

    def _play(self, number: int, content: Content, lead_in_ms: int = 0) -> None:
        if self._player is not None:
            if not self._player.over:
                raise RuntimeError("something is being played")
            self._player.thread.join()  # it has said so, and is about to end
        if self._output is None:
            from ward_hw.audio_worker.output import Output  # noqa: PLC0415 - 10 MB a prober does without

            settings = self._settings
            self._output = Output(settings.backend, settings.rate, settings.capture)
        self._number = number
        rate = self._settings.rate
        self._player = Player(number, content, lead_in_ms=lead_in_ms, rate=rate, send=self.send)
        self._player.start(self._output)


def _stream(order: StreamOrder) -> Content:
    from ward_hw.audio_worker.live import Live  # noqa: PLC0415 - 30 MB, the decoder among them

    return Live(order)


def _probe(path: Path) -> pipe.Message:
    from ward_hw.audio_worker.decode import probe  # noqa: PLC0415 - 20 MB, see the package

    facts = probe(path)
    return {
        "duration_ms": facts.duration_ms,
        "codec": facts.codec,
        "sample_rate": facts.sample_rate,
        "channels": facts.channels,
    }


def main() -> None:
    """Run the worker on standard input and output."""
    parser = argparse.ArgumentParser(prog="ward_hw.audio_worker")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--capture", type=Path)
    # Ctrl-C in a terminal reaches the whole process group; the agent decides when sound ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    Worker(parser.parse_args(), sys.stdin.buffer, sys.stdout.buffer).run()


if __name__ == "__main__":
    main()
