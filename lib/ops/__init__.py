"""Kernels with derivatives of their own, each beside its plain PyTorch form (``plain_...``).

A kernel is there because it is faster, smaller in memory or more accurate than what PyTorch makes of the plain form,
which says what it computes. Both agree in value and gradient (``tests/ops``). No kernel reads a value back to the host.
"""
