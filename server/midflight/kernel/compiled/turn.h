/* The turn of the run queue: as `Core.turn` in `pure_core`, step by step; that one says why. */

#ifndef MIDFLIGHT_TURN_H
#define MIDFLIGHT_TURN_H

#include "waits.h"

#define STEPS_A_LOOK 32 /* processes stepped between two looks at the clock, at most */

/* Step the process until it waits, has ended or has used its budget. */
static Course
run_slice(Slice *slice)
{
    Course course = GOES_ON;
    while (course == GOES_ON) {
        PyObject *result = NULL;
        PySendResult how = PYGEN_ERROR;
        if (enter_context(slice) == 0) {
            how = step(slice->process, slice->value, &result);
        }
        course = how == PYGEN_NEXT     ? has_yielded(slice, result)
                 : how == PYGEN_RETURN ? has_returned(slice, result)
                                       : has_raised(slice);
    }
    leave_context(slice);
    return course;
}

/* Make `process` the current task of the loop; NULL: nobody. */
static inline int
set_current(Core *core, Record *process)
{
    if (process != NULL) {
        return PyDict_CheckExact(core->tasks) ? PyDict_SetItem(core->tasks, core->loop, (PyObject *)process)
                                              : PyObject_SetItem(core->tasks, core->loop, (PyObject *)process);
    }
    if (PyDict_CheckExact(core->tasks)) {
        int is_there = PyDict_Contains(core->tasks, core->loop);
        return is_there > 0 ? PyDict_DelItem(core->tasks, core->loop) : is_there;
    }
    PyObject *done = PyObject_CallMethodObjArgs(core->tasks, core->state->str_pop, core->loop, Py_None, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* When a turn looks at the clock: after one step, then after more while they are quick. */
typedef struct {
    PyObject *now;
    double until, looked; /* seconds; `looked` is -inf before the first look */
    int a_look;
} Watch;

/* Look at the clock; say whether the time is up; -1 with an exception. Seldom, so apart from the loop. */
static __attribute__((noinline)) int
is_time_up(State *state, Watch *watch)
{
    double seconds = time_by(state, watch->now);
    int is_quick;
    if (PyErr_Occurred()) {
        return -1;
    }
    is_quick = watch->until - seconds >= 4 * (seconds - watch->looked) || watch->looked == -Py_HUGE_VAL;
    watch->a_look = !is_quick ? 1 : 2 * watch->a_look < STEPS_A_LOOK ? 2 * watch->a_look : STEPS_A_LOOK;
    watch->looked = seconds;
    return seconds >= watch->until;
}

/* Step the processes of `queue` as long as the time lasts. -1 with an exception, of what is around the steps. */
static int
run_queue(Core *core, Queue *queue, PyObject *now, double until, Record **last)
{
    Watch watch = {now, until, -Py_HUGE_VAL, 1};
    int steps = 1;
    while (queue->count) {
        Slice slice = {core, now, NULL, NULL, NULL, RECEIVES_A_TURN, 0};
        Record *process = (Record *)queue_pop_left(queue);
        Course course;
        int used;
        Py_XSETREF(*last, process);
        if (!is_record(core->state, (PyObject *)process)) {
            PyErr_SetString(PyExc_TypeError, "what is in the run queue is not a process");
            Py_CLEAR(*last);
            return -1;
        }
        if (set_current(core, process) < 0) {
            return -1;
        }
        slice.process = process;
        slice.value = process->value;
        process->value = NULL;
        course = run_slice(&slice);
        if (course == WENT_WRONG) { /* before what is dropped below can run code */
            PyObject *error = take_exception();
            Py_XDECREF(slice.value);
            Py_XDECREF(slice.last);
            put_exception(error);
            return -1;
        }
        Py_XDECREF(slice.value);
        Py_XDECREF(slice.last);
        used = RECEIVES_A_TURN - slice.budget + 1;
        process->reductions += used;
        steps -= used;
        if (steps <= 0) {
            int is_up = is_time_up(core->state, &watch);
            if (is_up) {
                return is_up < 0 ? -1 : 0;
            }
            steps = watch.a_look;
        }
    }
    return 0;
}

static PyObject *
Core_turn(Core *self, PyObject *const *args, Py_ssize_t count)
{
    State *state = self->state;
    Queue *queue = self->queue;
    Record *process = NULL;
    double until;
    int failed;
    if (count < 2 || count > 3) {
        PyErr_SetString(PyExc_TypeError, "turn takes now, until and maybe a queue");
        return NULL;
    }
    if (count == 3 && args[2] != Py_None) {
        if (!Py_IS_TYPE(args[2], state->Queue_type)) {
            PyErr_SetString(PyExc_TypeError, "turn takes a queue of the compiled kernel");
            return NULL;
        }
        queue = (Queue *)args[2];
    }
    until = PyFloat_AsDouble(args[1]);
    if (until == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    Py_INCREF(self);
    Py_INCREF(queue);
    state->running = self;
    failed = run_queue(self, queue, args[0], until, &process) < 0;
    if (failed) {
        PyObject *error = take_exception(), *done;
        done = PyObject_CallMethodObjArgs((PyObject *)self, state->str__failed, or_none((PyObject *)process), error, NULL);
        failed = done == NULL;
        Py_XDECREF(done);
        Py_DECREF(error);
    }
    if (state->running == self) {
        state->running = NULL;
    }
    if (failed) {
        PyObject *error = take_exception();
        if (set_current(self, NULL) < 0) {
            PyErr_WriteUnraisable((PyObject *)self);
        }
        put_exception(error);
    }
    else {
        failed = set_current(self, NULL) < 0;
    }
    Py_XDECREF(process);
    count = queue->count;
    Py_DECREF(queue);
    Py_DECREF(self);
    return failed ? NULL : PyBool_FromLong(count > 0);
}

#endif
