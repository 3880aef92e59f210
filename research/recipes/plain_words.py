"""Plain sentences: words that tell nothing of who says them, in the mouths of people who are moved.

Beside a voice they are no witness: whoever says "The train leaves from platform two" may be glad or furious.  They come
in the shapes that talk has – where something is, when something happens, what is asked for, what somebody has or did –
so that a line of another shape is plain, too.  What the evaluation says (`evaluation.stress_conditions`,
`evidence.lines`) is not among them.
"""

from __future__ import annotations

import numpy as np

from emoje_edge.emotion import EMOTIONS
from emoje_edge.training.datasets import UNLABELLED, Corpus, Sample
from research.recipes.plain import split

COUNT, SEED = 1200, 7


# what stands in the frames; a frame is filled with one of each
_PARTS = {
    "thing": split(
        "the key|a letter|the paper|your coat|the lamp|the blue folder|his car|the ladder|a bottle|the map|our ticket"
        "|the phone|her bag|the spare tyre|a cup of tea|the list|my umbrella|the second box|the radio|a sandwich"
    ),
    "who": split(
        "my neighbour|the teacher|her brother|the driver|our boss|the doctor|his cousin|the guy from upstairs|she|he"
        "|they|the woman at the desk|my aunt|somebody|the others|the students|Peter|the new one"
    ),
    "place": split(
        "by the door|in the kitchen|across the street|next to the window|under the stairs|behind the house|downstairs"
        "|in the garden|at the station|in the top drawer|outside|over here|on the left|in the car|on the roof|at home"
    ),
    "when": split(
        "at noon|until Friday|yesterday|in the morning|after lunch|next week|in an hour|at a quarter to three|on Monday"
        "|before dinner|later|in May|every other day|tonight|around ten|these days"
    ),
    "does": split(
        "lives|works|waits|sits|stays|will be|used to work|was standing|is sitting|is staying|was waiting|parks"
    ),
    "did": split(
        "went to the market|drove home|came back|took the bus|walked the dog|cooked some rice|bought bread"
        "|read the news|painted the fence|opened a shop|moved to the coast|changed trains|cut the grass"
        "|made the beds|called again"
    ),
    "have": split("have|need|had|bought|saw|found|brought|want|sold|got|kept|looked at"),
    "number": split("two|three|four|a dozen|twenty|some|six|a couple of|seven|a few|both|nine"),
    "many": split("chairs|pages|stamps|apples|men|rooms|shirts|windows|boxes|birds|doors|people|plates|rows|emails"),
    "event": split("the class|the film|lunch|the match|our shift|the tour|the show|the course|the sale|my flight"),
    "do": split(
        "leave it there|take the stairs|bring the plates|write it down|hold this|turn the page|follow the signs"
        "|close the window|ask at the counter|use the other one|read the label|wash your hands|stand over there"
    ),
    "is": split(
        "blue|made of wood|new|the third one|mine|from Italy|ten past four|on page five|closed|round|his|empty|on loan"
    ),
    "town": split("Boston|the city|a village|Denver|the north|another country|this building|the next town|Ohio"),
}
_FRAMES = split(
    "{thing} is {place}|{thing} was {place} {when}|{who} {does} {place}|{event} is {when}|{event} lasts {number} hours"
    "|{thing} is {is}|it's {is}|that one is {is}|I will meet {who} {when}|we'll go there {when}|I {have} {thing}"
    "|you {have} {number} {many}|they {have} {number} {many} {place}|there were {number} {many} {place}"
    "|there's {thing} {place}|{who} {did}|{who} {did} {when}|we {did} {when}|I {did}|{do}|{do}, then {do}|you can {do}"
    "|where is {thing}|when is {event}|is {thing} {place}|did you see {who}|who {did}|which one is {is}"
    "|{who} is from {town}|{who} comes from {town}|I think {thing} is {place}|{who} said it was {when}"
    "|it's about {thing}|so {who} {did}, and I {did}|well, {event} was {when}|and {thing}|{number} {many}, {place}"
    "|{who} told me about {thing}|if it rains, we {did}|you know, {who} {did}|{when}, {place}|{when}"
    "|I have to go {when}|it takes {number} days|let me get {thing}|are you {place}|{who} and I {did}|okay, {when} then"
    "|what did {who} say about {thing}|this is {thing}, and that is {thing}"
)
_MARKS = (".", ".", ".", "", "!")  # a moved mouth has exclamation marks written behind anything


def _made(g: np.random.Generator) -> str:
    """One sentence; each slot of a frame is drawn anew."""
    frame = _FRAMES[g.integers(len(_FRAMES))]
    while "{" in frame:
        slot = frame[frame.index("{") + 1 : frame.index("}")]
        options = _PARTS[slot]
        frame = frame.replace(f"{{{slot}}}", options[g.integers(len(options))], 1)
    asks = frame.split()[0] in ("where", "when", "is", "did", "who", "which", "are", "what")
    return frame[0].upper() + frame[1:] + ("?" if asks else _MARKS[g.integers(len(_MARKS))])


def plain_words(count: int = COUNT, seed: int = SEED) -> tuple[str, ...]:
    """`count` plain sentences, the same ones each time; RAVDESS' own two stand at the beginning."""
    g = np.random.default_rng(seed)
    return ("Kids are talking by the door.", "Dogs are sitting by the door.", *(_made(g) for _ in range(count - 2)))


def plain_corpus(count: int = COUNT) -> Corpus:
    """`plain_words`, each a dialogue of its own, without labels."""
    lines = enumerate(plain_words(count))
    return Corpus("plain words", EMOTIONS, tuple(Sample(f"plain{i}", 0, UNLABELLED, text=line) for i, line in lines))
