"""What a command says when it cannot go on, and the exit code it ends with."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from crossplate.errors import InputError

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED", "plain_errors"]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what goes wrong inside into one sentence on stderr and an exit code.

    Bad input ends with exit code 2, a failing system (disk full, no memory) with 1, Ctrl-C with
    130. Warnings of libraries are shown as sentences too, each once, after the work is done; those
    addressed to programmers are dropped.

    Raises
    ------
    typer.Exit
        With the exit code.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", category)
            yield
    except InputError as error:
        _say(str(error))
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        _say("stopped; nothing was written")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        _say(f"{error.filename or 'the system'}: {error.strerror or error}; nothing was written")
        raise typer.Exit(FAILED) from None
    except MemoryError:
        _say("not enough memory; leave out features or samples, or use a larger machine")
        raise typer.Exit(FAILED) from None
    for text in dict.fromkeys(_sentence(entry) for entry in caught):
        _say(f"warning: {text}")


def _say(text: str) -> None:
    typer.echo(f"crossplate: {text}", err=True)


def _sentence(entry: warnings.WarningMessage) -> str:
    return " ".join(str(entry.message).split())
