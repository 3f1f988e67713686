"""`python -m supcon_theory`: the command `supcon-theory` without its installed script."""

from supcon_theory.app.command import main

if __name__ == "__main__":
    main()
