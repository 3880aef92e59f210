"""From a video to utterances: decoding, who spoke when, body landmarks, log-mel, token ids.

Import the module that is needed: heavy libraries (av, mediapipe, tokenizers) come in only with those that use them.
"""
