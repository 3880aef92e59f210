"""Plain sentences that anybody would give the same emotion, written before any engine was asked."""

SENTENCES: dict[str, tuple[str, ...]] = {
    "joy": (
        "I am so happy today!",
        "That is wonderful news!",
        "We won! This is the best day of my life!",
        "Thank you so much, I love it!",
        "I had a great time with you.",
        "Congratulations, I am so proud of you!",
    ),
    "sadness": (
        "I miss my mother so much.",
        "I am so sad that you are leaving.",
        "I'm sorry, my dog died yesterday.",
        "I feel so lonely without him.",
        "She broke my heart and I can't stop crying.",
        "I lost everything, there is nothing left.",
    ),
    "anger": (
        "I hate you! Get out!",
        "Shut up and leave me alone!",
        "How dare you lie to me!",
        "I am so angry with you right now!",
        "You ruined everything, you idiot!",
        "Stop it! I am sick of your excuses!",
    ),
    "surprise": (
        "Oh my God, I can't believe it!",
        "Wow, I did not expect that!",
        "What? Are you serious?",
        "Really? You are getting married?",
        "No way! How did you do that?",
        "What are you doing here?!",
    ),
    "fear": (
        "I am so scared!",
        "Please don't hurt me!",
        "I'm afraid of the dark.",
        "Help! Somebody is following me!",
        "I am terrified that he will find us.",
    ),
    "disgust": (
        "Eww, that is so disgusting!",
        "This smells awful, I am going to be sick.",
        "That is the most disgusting thing I have ever seen.",
        "Yuck, there is a hair in my soup.",
        "You are revolting, get that filthy thing away.",
    ),
    "neutral": (
        "The meeting is at ten.",
        "I will be back in five minutes.",
        "The keys are on the table.",
        "He works at the bank.",
        "Please send me the file.",
        "We could take the bus.",
        "I bought some milk and bread.",
    ),
}
