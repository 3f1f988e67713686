"""`python -m supcon_theory.app`: the command without its installed script."""

from supcon_theory.app.command import main

if __name__ == "__main__":
    main()
