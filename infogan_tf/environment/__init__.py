"""What the program finds around it: how it was called, the Keras backend, installed versions, a network."""
