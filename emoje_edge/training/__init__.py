"""Training, distillation and evaluation (torch; the `train` extra)."""
