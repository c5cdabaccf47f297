"""What `/` offers: a table of commands, and a module for each group of them, loaded when used."""
