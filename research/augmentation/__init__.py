"""What the recipes make of their corpora: other words, other backgrounds, composite utterances."""
