"""Secrets that people type: on the terminal, without echo, and nowhere else."""

from __future__ import annotations

import getpass
import warnings

from ward_hub.errors import UsageError
from ward_hub.i18n import translator
from ward_hub.keys.sealed import Passphrases
from ward_hub.keys.uri import TokenUri


def pin(uri: TokenUri, language: str) -> str:
    """Return the PIN of a token as it is typed; raises UsageError without a terminal."""
    _ = translator(language)
    return secret(_("PIN of token %s: ") % (uri.token or uri.serial))


def passphrases(language: str, *, new: bool) -> Passphrases:
    """Return the passphrases of two officers, each typed by one; new ones are typed twice. Raises UsageError."""
    _ = translator(language)
    given: list[str] = []
    for prompt, again in (
        (_("First officer, passphrase: "), _("First officer, the same again: ")),
        (_("Second officer, passphrase: "), _("Second officer, the same again: ")),
    ):
        given.append(secret(prompt))
        if new and secret(again) != given[-1]:
            raise UsageError("the two entries differ: nothing was made, begin again")
    return Passphrases(*given)


def secret(prompt: str) -> str:
    """Return what is typed behind `prompt`, without echo; raises UsageError where there is no terminal for that."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would go on with echo
            typed = getpass.getpass(prompt)
        typed.encode()
    except (EOFError, getpass.GetPassWarning) as error:
        raise UsageError("there is no terminal to type a secret on: give it in a file") from error
    except UnicodeError as error:
        raise UsageError("what was typed is not UTF-8: set the terminal's locale") from error
    return typed
