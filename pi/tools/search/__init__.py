"""What grep and find share: globs, ignore files, the walk over a tree, the matching of lines."""
