"""The command line: parse, call, print, exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trainclinic.errors import TrainclinicError

app = typer.Typer(
    name="trainclinic",
    help="Your network does not train. trainclinic says why, with the evidence; treats it; and proves the cure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


@app.command(context_settings=_PASS_ON)
def run(
    context: typer.Context,
    script: Annotated[Path, typer.Argument(help="The training script; what follows it is its own.")],
    output: Annotated[Path, typer.Option(help="Folder for the recording and the report.")] = Path("clinic"),
    every: Annotated[
        int | None, typer.Option(min=1, help="Look at each N-th step; default: dense, then sparse.")
    ] = None,
    html: Annotated[bool, typer.Option(help="Write the HTML report.")] = True,
    stop_on: Annotated[
        list[str] | None, typer.Option(help="Stop at the step that shows it, before its update: non-finite.")
    ] = None,
) -> None:
    """Run a training script as it is, watch it, and say what is wrong. The report goes to stderr."""
    from trainclinic.diagnose.diagnose import diagnose
    from trainclinic.measure.script import run_script
    from trainclinic.ranks import of_all_ranks
    from trainclinic.report.report import report
    from trainclinic.watching import live

    result = run_script(script, context.args, folder=output, every=every, live=live(stop_on=stop_on or ()))
    sys.stdout.flush()
    console = Console(stderr=True)
    if result.missed:
        console.print(f"trainclinic: {script}: nothing to diagnose: {result.missed}.", markup=False, highlight=False)
    for own in result.recordings:
        recording = of_all_ranks(own) if own.steps else None
        if recording is not None:
            diagnosis = diagnose(recording)
            report(diagnosis, console=console)
            if html and recording.path is not None:
                written = report(diagnosis, recording.path.with_suffix(".html"))
                console.print(
                    f"Report: {written}   Recording: {recording.path}", markup=False, highlight=False, soft_wrap=True
                )
    raise typer.Exit(result.exit_code)


@app.command()
def report(
    recording: Annotated[Path, typer.Argument(help="A .clinic file.")],
    output: Annotated[Path | None, typer.Option(help="Write .html, .json or .txt instead of printing.")] = None,
) -> None:
    """Diagnose a recording, now or later, here or elsewhere."""
    from trainclinic.diagnose.diagnose import diagnose
    from trainclinic.report.report import report as write

    written = write(diagnose(recording), output)
    if written is not None:
        typer.echo(written)


@app.command()
def checkup(
    make: Annotated[
        str, typer.Argument(metavar="FILE[:make]", help="The file, and its function of a seed that returns a Setup.")
    ],
    seed: Annotated[int, typer.Option(help="Of what is built and looked at.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Write .html, .json or .txt instead of printing.")] = None,
) -> None:
    """Look at a training before it begins: data, loop, one batch, learning rates. Takes seconds.

    Exit code 0: no problem found in what was examined; 1: a problem.
    """
    from trainclinic.prove.make_file import make_file
    from trainclinic.report.report import report as write
    from trainclinic.watching import checkup as examine

    with Console(stderr=True).status(f"Looking at {make} …"):
        diagnosis = examine(make_file(make), seed)
    written = write(diagnosis, output)
    if written is not None:
        typer.echo(written)
    raise typer.Exit(1 if diagnosis.problems else 0)


@app.command()
def confirm(
    make: Annotated[
        str, typer.Argument(metavar="FILE[:make]", help="The file, and its function of a seed that returns a Setup.")
    ],
    recording: Annotated[
        Path | None, typer.Option(help="A .clinic file of this training; without it the training is run first.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first pair of runs, best that of the recording.")] = 0,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that train the repetitions; the result does not depend on it.")
    ] = 1,
    output: Annotated[Path | None, typer.Option(help="Write .html, .json or .txt instead of printing.")] = None,
) -> None:
    """Diagnose a training, and ask a short controlled trial of each problem whether it does harm.

    Exit code 0: no problem is left; 1: a problem; 130: interrupted, with what is known by then.
    """
    from trainclinic.diagnose.diagnose import diagnose
    from trainclinic.prove.confirm import confirm as ask
    from trainclinic.prove.make_file import make_file
    from trainclinic.report.report import report as write
    from trainclinic.report.report import writable

    if output is not None:
        writable(output)
    found = diagnose(recording) if recording else None
    try:
        diagnosis = ask(make_file(make), found, seed=seed, workers=workers, progress=True)
    except KeyboardInterrupt:
        print("trainclinic: interrupted before anything was known.", file=sys.stderr)
        raise typer.Exit(130) from None
    written = write(diagnosis, output)
    if written is not None:
        typer.echo(written)
    raise typer.Exit(130 if diagnosis.interrupted else 1 if diagnosis.problems else 0)


@app.command()
def cure(
    make: Annotated[
        str, typer.Argument(metavar="FILE[:make]", help="The file, and its function of a seed that returns a Setup.")
    ],
    budget: Annotated[float, typer.Option(min=1, help="The most to spend, in whole untreated runs.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the untreated run; the proof takes the six that follow it.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train; the result does not depend on it.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder for cure.html, cure.json and treatment.py.")] = Path("clinic"),
    html: Annotated[bool, typer.Option(help="Write the HTML report.")] = True,
) -> None:
    """Find what is wrong with a training, treat it, and prove the treatment on six fresh seeds with a control.

    Exit code 0: cured, or nothing to cure; 1: anything else; 130: interrupted, with what is known by then.
    """
    from trainclinic.prove.cure import cure as find
    from trainclinic.prove.make_file import make_file
    from trainclinic.report.cure_files import write
    from trainclinic.report.report import report

    try:
        found = find(make_file(make), budget=budget, seed=seed, workers=workers, progress=True)
    except KeyboardInterrupt:
        print("trainclinic: interrupted before anything was known.", file=sys.stderr)
        raise typer.Exit(130) from None
    report(found)
    sys.stdout.flush()
    written = "   ".join(map(str, write(found, output, html)))
    Console(stderr=True).print(f"Written: {written}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(130 if found.interrupted else 0 if found.verdict in ("cured", "nothing to cure") else 1)


@app.command()
def explain(name: Annotated[str, typer.Argument(help="A problem or a remedy, such as vanishing-gradient.")]) -> None:
    """What a problem or a remedy is, how it is measured or what it does, and where that comes from."""
    from trainclinic.report.explain import explain as page

    Console().print(page(name))


@app.command()
def lab(
    chapter: Annotated[
        str, typer.Argument(metavar="[CHAPTER[:FIGURE]]", help="A chapter, such as vanishing-gradient; see --list.")
    ] = "",
    lang: Annotated[str, typer.Option(help="Language of the page, the figures and what is printed: en or ko.")] = "en",
    listed: Annotated[bool, typer.Option("--list", help="List the chapters and their figures.")] = False,
    figure: Annotated[Path | None, typer.Option(help="Draw the chapter's figure into this .png, .svg or .pdf.")] = None,
    notebook: Annotated[Path | None, typer.Option(help="Write the chapter as a Jupyter notebook.")] = None,
    recording: Annotated[
        Path | None, typer.Option("--open", help="Show this .clinic file, while it is written.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trainings at a time; the others wait.")] = 2,
    host: Annotated[str, typer.Option(help="Address that is listened on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")] = 8317,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """The lab: each problem and each remedy of the lecture on a real network, in the browser or as figures."""
    from trainclinic.lab import command

    command.check(lang)
    if listed:
        command.show_list(lang)
    elif figure is not None:
        typer.echo(command.draw(chapter, figure, lang))
    elif notebook is not None:
        typer.echo(command.write_notebook(chapter, notebook, lang))
    else:
        command.serve(chapter, lang, recording, workers=workers, host=host, port=port, show=browser)


def main() -> None:
    """Entry point: an error of ours is one line and exit code 2, never a traceback."""
    try:
        app()
    except TrainclinicError as error:
        print(f"trainclinic: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
