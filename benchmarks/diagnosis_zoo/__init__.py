"""The benchmark of the diagnoses: trainings that are healthy or made ill, in two parts.

`tasks` and `sequences` draw the data, `networks` and `sequence_networks` build what learns it, `plan` says how one
training is made of them. `healthy` lists the good plans; the `*_faults` are the mistakes that a person makes, each a
function from plan to plan; `faults` puts them into the plans, and `outcome` says whether a training suffers from it.

The report is made of what is in the `sealed_*` files: tasks, most of them learned by architectures that stood nowhere
before, written by someone who saw no rule, no limit and no diagnosis, and changed for their outcomes alone
(`Task.sealed`). All the other tasks are the development part. Some of them were once the report's; since these were
looked at, rules may be looked at on all of them, as on `benchmarks/zoo.py`, on which the limits are set. These three
share no data set.
"""
