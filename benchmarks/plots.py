"""Draws what was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.cells import FLIGHTS, MEMBERS
from benchmarks.found import Found
from benchmarks.servers import SERVERS

__all__ = ["draw"]

_COLOURS = {
    "pychat": "#d62728",
    "node": "#3c873a",
    "uws": "#1f77b4",
    "bun": "#b07d2b",
    "stock": "#7f7f7f",
    "asgi": "#e377c2",
    "mounted": "#ff9896",
    "gathered": "#111111",
}
_SHOWN = {"font.size": 9, "axes.grid": True, "grid.color": "#dddddd"}


def _lines(
    axes: Axes, servers: tuple[str, ...], places: tuple[int, ...], value: Callable[[str, int], float | None]
) -> None:
    for name in servers:
        points = [(place, found) for place in places if (found := value(name, place))]
        if points:
            width = 2.4 if name == "pychat" else 1.2
            axes.plot(
                *zip(*points, strict=True),
                marker="o",
                markersize=4,
                color=_COLOURS[name],
                linewidth=width,
                label=SERVERS[name].title,
            )


def _per_second(found: Found, cell: str, name: str, label: str) -> float | None:
    cost = found.median(cell, name, label, "cpu_us")
    return 1e6 / cost if cost else None


def _fanout(found: Found, flights: Axes, members: Axes) -> None:
    servers = ("pychat", "uws", "bun", "node", "stock")
    _lines(
        flights,
        (*servers, "asgi", "gathered"),
        FLIGHTS,
        lambda name, flight: _per_second(found, "talk", name, f"flight {flight}"),
    )
    flights.set(
        title="1,000 members",
        xlabel="messages in flight",
        ylabel="deliveries per second of CPU",
        xscale="log",
        yscale="log",
    )
    flights.set_xticks(FLIGHTS, [str(flight) for flight in FLIGHTS])
    flights.minorticks_off()
    _lines(members, servers, MEMBERS, lambda name, size: _per_second(found, "crowd", name, f"members {size}"))
    members.set(title="4 messages in flight", xlabel="members", yscale="log")


def _connections(found: Found, memory: Axes, cost: Axes) -> None:
    servers = ("pychat", "mounted", "uws", "bun", "node", "stock")

    def each(name: str, size: int) -> float | None:
        full, alone = (found.median("crowd", name, label, "memory_kib") for label in (f"idle {size}", "alone"))
        return (full - alone) / (size - 1) if full and alone else None

    sizes = MEMBERS[1:]
    _lines(memory, servers, sizes, each)
    memory.set(title="memory of the server", xlabel="members", ylabel="KiB for each connection")
    memory.set_ylim(bottom=0)
    _lines(cost, servers, sizes, lambda name, size: found.median("crowd", name, f"connect {size}", "cpu_us"))
    cost.set(
        title="connecting, up to so many members",
        xlabel="members",
        ylabel="µs of CPU for each new connection",
        yscale="log",
    )


def draw(found: Found, folder: Path) -> None:
    """Write the plots into `folder`, as PNG on white, which can be read in dark and in light."""
    for name, panels in (("performance-fanout", _fanout), ("performance-connections", _connections)):
        with mpl.rc_context(_SHOWN):
            figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
            for axes in (left, right):
                axes.spines[["top", "right"]].set_visible(False)
            panels(found, left, right)
            figure.legend(*left.get_legend_handles_labels(), loc="outside right center", frameon=False)
            figure.savefig(folder / f"{name}.png", dpi=110, facecolor="white")
            plt.close(figure)
