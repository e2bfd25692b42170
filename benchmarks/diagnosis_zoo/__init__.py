"""The benchmark of the diagnoses: trainings that are healthy or made ill, in seven parts.

`tasks` and `sequences` draw the data, `networks` and `sequence_networks` build what learns it, `plan` says how one
training is made of them. `healthy` lists the good plans; the `*_faults` are the mistakes that a person makes, each a
function from plan to plan; `faults` puts them into the plans, and `outcome` says whether a training suffers from it.

It has parts (`Task.part`). Each was written by someone who saw no rule, no limit and no diagnosis, was changed for its
outcomes alone, and was the report's until it had been looked at: since then rules may be looked at on it, as on
`benchmarks/zoo.py`, on which the limits are set. The sixth (`tasks.SEALED`) is the report's now, and the seventh
(`tasks.BEFORE`) that of checkups. No two of these share a data set. `second_*` hold the second part, and so on to
`seventh_*`; the other files hold the first and what all stand on.
"""
