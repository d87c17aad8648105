"""The one family of errors a user of semcast sees: what is wrong, where, and the command that mends it."""


class SemcastError(Exception):
    """Base of all errors that are shown without a traceback.

    Args:
        message: What is wrong and where.
        hint: What to do about it, ideally a command.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class BadInput(SemcastError):
    """The user's input (scenario, option, file) is wrong; exit code 2."""

    exit_code = 2


class Missing(SemcastError):
    """Something that the command needs is not there (server, weights, package, cluster); exit code 3."""

    exit_code = 3


class RunFailed(SemcastError):
    """A run started and could not be finished; its folder is kept; exit code 1."""


class LeftBehind(RunFailed):
    """A worker went on from a snapshot that is too old for its peers, who have forgotten what it misses; a newer one will do."""
