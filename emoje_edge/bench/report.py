"""The bench report: engines, videos and the machine; as terminal text, Markdown, JSON or one HTML page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from emoje_edge.bench.report_page import page
from emoje_edge.bench.time_engines import EngineRow
from emoje_edge.bench.time_sources import SourceRow
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
        machine: what `emoje_edge.bench.machine_facts.describe` says.
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
    table = [report.header(), *report.rows()]
    return page(report.engines, report.sources, table=table, facts=report.facts(), accuracy=report.accuracy)
