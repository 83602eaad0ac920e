"""A training loop: its steps are changed while it runs, and the model and the count of epochs stay.

    midflight run --watch training.py

Then edit training_steps.py, the rate say, and save it. The next epoch runs the new steps.
"""

import random
import time

import training_steps  # a dotted call through the module is a call of its current version


def train(model, seconds=0.2):
    while True:
        for _ in range(100):
            x = random.uniform(-1, 1)
            training_steps.step(model, x, 3 * x + 2)
        model["epoch"] += 1
        print(training_steps.report(model), flush=True)
        time.sleep(seconds)


if __name__ == "__main__":
    train({"a": 0.0, "b": 0.0, "epoch": 0})
