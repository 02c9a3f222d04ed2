"""The files of this controller, for MicroPython's frozen-module build and for `ward_sim.devices.flash`.

Ref: MicroPython documentation, "MicroPython manifest files"; metadata, package and module are its words,
and base_path is relative to this file. The board is an option:
`FROZEN_MANIFEST='include("/path/to/manifest.py", target="rp2350")'`; without one it is an RP2040.
"""
# ruff: noqa: F821 - whoever reads a manifest provides its words
# mypy: disable-error-code=name-defined

options.defaults(target="rp2040")
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
        "configuration.py",
        "settings.py",
        "slots.py",
        "start.py",
        "ticks.py",
        "board/__init__.py",
        "board/canvas.py",
        "board/core.py",
        "board/factory.py",
        "board/hub12.py",
        "board/run.py",
        "board/strips.py",
        "board/" + options.target + "/__init__.py",
        "board/" + options.target + "/pins.py",
    ),
    base_path="../..",
)
module("main.py", base_path=options.target)
