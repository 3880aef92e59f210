"""The bench report as one HTML page: a bar an engine, where a video's time goes, every figure, the machine.

Nothing is fetched and nothing is drawn by a library: bars are boxes of the page, light and dark.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from emoje_edge.bench.time_engines import EngineRow
from emoje_edge.bench.time_sources import SourceRow

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2329;--faint:#68727d;--line:#dde2e7;--paper:#fff;--card:#f5f7f9;--bar:#3b6ea8;--tail:#c1432e}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf0;--faint:#98a2ad;--line:#363d45;--paper:#15181c;--card:#1e2328;--bar:#6ea3dc;--tail:#e8806d}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;padding:2rem;max-width:72rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .8rem}p{color:var(--faint);margin:.2rem 0 0}
.row{display:grid;grid-template-columns:15rem 1fr 9rem;gap:1rem;align-items:center;padding:.28rem 0}
.row b{font-weight:600}.row small,td small{color:var(--faint)}
.track{position:relative;height:1rem;background:var(--card);border-radius:.25rem;overflow:hidden;display:flex}
.track i{display:block;height:100%;background:var(--bar)}
.track u{position:absolute;top:0;width:3px;height:100%;background:var(--tail)}
.number{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:600;color:var(--faint)}td,th{padding:.35rem .7rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
td:first-child,th:first-child,td:last-child,th:last-child{text-align:left}
ul{columns:2;color:var(--faint);padding-left:1.1rem}
.pose{background:#6aa84f!important}.audio{background:#7cc4ff!important}.text{background:#e69f00!important}.engine{background:#9a6fb0!important}
"""  # noqa: E501
_STAGES = ("pose", "audio", "text", "engine")


def page(
    engines: Sequence[EngineRow],
    sources: Sequence[SourceRow],
    *,
    table: Sequence[Sequence[str]],
    facts: Sequence[str],
    accuracy: Mapping[str, str],
) -> str:
    """The report as HTML.

    Args:
        table: every figure as text, the first row its header.
        facts: about the machine.
        accuracy: mask -> the model card's figure in words.
    """
    done = [row for row in engines if row.p50_ms is not None and row.p95_ms is not None]
    longest = max((row.p95_ms or 0.0 for row in done), default=0.0) or 1.0
    bars = "".join(_engine(row, longest, accuracy.get(row.mask, "")) for row in done)
    head = "".join(f"<th>{html.escape(title)}</th>" for title in table[0])
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in table[1:])
    machine = "".join(f"<li>{html.escape(fact)}</li>" for fact in facts)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1"><title>emoje-edge bench</title>'
        f"<style>{_STYLE}</style><h1>Latency on this device</h1>"
        f"<p>{html.escape(_in_short(done))}</p>"
        f"<h2>Engines</h2><p>A bar is the median of one call, the mark its 95th percentile.</p>{bars}"
        + _videos(sources)
        + f"<h2>Every figure</h2><div class=wide><table><tr>{head}</tr>{body}</table></div>"
        f"<h2>The machine</h2><ul>{machine}</ul></html>\n"
    )


def _in_short(done: list[EngineRow]) -> str:
    """One sentence that a reader may take away."""
    if not done:
        return "No engine could be measured; the table says why."
    best, worst = min(done, key=lambda row: row.p50_ms or 0.0), max(done, key=lambda row: row.p50_ms or 0.0)
    return (
        f"An utterance takes an engine {best.p50_ms:.2f} ms ({best.mask}) to {worst.p50_ms:.2f} ms ({worst.mask}), "
        "the median of many calls; finding words, bodies and sound comes on top."
    )


def _engine(row: EngineRow, longest: float, accuracy: str) -> str:
    p50, p95 = row.p50_ms or 0.0, row.p95_ms or 0.0
    small = f"{row.backend} {row.precision}, batch {row.batch}" + (f" · {accuracy}" if accuracy else "")
    return (
        f"<div class=row><div><b>{html.escape(row.mask)}</b><br><small>{html.escape(small)}</small></div>"
        f"<div class=track><i style='width:{_percent(p50, longest)}'></i>"
        f"<u style='left:calc({_percent(p95, longest)} - 3px)'></u></div>"
        f"<div class=number>{p50:.2f} ms<br><small>p95 {p95:.2f}</small></div></div>"
    )


def _videos(sources: Sequence[SourceRow]) -> str:
    if not sources:
        return ""
    rows = []
    for row in sources:
        whole = max(sum(row.stages_s.values()), row.duration_s)
        parts = "".join(
            f"<i class={stage} title='{stage} {row.stages_s.get(stage, 0.0):.2f} s' "
            f"style='width:{_percent(row.stages_s.get(stage, 0.0), whole)}'></i>"
            for stage in _STAGES
        )
        rows.append(
            f"<div class=row><div><b>{html.escape(row.name)}</b></div><div class=track>{parts}</div>"
            f"<div class=number>{row.duration_s / row.wall_s:.1f}× real time</div></div>"
            f"<p>{html.escape(' '.join(row.lines()))}</p>"
        )
    colours = " · ".join(_STAGES)
    return f"<h2>Videos: where the time goes</h2><p>Busy seconds of {colours}, from left to right.</p>{''.join(rows)}"


def _percent(value: float, whole: float) -> str:
    return f"{100 * value / whole:.2f}%"
