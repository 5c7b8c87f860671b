"""The table of design section 10: what our work costs, beside a baseline in the same run. `python -m tests.benchmarks`, never a timed test."""
