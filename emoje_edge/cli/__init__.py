"""The command line."""


def main() -> None:
    from emoje_edge.cli.main import run

    run()
