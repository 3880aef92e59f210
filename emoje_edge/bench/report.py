"""The bench report: one table, two pictures, the machine; as terminal text, Markdown, JSON or one HTML file."""

from __future__ import annotations

import base64
import html
import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from emoje_edge.bench.engines import EngineRow
from emoje_edge.bench.sources import SourceRow
from emoje_edge.errors import UsageError

FORMATS = (".html", ".md", ".json")
_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("mask", "mask", "{}"),
    ("backend", "backend", "{}"),
    ("precision", "precision", "{}"),
    ("batch", "batch", "{}"),
    ("MiB", "size_mib", "{:.2f}"),
    ("p50 ms", "p50_ms", "{:.2f}"),
    ("p95 ms", "p95_ms", "{:.2f}"),
    ("p99 ms", "p99_ms", "{:.2f}"),
    ("utterances/s", "utterances_per_s", "{:.0f}"),
    ("peak MiB", "peak_mib", "{:.0f}"),
    ("status", "status", "{}"),
)


@dataclass(frozen=True)
class Report:
    """Everything one `bench` run found.

    Attributes:
        machine: what `emoje_edge.bench.machine.describe` says.
        noise: p95 / p50 of fixed work before and after; figures closer than this to each other are equal.
        engines: one row an engine.
        sources: one row a video, where `--source` was given.
        accuracy: mask -> the model card's figure in words; not measured by `bench`.
    """

    machine: dict[str, Any]
    noise: tuple[float, float]
    engines: list[EngineRow]
    sources: list[SourceRow] = field(default_factory=list)
    accuracy: dict[str, str] = field(default_factory=dict)

    def header(self) -> list[str]:
        """Columns of the engine table."""
        return [title for title, _, _ in _COLUMNS] + ["accuracy (model card)"]

    def rows(self) -> list[list[str]]:
        """The engine table as text; a figure that was not measured is an en dash."""
        table = []
        for row in self.engines:
            values = [getattr(row, name) for _, name, _ in _COLUMNS]
            cells = [
                "–" if v in (None, "") else form.format(v) for v, (_, _, form) in zip(values, _COLUMNS, strict=True)
            ]
            table.append([*cells, self.accuracy.get(row.mask, "–")])
        return table

    def facts(self) -> list[str]:
        """The machine, a line a fact."""
        lines = [f"{key}: {_words(value)}" for key, value in self.machine.items()]
        return [
            *lines,
            f"noise of the machine (p95 / p50 of fixed work): {self.noise[0]:.2f} before, {self.noise[1]:.2f} after",
        ]

    def source_lines(self) -> list[str]:
        return [line for row in self.sources for line in row.lines()]


def write(report: Report, path: Path) -> None:
    """Write the report in the format that the file's ending names.

    Raises:
        UsageError: an ending that is none of .html, .md, .json.
    """
    makers = {".html": _html, ".md": _markdown, ".json": _json}
    if path.suffix.lower() not in makers:
        raise UsageError(f"--report {path}: unknown ending {path.suffix!r}", f"allowed: {', '.join(FORMATS)}")
    path.write_text(makers[path.suffix.lower()](report), encoding="utf-8")


def picture(report: Report) -> bytes:
    """A PNG: latency by mask with the accuracy beside it; and, where a source was timed, where its time goes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    done = [row for row in report.engines if row.p50_ms is not None and row.p95_ms is not None]
    panels = 1 + bool(report.sources)
    figure, axes = plt.subplots(1, panels, figsize=(7 * panels, 0.45 * max(len(done), 4) + 1.6), squeeze=False)
    left = axes[0][0]
    names = [f"{r.mask}  {r.backend} {r.precision}" for r in done]
    left.barh(names, [r.p50_ms for r in done], color="#3b6ea8", label="p50")
    left.scatter([r.p95_ms for r in done], names, color="#c1432e", marker="|", s=140, label="p95")
    for i, row in enumerate(done):
        if text := report.accuracy.get(row.mask):
            left.annotate(
                text, (row.p95_ms or 0, i), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8
            )
    left.invert_yaxis()
    left.margins(x=0.35)
    left.set_xlabel("ms an utterance")
    left.set_title(f"Engine latency, batch {done[0].batch if done else 1}")
    left.legend(loc="lower right")
    if report.sources:
        _stages(axes[0][1], report.sources)
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    return buffer.getvalue()


def _stages(axes: Any, sources: list[SourceRow]) -> None:
    start = [0.0] * len(sources)
    names = [row.name for row in sources]
    for stage in sources[0].stages_s:
        widths = [row.stages_s.get(stage, 0.0) / row.duration_s for row in sources]
        axes.barh(names, widths, left=start, label=stage)
        start = [a + b for a, b in zip(start, widths, strict=True)]
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xlabel("processor seconds a second of video (1 = real time)")
    axes.set_title("Where the time goes")
    axes.legend(fontsize=8)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value)


def _json(report: Report) -> str:
    return json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"


def _markdown(report: Report) -> str:
    lines = ["# Latency on this device", "", *(f"- {fact}" for fact in report.facts()), ""]
    lines += ["| " + " | ".join(report.header()) + " |", "|" + "---|" * len(report.header())]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in report.rows()]
    if report.sources:
        lines += ["", "## Videos", "", *(f"- {line}" for line in report.source_lines())]
    return "\n".join(lines) + "\n"


def _html(report: Report) -> str:
    image = base64.b64encode(picture(report)).decode()
    head = "".join(f"<th>{html.escape(title)}</th>" for title in report.header())
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in report.rows())
    facts = "".join(f"<li>{html.escape(fact)}</li>" for fact in [*report.facts(), *report.source_lines()])
    return (
        "<!doctype html><meta charset=utf-8><title>emoje-edge bench</title>"
        "<style>body{font:15px system-ui;margin:2rem;max-width:75rem}table{border-collapse:collapse}"
        "td,th{padding:.3rem .7rem;border-bottom:1px solid #ccc;text-align:right}"
        "td:first-child,th:first-child{text-align:left}"
        "img{max-width:100%}</style>"
        f"<h1>Latency on this device</h1><ul>{facts}</ul><table><tr>{head}</tr>{body}</table>"
        f"<p><img alt='latency by mask' src='data:image/png;base64,{image}'></p>"
    )
