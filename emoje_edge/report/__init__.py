"""What a run leaves behind: rows, a timeline picture, a skeleton video."""
