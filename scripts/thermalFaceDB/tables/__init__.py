"""What run_table.py makes tables of: which cells there are (plan), running them (runs), writing them down (render).

A row is a learning strategy, a column a network of the Thermal Face Database, a cell one run per seed.
"""
