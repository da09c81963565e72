"""The benchmark: what is measured, and the operations as published that it is measured against."""
