"""`python -m dsp_sep` is `dsp-sep`."""

from .cli import main

main()
