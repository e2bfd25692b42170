"""What the chapter on early stopping shows: its figure and its play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from trainclinic.lab import overfitting_run, stopping
from trainclinic.lab.chapter import Drawing, Play, Table
from trainclinic.lab.controls import Control, Value, Values
from trainclinic.lab.curves import by_epoch
from trainclinic.lab.experiment import Make
from trainclinic.lab.words import Words, same
from trainclinic.measure.run import run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, RED, GREEN, ORANGE, VIOLET = "#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed"
PATIENCE = 10  # epochs, in the static figure

SETTINGS: dict[str, Value] = {**overfitting_run.SETTINGS, "patience": 0}


def _stop(language: str) -> Figure:
    from matplotlib.figure import Figure

    training, validation = by_epoch(run(Make(SETTINGS), seed=0))
    end = stopping.patience(validation, PATIENCE) or len(validation)
    best = stopping.best_epoch(validation, end)
    epochs = range(1, len(validation) + 1)
    names = Words("training", "훈련"), Words("validation", "검증")
    kept = Words(f"best weights, epoch {best}", f"최적 가중치, {best}에폭")
    stop = Words(f"stop, epoch {end}", f"종료, {end}에폭")
    wait = Words(f"patience, {end - best} epochs", f"인내(patience), {end - best}에폭")
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for losses, colour, name in zip((training, validation), (BLUE, RED), names, strict=True):
        axes.plot(epochs[:end], losses[:end], color=colour, label=name[language])
        axes.plot(epochs[end - 1 :], losses[end - 1 :], color=colour, linestyle=":", alpha=0.6)
    axes.plot([best], [validation[best - 1]], "o", color=GREEN, markersize=9, label=kept[language])
    axes.axvline(end, color="black", linestyle="--", label=stop[language])
    axes.axvspan(best, end, color=GREEN, alpha=0.1, label=wait[language])
    axes.set(title=Words("Early Stopping", "조기종료")[language], ylim=(0, 2.6))
    axes.set(xlabel=Words("epoch", "에폭")[language], ylabel=Words("loss", "손실")[language])
    axes.grid(alpha=0.4)
    axes.legend()
    return figure


def _stops(given: Values, language: str) -> dict[str, tuple[str, int | None]]:
    """Name of each criterion → its colour and where it stops."""
    validation, training = overfitting_run.VALIDATION, overfitting_run.TRAINING
    wait, delta = cast(int, given["patience"]), cast(float, given["min_delta"])
    alpha, quotient, rises = cast(float, given["alpha"]), cast(float, given["quotient"]), cast(int, given["strips"])
    waiting = Words(f"patience {wait}, min_delta {delta:g}", f"인내 {wait}, 최소 개선폭 {delta:g}")
    return {
        waiting[language]: (GREEN, stopping.patience(validation, wait, delta)),
        f"GL, α = {alpha:g}": (ORANGE, stopping.gl(validation, alpha)),
        f"PQ, α = {quotient:g}": (VIOLET, stopping.pq(validation, training, quotient)),
        f"UP, s = {rises}": ("#0891b2", stopping.up(validation, rises)),
    }


def _show_criteria(given: Values, language: str) -> list[Table | dict[str, Any]]:
    validation, training = overfitting_run.VALIDATION, overfitting_run.TRAINING
    epochs, lowest = list(range(1, len(validation) + 1)), min(validation)
    names = (Words("training", "훈련"), Words("validation", "검증"))
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "name": name[language], "line": {"color": colour}, "x": epochs,
         "y": list(losses)}
        for name, colour, losses in zip(names, (BLUE, RED), (training, validation), strict=True)
    ]  # fmt: skip
    rows = []
    for name, (colour, end) in _stops(given, language).items():
        ran = end or len(validation)
        best = stopping.best_epoch(validation, ran)
        kept, last = validation[best - 1], validation[ran - 1]
        where = str(end) if end else Words("never", "멈추지 않음")[language]
        rows.append((name, where, str(best), f"{kept:.3f}", f"{100 * (kept / lowest - 1):.1f} %",
                     f"{100 * (last / lowest - 1):.1f} %", str(len(validation) - ran)))  # fmt: skip
        if end:
            data.append({"type": "scatter", "mode": "lines", "name": name, "line": {"color": colour, "dash": "dash"},
                         "x": [end, end], "y": [0, 2.6]})  # fmt: skip
            data.append({"type": "scatter", "mode": "markers", "showlegend": False, "x": [best], "y": [kept],
                         "marker": {"color": colour, "size": 10}, "name": name})  # fmt: skip
    figure = {
        "data": data,
        "layout": {
            "height": 320, "margin": {"l": 50, "r": 10, "t": 10, "b": 45},
            "xaxis": {"title": {"text": Words("epoch", "에폭")[language]}, "range": [0, len(validation) + 1]},
            "yaxis": {"title": {"text": Words("loss", "손실")[language]}, "range": [0, 2.6]},
        },
    }  # fmt: skip
    header = (
        Words("criterion", "기준"), Words("stops after epoch", "멈춘 에폭"),
        Words("best epoch by then", "그때까지의 최적 에폭"),
        Words("loss kept", "남은 손실"), Words("cost, weights restored", "손해(가중치 복원)"),
        Words("cost, weights as they are", "손해(복원하지 않음)"), Words("epochs saved", "아낀 에폭"),
    )  # fmt: skip
    return [figure, Table(header, tuple(rows))]


_CONTROLS = (
    Control("patience", Words("Patience, in epochs", "인내(patience), 에폭 수"), 10, 1, 50),
    Control("min_delta", Words("min_delta", "최소 개선폭(min_delta)"), 0.0, 0.0, 0.1, 0.005,
            help=Words("an improvement by less does not count", "이보다 작은 개선은 세지 않음")),
    Control("alpha", Words("GL: α in %", "GL: α (%)"), 5.0, 0.5, 40.0, log=True),
    Control("quotient", same("PQ: α"), 0.5, 0.05, 3.0, log=True),
    Control("strips", Words("UP: rises s", "UP: 상승 횟수 s"), 3, 1, 10),
)  # fmt: skip

STOP = Drawing(
    "stop",
    Words("A real overfitting network: the best epoch, the wait, the stop",
          "과적합되는 실제 신경망: 최적 에폭, 기다림, 종료"),
    _stop,
)  # fmt: skip
CRITERIA = Play(
    "criteria",
    Words("Where does each of them stop?", "기준마다 어디에서 멈춥니까?"),
    _CONTROLS,
    _show_criteria,
)
