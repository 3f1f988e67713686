"""What a loss value means: where it lies between the least possible, chance and the most possible.

cosines         what an anchor sees: the cosines of each set of rows
losses          the loss of an anchor from what it sees, for every id
batches         class counts of random batches
scale           the lines of the scale: least, landmarks, most
libraries       what public libraries really compute
verdict         the sentence about one value
ruler           all of it for one setting
"""
