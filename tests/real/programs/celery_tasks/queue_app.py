"""The queue of tasks; they run where they are called."""

from celery import Celery

app = Celery("shop", broker="memory://")
app.conf.task_always_eager = True
app.conf.task_store_eager_result = False
