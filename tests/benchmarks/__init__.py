"""The table of design section 10: what our work costs, beside a baseline in the same run. Never a timed test."""
