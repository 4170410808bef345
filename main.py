"""InfoGAN on the command line, from a clone; `python main.py --help` explains."""

import sys

import configs
from infogan_tf.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv, configs))
