"""What can go wrong inside the agent, beside the errors of the packages below it."""

from __future__ import annotations


class HubError(Exception):
    """Base of the agent's own errors."""


class ConfigError(HubError):
    """The configuration cannot be used; the message names the file, the key and what is needed."""


class UsageError(HubError):
    """What was asked for does not make sense; the message says what to give instead."""


class NotWritten(HubError):
    """A file that was asked for cannot be made; the message names it and says why."""


class StateError(HubError):
    """The state directory cannot be used; the message names the path and what to do."""


class AgentDown(HubError):
    """The running agent was to be asked something, and none answers."""


class TokenError(HubError):
    """A PKCS#11 token does not do what it is asked; the message names token, key and what to do."""


class PinRefused(TokenError):
    """A token refused its PIN, or would lock at the next wrong one: only a person can go on."""


class SealError(HubError):
    """A sealed key cannot be made or opened; the message never tells which of two passphrases was wrong."""
