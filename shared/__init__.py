"""Code that the functions share. Importing it makes the garbage collector start later.

With Python's own threshold, it looked through the objects of a cold start some dozen times. Those objects all stay.
Objects that requests leave behind are still collected.
"""

import gc

gc.set_threshold(100_000)
