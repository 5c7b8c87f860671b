"""An independent second reading of the extract contract, and generators of caseload bundles.

Nothing here imports product code: that two readings agree is worth something only while they are separate.
"""
