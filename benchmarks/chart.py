"""The chart of one run, as PNG and SVG, drawn from the results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

OURS, PEERS = "#1f6f8b", "#c9a227"


def draw(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw what was measured of form saves; nothing without matplotlib.

    A chart of an earlier run does not stay beside the figures of this one.
    """
    paths = [folder / "latest.png", folder / "latest.svg"]
    for path in paths:
        path.unlink(missing_ok=True)
    try:
        import matplotlib  # noqa: PLC0415 - a benchmark runs without it
    except ImportError:
        return []
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "casesync"
    import matplotlib.pyplot as plt  # noqa: PLC0415

    form_saves, slope = (
        results["workloads"].get("form-saves"),
        results.get("slopes", {}).get("form-saves"),
    )
    if form_saves is None:
        return []
    panels = 2 if slope else 1
    figure, axes = plt.subplots(
        1, panels, figsize=(7.5 * panels, 6), width_ratios=(3, 2)[:panels], squeeze=False
    )
    _rates(axes[0][0], form_saves)
    if slope:
        _slope(axes[0][1], slope)
    machine = results["machine"]
    figure.suptitle(
        f"casesync beside other engines, form saves of 10 fields"
        f" ({machine['processor']}, {machine['cores']} cores, {results['when']})"
    )
    figure.tight_layout()
    for path in paths:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return paths


def _rates(axes: Any, form_saves: Mapping[str, Any]) -> None:
    rates = {name: row["writes_per_second"] for name, row in form_saves["rates"].items()}
    rates |= {
        f"{name} *": row["writes_per_second"] for name, row in form_saves["on_fewer_writes"].items()
    }
    rates.pop("decode only", None)  # so fast that nothing else could be told apart
    ordered = sorted(rates, key=lambda name: rates[name])
    ours = [name.startswith(("floor", "merged,", "merged in memory")) for name in ordered]
    colours = [OURS if own else PEERS for own in ours]
    axes.barh(ordered, [rates[name] / 1000 for name in ordered], color=colours)
    axes.set_xlabel("thousand cell writes a second (* measured on fewer writes)")
    saves = f"taking in {form_saves['changes']:,} saves"
    axes.set_title(f"{saves}: casesync (blue) signed and encrypted, others plaintext", fontsize=9)
    axes.tick_params(axis="y", labelsize=8)


def _slope(axes: Any, slope: Mapping[str, Any]) -> None:
    sizes = sorted(map(int, slope))
    for step in slope[str(sizes[0])]["rates"]:
        if step == "decode only" or any(step not in slope[str(s)]["rates"] for s in sizes):
            continue
        costs = [1e6 / slope[str(s)]["rates"][step]["writes_per_second"] for s in sizes]
        axes.plot(sizes, costs, marker="o", label=step)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("cell writes")
    axes.set_title("microseconds a cell write", fontsize=9)
    axes.legend(fontsize=7)
