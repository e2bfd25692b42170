"""The report part of the benchmark of the diagnoses: trainings that no limit was set on.

`tasks` and `sequences` draw the data, `networks` and `sequence_networks` build what learns it, `plan` says how one
training is made of them. `healthy` lists the good plans; `operators` are the mistakes that a person makes, each a
function from plan to plan; `faults` puts them into the plans, and `outcome` says whether a training suffers from it.

Nothing here is shared with `benchmarks/zoo.py`, on which the limits are set: no data set, and few architectures. No
plan was chosen or changed for what a diagnosis said of it.
"""
