"""What partners check the trail with. `verify_trail.py` is handed out as it is: one file, standard library only, nothing of ours."""
