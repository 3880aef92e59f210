"""Who speaks, and what is said: names, dashes and brackets in all the ways that captioners write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emoje_edge.perception.cues import read_cues

Said = list[tuple[str | None, str]]


def said(tmp_path: Path, *cues: str, name: str = "a.srt") -> Said:
    text = "WEBVTT\n\n" if name.endswith("vtt") else ""
    mark = "." if name.endswith("vtt") else ","
    for i, cue in enumerate(cues):
        text += f"{i + 1}\n00:{i:02}:00{mark}000 --> 00:{i:02}:02{mark}000\n{cue}\n\n"
    (tmp_path / name).write_text(text, encoding="utf-8")
    return [(cue.speaker, cue.text or "") for cue in read_cues(tmp_path / name)]


@pytest.mark.parametrize(
    ("cue", "found"),
    [
        ("&gt;&gt; CARLA: Not today.", [("CARLA", "Not today.")]),
        (">> CARLA: No.\n>> Why not?", [("CARLA", "No."), (None, "Why not?")]),
        (">>> Good evening.", [(None, "Good evening.")]),
        ("CARLA:Not today.", [("CARLA", "Not today.")]),
        ("CARLA：今日は。", [("CARLA", "今日は。")]),
        ("WOMAN #2: Help!", [("WOMAN #2", "Help!")]),
        ("112 DISPATCHER: Where are you?", [("112 DISPATCHER", "Where are you?")]),
        ("(speaker 1) Hello", [("speaker 1", "Hello")]),
        ("[SPEAKER_01]: Hello", [("SPEAKER_01", "Hello")]),
        ("Speaker 12: Hello", [("Speaker 12", "Hello")]),
        ("MR. & MRS. LEE: Hello", [("MR. & MRS. LEE", "Hello")]),
        ("MR. STERLING: Hello", [("MR. STERLING", "Hello")]),
        ("GIRL (on the phone): Hello", [("GIRL", "Hello")]),
        ("CARLA:\nNot today.", [("CARLA", "Not today.")]),
        ("2ND MAN: Me too", [("2ND MAN", "Me too")]),
        ("Dr. Okafor: Sit down.", [("Dr. Okafor", "Sit down.")]),
        ("Speaker B: Hello", [("Speaker B", "Hello")]),
        ("Narrator: Long ago.", [("Narrator", "Long ago.")]),
        ("[CARLA:] Not today.", [("CARLA", "Not today.")]),
        ("CARLA:- Not today.", [("CARLA", "Not today.")]),
        ("CARLA﹕Not today.", [("CARLA", "Not today.")]),
        ("\u202aCARLA: Not today.\u202c", [("CARLA", "Not today.")]),
        ("-- CARLA: Not today.", [("CARLA", "Not today.")]),
        (">> CARLA: No. >> BEN: Why not?", [("CARLA", "No."), ("BEN", "Why not?")]),
        (">> Are you sure? >> I am.", [(None, "Are you sure?"), (None, "I am.")]),
        ("THE TRUTH IS: I miss her.", [(None, "THE TRUTH IS: I miss her.")]),
        ("I TOLD YOU: no.", [(None, "I TOLD YOU: no.")]),
        ("It is 10:30 now", [(None, "It is 10:30 now")]),
        ("http://example.org is down", [(None, "http://example.org is down")]),
        ("Score 3:1, we won", [(None, "Score 3:1, we won")]),
    ],
)
def test_speakers(tmp_path: Path, cue: str, found: Said) -> None:
    assert said(tmp_path, cue) == found


@pytest.mark.parametrize(
    ("cue", "words"),
    [
        ("(You never told me that.)", "You never told me that."),
        ("[Why did he leave?]", "Why did he leave?"),
        ("(softly): Come in.", "Come in."),
        ("#blessed to be here", "#blessed to be here"),
        ("We are #1", "We are #1"),
        ("♪ dum dum ♪ Stop that now", "Stop that now"),
        ("Stop that now ♪", "Stop that now"),
        ("Stop♪ dum dum ♪that now", "Stop that now"),
        ("♪ dum dum\nde dum ♪\nStop that now", "Stop that now"),
        ("I *really* mean it", "I really mean it"),
        ("*door slams* Who is it?", "Who is it?"),
        ("I <3 you, and 2 < 3 > 1", "I <3 you, and 2 < 3 > 1"),
        ("<i>Never</i> <font color='red'>again</font>", "Never again"),
        ("One<br>two<br/>three", "One two three"),
        ("{\\an8}Up here {really}", "Up here {really}"),
        ("Tom &amp; I", "Tom & I"),
        ("(No!)", "No!"),
        ("[Really?]", "Really?"),
        ("(It's over.)", "It's over."),
        ("f*ck that sh*t", "f*ck that sh*t"),
        ("You a**hole", "You a**hole"),
        ("Never\\Nagain", "Never again"),
        ("&lt;i&gt;Never&lt;/i&gt; again", "Never again"),
        ("<ruby>漢字<rt>かんじ</rt></ruby>です", "漢字です"),
        ("((thunder) rolls) Come in", "Come in"),
        ("[music playing\nloudly] Come in", "Come in"),
        ("<sighs> Come in", "Come in"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_what_is_said_is_kept(tmp_path: Path, cue: str, words: str) -> None:
    assert said(tmp_path, cue) == [(None, words)]


@pytest.mark.parametrize(
    "cue",
    [
        "* guitar playing *",
        "*sighs*",
        "(Door slams.)",
        "[dog barking in the distance]",
        "(gunshots)",
        "(She laughs.)",
        "(Man speaks Spanish.)",
        "# La la la #",
        "# La la la",
        "♪ La la la",
        "♪ La la\nla la ♪",
        "【音楽】",
        "（笑）",
        "(박수)",
        "¶ La la la ¶",
        "~ La la la ~",
        "#La la la#",
        "(Bang!)",
        "[music playing\nloudly]",
        "<laughs>",
        "- (laughing)\n- [crying]",
    ],
)
def test_what_is_no_speech_is_not_judged(tmp_path: Path, cue: str) -> None:
    assert said(tmp_path, "One.", cue, "Two.") == [(None, "One."), (None, "Two.")]


@pytest.mark.parametrize(
    ("cues", "found"),
    [
        (("花子：遅いよ。", "太郎：ごめん。"), [("花子", "遅いよ。"), ("太郎", "ごめん。")]),
        (("（花子）遅いよ。", "（太郎）ごめん。"), [("花子", "遅いよ。"), ("太郎", "ごめん。")]),
        (("أحمد: مرحبا", "أحمد: نعم"), [("أحمد", "مرحبا"), ("أحمد", "نعم")]),
        (("（笑）そうです。", "（笑）はい。"), [(None, "そうです。"), (None, "はい。")]),
    ],
)
def test_names_in_scripts_without_capitals(tmp_path: Path, cues: tuple[str, ...], found: Said) -> None:
    assert said(tmp_path, *cues) == found


def test_webvtt_writes_chevrons_as_entities_and_names_in_tags(tmp_path: Path) -> None:
    cues = ("&gt;&gt; CARLA: It rains.", "<v.loud Ben>I know.</v>", "&lt;3 to all")
    assert said(tmp_path, *cues, name="a.vtt") == [("CARLA", "It rains."), ("Ben", "I know."), (None, "<3 to all")]


@pytest.mark.parametrize(
    ("cue", "found"),
    [
        ("<v Ben\nCarla>I know.", [("Ben Carla", "I know.")]),
        ("<v Ben&#10;Carla>I know.", [("Ben Carla", "I know.")]),
        ("<v Ben &gt;&gt; Carla>I know.", [("Ben >> Carla", "I know.")]),
        ("<v B\0en>I know.", [("B en", "I know.")]),
        ("<v  >I know.", [(None, "I know.")]),
        ("[a <v Ben>door] I know.", [(None, "I know.")]),
        ("\0007\0I know.", [(None, "7 I know.")]),
    ],
)
def test_a_voice_may_be_called_anything(tmp_path: Path, cue: str, found: Said) -> None:
    """Mutants 1259 and 2359 of seed 2: a line's end within the name."""
    path = tmp_path / "a.json"  # no text file holds a zero, but a transcript may
    path.write_text(json.dumps([{"start": 1, "end": 2, "text": cue}]))
    assert [(c.speaker, c.text or "") for c in read_cues(path)] == found


ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,40

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def ass(tmp_path: Path, *lines: str) -> Said:
    events = "".join(f"Dialogue: 0,0:00:{i:02}.00,0:00:{i:02}.90,{line}\n" for i, line in enumerate(lines))
    (tmp_path / "a.ass").write_text(ASS + events, encoding="utf-8")
    return [(cue.speaker, cue.text or "") for cue in read_cues(tmp_path / "a.ass")]


