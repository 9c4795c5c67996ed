"""The command line: ``crossplate run``, ``predict``, ``spectra``, ``match`` and the other commands.

Nothing heavy is imported here, so that ``crossplate --help`` answers at once.
"""

import sys
from typing import Annotated

import typer

from crossplate.cli.adapt import ADAPT_EXAMPLES, adapt_command
from crossplate.cli.apply import APPLY_EXAMPLES, apply_command
from crossplate.cli.biomarkers import BIOMARKERS_EXAMPLES, biomarkers_command
from crossplate.cli.compare import COMPARE_EXAMPLES, compare_command
from crossplate.cli.correct import CORRECT_EXAMPLES, correct_command
from crossplate.cli.datasets import datasets_app
from crossplate.cli.demo import DEMO_EXAMPLES, demo_command
from crossplate.cli.errors import INTERRUPTED
from crossplate.cli.evaluate import EVALUATE_EXAMPLES, evaluate_command
from crossplate.cli.match import MATCH_EXAMPLES, match_command
from crossplate.cli.permute import PERMUTE_EXAMPLES, permute_command
from crossplate.cli.predict import PREDICT_EXAMPLES, predict_command
from crossplate.cli.run import RUN_EXAMPLES, run_command
from crossplate.cli.spectra import SPECTRA_EXAMPLES, spectra_command

__all__ = ["app", "main"]

_EXAMPLES = """\b
Example:
  crossplate demo --out demo
  crossplate run --source demo/plates/plate1.csv \\
      --target demo/plates/plate2.csv \\
      --label label --subject subject --out result
"""

# Plain help: rich boxes would break the lines of the examples. Local variables in a traceback
# could be a whole table.
app = typer.Typer(
    name="crossplate",
    epilog=_EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from crossplate import __version__

        typer.echo(f"crossplate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Learn a diagnosis on labelled plates and make it hold on others."""


app.command("run", epilog=RUN_EXAMPLES)(run_command)
app.command("predict", epilog=PREDICT_EXAMPLES)(predict_command)
app.command("adapt", epilog=ADAPT_EXAMPLES)(adapt_command)
app.command("evaluate", epilog=EVALUATE_EXAMPLES)(evaluate_command)
app.command("permute", epilog=PERMUTE_EXAMPLES)(permute_command)
app.command("spectra", epilog=SPECTRA_EXAMPLES)(spectra_command)
app.command("match", epilog=MATCH_EXAMPLES)(match_command)
app.command("correct", epilog=CORRECT_EXAMPLES)(correct_command)
app.command("apply", epilog=APPLY_EXAMPLES)(apply_command)
app.command("compare", epilog=COMPARE_EXAMPLES)(compare_command)
app.command("biomarkers", epilog=BIOMARKERS_EXAMPLES)(biomarkers_command)
app.command("demo", epilog=DEMO_EXAMPLES)(demo_command)
app.add_typer(datasets_app, name="datasets")


def main() -> None:
    """Entry point of the ``crossplate`` command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
