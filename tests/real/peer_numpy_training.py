"""A training loop on NumPy: weights that a global statement binds anew, and a schedule that is edited mid-run."""

from __future__ import annotations

from real.harness import Edit, EveryEdit, Running


class Training(Running):
    """The training after 3 steps."""

    folder = "numpy_training"

    def begin(self) -> None:
        self.value("await app.train(3)")

    def state(self) -> object:
        """Steps go on from where they are, and the error falls."""
        at = "(training.steps, len(training.history), float(abs(training.weights[0] - 3)))"
        steps, history, error = self.value(at)
        self.value("await app.train(1)")
        later_steps, later_history, later_error = self.value(at)
        return later_steps - steps, later_history - history, later_error < error < 2.9, steps == history


def trained(training: Training) -> object:
    """Return the rate of one more step, and how its loss is averaged."""
    training.value("await app.train(1)")
    return training.value("training.history[-1]")


class TestTraining(EveryEdit):
    """The list, for the training."""

    program = Training
    handler = Edit(
        "training.py",
        (("RATE / (1 + 0 * step)", "RATE / 2"),),
        look=trained,
        before=(0.5, "mean"),
        after=(0.25, "mean"),
        changed=("rate",),
        says=("weights", "steps", "history"),
    )
    again = Edit(
        "training.py",
        (("RATE / 2", "RATE / 4"),),
        look=trained,
        before=(0.25, "mean"),
        after=(0.125, "mean"),
        changed=("rate",),
        says=("weights", "steps", "history"),
    )
    method = Edit(
        "training.py",
        (('return "mean"', 'return "average"'),),
        look=trained,
        before=(0.5, "mean"),
        after=(0.5, "average"),
        changed=("Average.add",),
        says=("averages", "weights", "steps"),
    )
    constant = Edit(
        "training.py",
        (("RATE = 0.5", "RATE = 0.3"),),
        look=trained,
        before=(0.5, "mean"),
        after=(0.3, "mean"),
        changed=("RATE",),
        says=("weights", "steps"),
    )
    added = Edit(
        "training.py",
        (("def step()", "def fitted():\n    return round(float(weights[0]), 1) > 0\n\n\ndef step()"),),
        look=lambda training: training.value("training.fitted() if hasattr(training, 'fitted') else None"),
        before=None,
        after=True,
        added=("fitted",),
        says=("weights", "steps"),
    )
    renamed = Edit(
        "training.py",
        (
            ("def rate(", "def schedule("),
            ("weights - rate(", "weights - schedule("),
            ("(round(rate(", "(round(schedule("),
        ),
        look=trained,
        before=(0.5, "mean"),
        after=(0.5, "mean"),
        added=("schedule",),
        changed=("step",),
        removed=("rate",),
        says=("weights", "steps"),
    )
