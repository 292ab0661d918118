"""What dsp_sep costs, beside other people's libraries and beside what the machine allows, measured in one run.

`python -m benchmarks --help` from the root of the repository; README.md says how to read the figures.

- `workload`: what is measured: a problem, the programs of dsp_sep, their floors, the peers, and how well each did.
- `sizes`, `precision`, `workloads/`: the workloads, one file a family; `workloads/cases` has every algorithm of the
  library, from the table of cases of the tests.
- `peers/`: other libraries doing the same work, one thin file each.
- `timing`, `memory`, `environment`: how it is measured, and on what.
- `cost`, `machine`: what a program must do, by formulas, and how fast the machine can be.
- `session`: a workload in, a record of the measurements out.
- `scaling`, `sharding`, `collectives`, `model`: growth along an axis; two devices, what they send, many on paper.
- `table`, `scaling_table`, `compare`, `roofline`, `page`: records to the terminal, a picture, the page of results.
"""
