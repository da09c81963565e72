"""What all figures share: colours that are read on light and dark pages, and told apart by colour-blind people."""

BACKGROUND, INK, FAINT = "#fbfbf9", "#24292f", "#9aa0a6"
"""Of figures on any page: an opaque ground, text, and axes."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555")
"""Of curves, after Okabe and Ito: blue, orange, green, pink, light blue, yellow, grey."""
