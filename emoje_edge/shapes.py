"""How much of one utterance an engine takes: one place for each size and rate."""

LONGEST = 7.68  # s; of a longer utterance its most telling part
TOKENS = 32  # of text
SAMPLE_RATE = 16_000  # Hz, of sound
FRAME_RATE = 100  # Hz, of log-mel
BANDS, WHISPER_BANDS = 64, 80  # of our log-mel, and of that which a Whisper branch hears
POSE_RATE = 12.5  # Hz; body motion that carries emotion lies below 6 Hz
FRAMES = round(LONGEST * FRAME_RATE)  # of log-mel
POSES = round(LONGEST * POSE_RATE)
MOST_PEOPLE = 16  # bodies that are followed at most: about 12 ms each a picture
