"""The exception tree: whose fault is it.

DriftwatchError
├── ConfigError      the operator: a configuration file or an option is wrong          (exit 2)
├── DataError        the operator: a data or reference file cannot be used             (exit 2)
├── StateError       our own state does not fit or is damaged: refuse, never guess     (exit 3)
├── SourceError      the world: a stream could not be read
└── SinkError        the world: a target could not be reached

A bad *event* is not an exception: it is counted under a `Reject` reason and the stream goes on.
Anything that is not in this tree is a bug and ends the process                        (exit 1)
"""


class DriftwatchError(Exception):
    """Anything that driftwatch raises on purpose; its text is one line that says what, where and what to do."""


class ConfigError(DriftwatchError):
    """The configuration is wrong; the text names the TOML path."""


class DataError(DriftwatchError):
    """A data or reference file cannot be read or does not hold what is needed."""


class StateError(DriftwatchError):
    """Stored state is damaged, of another version, or of another layout."""


class SourceError(DriftwatchError):
    """A stream could not be read; `retryable` says whether waiting may help."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class SinkError(DriftwatchError):
    """A target could not be reached or refused; `retryable` says whether waiting may help."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable
