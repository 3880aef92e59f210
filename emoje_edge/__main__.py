"""`python -m emoje_edge`."""

from emoje_edge.cli import main

main()
