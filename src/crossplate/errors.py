"""The one exception that stands for bad input."""


class InputError(ValueError):
    """Input a user gave cannot be used.

    The message is one sentence that names the place (file, column, row count) and the remedy; the
    command line prints it as it stands and ends with exit code 2.
    """
