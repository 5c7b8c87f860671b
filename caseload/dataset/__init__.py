"""NDTMS data sets as data: items, code lists, letters, the window and the rules. No model, no Django, no clock.

The data files in `data/` are ours and may be corrected; `docs` say: check them against the current NDTMS technical
definitions before a live submission. Import from the submodules (`reader`, `window`, `transforms`, `rules`, `explain`).
"""
