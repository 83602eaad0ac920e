"""A line fitted to points, step by step."""

import numpy as np

RATE = 0.5

xs = np.linspace(-1.0, 1.0, 21)
ys = 3.0 * xs + 1.0
weights = np.zeros(2)
history = []
steps = 0


class Average:
    """A mean that forgets."""

    def __init__(self):
        self.value = 0.0

    def add(self, loss):
        self.value = 0.9 * self.value + 0.1 * loss
        return "mean"


averages = {}


def rate(step):
    return RATE / (1 + 0 * step)


def step():
    global steps, weights
    errors = weights[0] * xs + weights[1] - ys
    gradient = np.array([(errors * xs).mean(), errors.mean()])
    weights = weights - rate(steps) * gradient
    name = averages.setdefault("loss", Average()).add(float((errors**2).mean()))
    steps += 1
    history.append((round(rate(steps), 3), name))
