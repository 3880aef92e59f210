"""What is said in a line of subtitles, without what describes sounds: brackets, songs, asterisks, tags."""

from __future__ import annotations

import html
import re

from emoje_edge.characters import visible

NOTES = "♪♫♬♩🎵🎶¶"
# what subtitle formats use; "<3" and "a < b" are words
_TAG = re.compile(
    r"</?(?:i|b|u|s|c|v|q|font|ruby|rt|rp|lang|span|em|strong|p|div|a)(?:[.\s][^<>]*)?/?>|<\d[\d:.]*>", re.I
)
_BREAK = re.compile(r"<br\s*/?>|\[br\]|\\N", re.IGNORECASE)
_RUBY = re.compile(r"<rt>[^<]*</rt>", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{(?:\\|[a-zA-Z]:)[^}]*\}")
_BRACKET = re.compile(r"\[([^\[\]()]*)\]|\(([^()\[\]]*)\)|（([^（）]*)）|【([^【】]*)】")
_OVER_LINES = re.compile(r"[\[(（][^\[\]()（）]*[\])）]")
_SUNG = re.compile(rf"[{NOTES}][^{NOTES}]*(?:[{NOTES}]|$)")
_HASHED = re.compile(r"^#(?:\s.*|.*#)$|\s#$|^~.*~$", re.DOTALL)
_STARRED = re.compile(r"(?<![\w*])\*+([^*]+)\*+(?![\w*])")  # not the stars of a word that is not written out
_ANGLED = re.compile(r"<([^<>]+)>")
SOUND = re.compile(
    r"\b(?:\w+ing|laugh\w*|sigh\w*|gasp\w*|sob\w*|cr(?:y|ies)|scream\w*|cough\w*|music\w*|song|applause|noise\w*|"
    r"silence|pause\w*|inaudible|indistinct|chuckle\w*|groan\w*|grunt\w*|sniff\w*|whisper\w*|shout\w*|yell\w*|"
    r"door\w*|phone\w*|both|all|continue\w*|off\w*|v\.?o\.?|speaks?|clears?|claps?|cheers?|beeps?|bells?|thunder|"
    r"static|gun\w*|shots?|explosions?|barks?|knocks?|footsteps?|chatter|murmurs?|breath\w*|pants|hums?|buzz\w*|"
    r"clicks?|rings?|sirens?|gulps?|yawns?|snores?|giggles?|moans?|whistles?|hiss\w*|thuds?|rumbl\w*|bang|boom|crash|"
    r"whoosh|thump|pop|ding|splash|crack|creaks?|beat|howls?|revs?|screech\w*|applauds?|horns?)\b|"
    # laughter, weeping, voices, noises, clapping, music
    r"笑|泣|哭|声|聲|音|叫|拍手|掌|웃|울음|박수|음악|смех|смеё|плач|крик|музык|аплод|стон|вздох",
    re.IGNORECASE,
)
# what a sentence has and a description of a sound, which is written like a telegram, has not
_SENTENCE = re.compile(
    r"\bI\b|\b(?i:you|we|me|my|your|our|us|is|are|was|were|am|it['’]s|that['’]s|there['’]s|he['’]s|she['’]s|what|why|how|"
    r"who|don['’]t|can['’]t|won['’]t|isn['’]t|didn['’]t|please|this|these)\b|['’](?i:m|re|ve|ll|d)\b"
)
_SHORTEST_SENTENCE = 3  # words


def plain(text: str) -> str:
    """Lines of text as they are shown: without the tags of SRT, WebVTT and ASS, also where these were escaped."""
    return untagged(visible(html.unescape(untagged(text))))


def untagged(text: str) -> str:
    """Text without tags."""
    return _OVERRIDE.sub("", _TAG.sub("", _RUBY.sub("", _BREAK.sub("\n", text)))).replace("\\h", " ")


def unsung(text: str) -> str:
    """All lines of a cue without what stands between notes, which is sung, or is music."""
    stripped = text.strip()
    if _HASHED.search(stripped) and not (re.match(r"#\w", stripped) and not stripped.endswith("#")):
        return ""
    return _SUNG.sub(lambda song: "\n" * song[0].count("\n") or " ", text)


def in_one_line(text: str) -> str:
    """Text whose brackets do not go over the end of a line."""
    return _OVER_LINES.sub(lambda bracket: bracket[0].replace("\n", " "), text)


def spoken(line: str) -> str:
    """A line without brackets and asterisks that describe a sound; a sentence that stands in some is said."""
    if (whole := _STARRED.fullmatch(line.strip())) and not _is_sentence(whole[1]):
        return ""
    line = _STARRED.sub(lambda star: " " if SOUND.search(star[1]) and not _is_sentence(star[1]) else star[1], line)
    line = _ANGLED.sub(lambda angle: " " if SOUND.search(angle[1]) and not _is_sentence(angle[1]) else angle[0], line)
    before = ""
    while line != before:  # brackets within brackets
        before, line = line, _BRACKET.sub(lambda found: _in_bracket(next((g for g in found.groups() if g), "")), line)
    return line


def _in_bracket(content: str) -> str:
    return f" {content} " if _is_sentence(content) else " "


def _is_sentence(content: str) -> bool:
    words = content.split()
    if _SENTENCE.search(content) and len(words) >= 2:
        return True
    end = content.rstrip()[-1:]
    least = {"!": 1, "?": 1, ".": _SHORTEST_SENTENCE, "…": _SHORTEST_SENTENCE}.get(end)
    return least is not None and len(words) >= least and not SOUND.search(content)
