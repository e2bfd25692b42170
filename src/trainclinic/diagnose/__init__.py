"""From a recording to its root causes."""
