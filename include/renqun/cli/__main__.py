"""`python -m renqun.cli` is `renqun`."""

from renqun.cli import main

main()
