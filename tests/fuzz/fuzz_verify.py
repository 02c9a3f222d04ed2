"""Coverage-guided fuzzing of decode and verify: `tox run -e fuzz [-- -max_total_time=3600]`.

libFuzzer's arguments are passed on. It begins from tests/fuzz/corpus, which it only reads, keeps what it learns in
build/fuzz, and puts what it finds into the corpus, where tests/fuzz/test_corpus.py repeats it for ever.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).with_name("corpus")
LEARNT = Path(__file__).parents[2] / "build" / "fuzz"


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer ends the process; its status is that of the process."""
    atheris: Any = importlib.import_module("atheris")  # it has wheels for few interpreters; not where types are checked
    sys.path.insert(0, str(Path(__file__).parents[2]))
    with atheris.instrument_imports(include=["ward_protocol"]):
        check = importlib.import_module("tests.fuzz.target").check
    LEARNT.mkdir(parents=True, exist_ok=True)
    folders = [str(LEARNT), str(CORPUS)]
    options = ["-max_len=4096", "-timeout=5", f"-artifact_prefix={CORPUS}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, *arguments, *folders], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
