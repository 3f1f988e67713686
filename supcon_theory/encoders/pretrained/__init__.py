"""Models trained by others, one file each: `load()`, and `embed(model, inputs)` -> (N, K, d).

Inputs are those of `data.labelled`. `models` says what each needs; `features` keeps what they give.
"""
