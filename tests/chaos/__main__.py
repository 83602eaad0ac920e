"""The command line: python -m chaos [--world still] --minutes 60 [--seed N], in the folder tests."""

from chaos.command import main

if __name__ == "__main__":
    raise SystemExit(main())
