"""What can be wrong with a spec or a calibration; the caller knows which command mends it."""


class SpecError(ValueError):
    """A spec that cannot be read, or that does not fit the network."""


class BudgetError(RuntimeError):
    """No choice of layers keeps the budget."""
