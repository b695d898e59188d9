"""What the functions share. Loading it tells the garbage collector to wait: what a cold start makes, stays.

Python's own threshold had it look through all of that some dozen times. What requests leave behind is still collected.
"""

import gc

gc.set_threshold(100_000)
