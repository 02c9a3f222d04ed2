"""The files of this controller, for MicroPython's frozen-module build and for `ward_sim.devices.flash`.

Ref: MicroPython documentation, "MicroPython manifest files"; metadata, package and module are its words,
and base_path is relative to this file.
"""
# ruff: noqa: F821 - whoever reads a manifest provides its words
# mypy: disable-error-code=name-defined

metadata(version="0.1.0", description="wardhub board controller", license="Apache-2.0")
package(
    "ward_protocol",
    (
        "__init__.py",
        "portable/__init__.py",
        "portable/board.py",
        "portable/cobs.py",
        "portable/link.py",
    ),
    base_path="../../../protocol",
)
package(
    "ward_firmware",
    (
        "__init__.py",
        "clock.py",
        "settings.py",
        "ticks.py",
        "board/__init__.py",
        "board/canvas.py",
        "board/core.py",
        "board/hub12.py",
        "board/pins.py",
        "board/strips.py",
    ),
    base_path="../..",
)
module("main.py", base_path=".")
