"""What an account can hold, and whether it has what imports need."""
