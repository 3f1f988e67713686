"""The command `supcon-theory`."""
