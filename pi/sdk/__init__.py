"""pi inside of a program. The names are those of the package `pi` itself."""
