"""Text as LaTeX prints it."""

PRINTED = {
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"<": "$<$", ">": "$>$", "|": "$|$", "≤": r"$\le$", "≥": r"$\ge$", "−": "$-$"},
    **{"τ": r"$\tau$", "κ": r"$\kappa$", "√": r"$\surd$", "×": r"$\times$", "′": "$'$"},
    **{"→": r"$\to$", "∞": r"$\infty$", "Ṽ": r"$\tilde V$"},
    "\u00a0": "~",
}


def escaped(text: str) -> str:
    """Text with every character that LaTeX reads as something else written as it prints it."""
    return "".join(PRINTED.get(character, character) for character in text)