@pytest.mark.parametrize(
    "line",
    [
        "Sign,,0,0,0,,EXIT",
        "ep1_signs,,0,0,0,,EXIT",
        "OP Romaji,,0,0,0,,kimi no na",
        "ED2,,0,0,0,,kimi no na",
        "Default,,0,0,0,fx,ki",
        "Default,,0,0,0,karaoke,kimi",
        "Default,,0,0,0,,{\\k30}ki{\\k20}mi",
        "Default,,0,0,0,,{\\p1}m 0 0 l 9 9",
        "Board,,0,0,0,,{\\pos(10,20)}EXIT",
    ],
)
def test_signs_karaoke_and_effects_are_not_said(tmp_path: Path, line: str) -> None:
    spoken = [
        "Default,Ana,0,0,0,,I missed you",
        "Default,,0,0,0,,{\\an8}So did I",
        "Default,,0,0,0,,{\\pos(9,9)}Me too",
    ]
    assert ass(tmp_path, *spoken, line) == [("Ana", "I missed you"), (None, "So did I"), (None, "Me too")]


def test_a_file_in_which_all_is_called_a_sign_is_read_all_the_same(tmp_path: Path) -> None:
    assert ass(tmp_path, "Titles,,0,0,0,,I missed you") == [(None, "I missed you")]
