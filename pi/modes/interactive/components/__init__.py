"""Parts that extensions put together: text, layout, and controls that a person works with.

Every part can be drawn; one that takes keys has `handle`, and `cursor` where it writes. What holds
others passes on keys, focus, the cursor and the mouse to the one that has the keyboard. Extensions
have them by name from `pi.extensions.ui`.
"""
