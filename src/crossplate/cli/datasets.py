"""``crossplate datasets``: public data by name."""

from typing import Annotated

import typer

from crossplate.cli.errors import plain_errors

_EXAMPLES = """\b
Example:
  crossplate datasets list
  crossplate datasets fetch cytof_person1 --out data
"""
_LIST_EXAMPLES = """\b
Example:
  crossplate datasets list
"""
_FETCH_EXAMPLES = """\b
Example:
  crossplate datasets fetch cytof_person1 --out data
"""

datasets_app = typer.Typer(epilog=_EXAMPLES, rich_markup_mode=None, pretty_exceptions_enable=False)

__all__ = ["datasets_app"]


@datasets_app.callback(invoke_without_command=True)
def datasets(context: typer.Context) -> None:
    """List or fetch public data sets."""
    if context.invoked_subcommand is None:
        list_datasets()


@datasets_app.command("list", epilog=_LIST_EXAMPLES)
def list_datasets() -> None:
    """List the public data sets that crossplate knows."""
    with plain_errors():
        from crossplate.cli.summary import paragraph
        from crossplate.datasets import available

        known = available()
        width = max(len(dataset.name) for dataset in known) + 2
        for dataset in known:
            access = "" if dataset.downloadable else " (no direct download)"
            typer.echo(
                paragraph(f"{dataset.title}{access}", f"{dataset.name:{width}}", " " * width)
            )
        typer.echo(
            "\n"
            + paragraph(
                "Fetch one with: crossplate datasets fetch NAME. Files in a folder named by the "
                "environment variable CROSSPLATE_DATA are used first."
            )
        )


@datasets_app.command("fetch", epilog=_FETCH_EXAMPLES)
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set of the list.")],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Where downloads are kept (default: the user's cache folder)."
        ),
    ] = None,
) -> None:
    """Download a public data set, verify it, and say where its files are."""
    with plain_errors():
        from crossplate.cli.summary import paragraph
        from crossplate.datasets import describe
        from crossplate.datasets import fetch as fetch_files

        for line in describe(name).splitlines():
            typer.echo(paragraph(line))
        typer.echo()
        paths = fetch_files(name, folder=out, progress=lambda line: typer.echo(line, err=True))
        for path in paths.values():
            typer.echo(path)
