"""What is said in a line of subtitles, without what describes sounds: brackets, songs, asterisks, tags."""

from __future__ import annotations

import re

NOTES = "♪♫♬♩🎵🎶"
# what subtitle formats use; "<3" and "a < b" are words
_TAG = re.compile(
    r"</?(?:i|b|u|s|c|v|q|font|ruby|rt|rp|lang|span|em|strong|p|div|a)(?:[.\s][^<>]*)?/?>|<\d[\d:.]*>", re.I
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{(?:\\|[a-zA-Z]:)[^}]*\}")
_BRACKET = re.compile(r"\[([^\[\]]*)\]|\(([^()]*)\)|（([^（）]*)）|【([^【】]*)】")
_SUNG = re.compile(rf"[{NOTES}][^{NOTES}]*(?:[{NOTES}]|$)")
_HASHED = re.compile(r"^#(?:\s.*|.*\s#)$|\s#$", re.DOTALL)
_STARRED = re.compile(r"\*+([^*]+)\*+")
SOUND = re.compile(
    r"\b(?:\w+ing|laugh\w*|sigh\w*|gasp\w*|sob\w*|cr(?:y|ies)|scream\w*|cough\w*|music\w*|song|applause|noise\w*|"
    r"silence|pause\w*|inaudible|indistinct|chuckle\w*|groan\w*|grunt\w*|sniff\w*|whisper\w*|shout\w*|yell\w*|"
    r"door\w*|phone\w*|both|all|continue\w*|off\w*|v\.?o\.?|speaks?|clears?|claps?|cheers?|beeps?|bells?|thunder|"
    r"static|gun\w*|shots?|explosions?|barks?|knocks?|footsteps?|chatter|murmurs?|breath\w*|pants|hums?|buzz\w*|"
    r"clicks?|rings?|sirens?|gulps?|yawns?|snores?|giggles?|moans?|whistles?|hiss\w*|thuds?|rumbl\w*)\b",
    re.IGNORECASE,
)
# what a sentence has and a description of a sound, which is written like a telegram, has not
_SENTENCE = re.compile(
    r"\b(?:I|you|we|me|my|your|our|us|is|are|was|were|am|it's|that's|there's|what|why|how|who|don't|can't|won't|"
    r"isn't|didn't|please|this|these)\b|['’](?:m|re|ve|ll|d)\b"
)
_SHORTEST_SENTENCE = 3  # words


def untagged(text: str) -> str:
    """Text without the tags of SRT, WebVTT and ASS."""
    return _OVERRIDE.sub("", _TAG.sub("", _BREAK.sub("\n", text)))


def unsung(text: str) -> str:
    """All lines of a cue without what stands between notes, which is sung, or is music."""
    stripped = text.strip()
    if _HASHED.search(stripped) and not re.match(r"#\w", stripped):
        return ""
    return _SUNG.sub(lambda song: "\n" * song[0].count("\n"), text)


def spoken(line: str) -> str:
    """A line without brackets and asterisks that describe a sound; a sentence that stands in some is said."""
    if (whole := _STARRED.fullmatch(line.strip())) and not _is_sentence(whole[1]):
        return ""
    line = _STARRED.sub(lambda star: " " if SOUND.search(star[1]) and not _is_sentence(star[1]) else star[1], line)
    return _BRACKET.sub(lambda bracket: _in_bracket(next((g for g in bracket.groups() if g), "")), line)


def _in_bracket(content: str) -> str:
    return f" {content} " if _is_sentence(content) else " "


def _is_sentence(content: str) -> bool:
    words = content.split()
    if _SENTENCE.search(content) and len(words) >= 2:
        return True
    ends = content.rstrip().endswith((".", "!", "?", "…"))
    return ends and len(words) >= _SHORTEST_SENTENCE and not SOUND.search(content)
