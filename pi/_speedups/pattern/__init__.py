"""Search patterns: from their text to the program that both automata run."""
