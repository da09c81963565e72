"""Reports: self-contained HTML pages about a test, or several side by side."""
