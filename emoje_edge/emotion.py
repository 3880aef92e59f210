"""The seven emotions of MELD, which are Ekman's six and neutral, in the order of every shipped engine's logits."""

EMOTIONS: tuple[str, ...] = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
