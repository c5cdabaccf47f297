"""What is read from disk to instruct the model: context files and prompts."""
