"""The confusion matrix as a picture."""

from __future__ import annotations

from pathlib import Path

WIDTH = 9.0  # inches at 72 points: 864 pixels of a browser, as wide as a page


def draw(confusion: dict[str, dict[str, int]], path: Path) -> None:
    """Shares of each row as colours, and the number of runs in the cells."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "trainclinic", "svg.fonttype": "none", "font.size": 8})
    import matplotlib.pyplot as plt

    truths = [name for name in confusion if name != "healthy"] + ["healthy"] * ("healthy" in confusion)
    named = {name for row in confusion.values() for name in row}
    columns = [name for name in truths if name != "healthy"] + sorted(named - {*truths, "nothing"}) + ["nothing"]
    shares = [[confusion[truth].get(name, 0) / sum(confusion[truth].values()) for name in columns] for truth in truths]
    figure, axes = plt.subplots(figsize=(WIDTH, 1.7 + 0.24 * len(truths)), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, truth in enumerate(truths):
        for column, name in enumerate(columns):
            if count := confusion[truth].get(name, 0):
                colour = "white" if shares[row][column] > 0.7 else "black"  # never under a contrast of 4
                axes.text(column, row, count, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(truths)), truths)
    axes.set_xticks([column + 0.5 for column in range(len(columns) - 1)], minor=True)
    axes.set_yticks([row + 0.5 for row in range(len(truths) - 1)], minor=True)
    axes.grid(which="minor", color="#dddddd", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.set_xlabel("root cause named first")
    axes.set_ylabel("what is wrong")
    figure.savefig(path, facecolor="white", metadata={"Date": None})
    plt.close(figure)
