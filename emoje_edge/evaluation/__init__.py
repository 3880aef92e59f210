"""How good a model or its engines are on a labelled corpus: whole, with modalities missing, and with company."""
