"""Code that the functions share. Importing it makes the garbage collector start later.

With Python's own threshold, the collector examined the objects of a cold start about a dozen times, although all of
them stay. Objects that requests leave behind are still collected.
"""

import gc

gc.set_threshold(100_000)
