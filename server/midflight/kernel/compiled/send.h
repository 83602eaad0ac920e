/* Sending: from `pid << message` to the mailbox or the hands of the receiver. As `Pid.__lshift__` in `pure_core`. */

#ifndef MIDFLIGHT_SEND_H
#define MIDFLIGHT_SEND_H

#include "record.h"

/* Ask for a turn, if none is running or asked for. */
static inline int
core_wake(Core *core)
{
    PyObject *done;
    if (core->awake) {
        return 0;
    }
    done = PyObject_CallMethodNoArgs((PyObject *)core, core->state->str__wake);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static inline int
core_enqueue(Core *core, Record *process)
{
    return queue_append(core->queue, (PyObject *)process) < 0 ? -1 : core_wake(core);
}

/* Put `message` behind all others in the mailbox, and count it. */
static int
mailbox_append(Record *process, PyObject *message)
{
    State *state = process->core->state;
    if (is_none(process->mailbox)) {
        PyObject *mailbox = (PyObject *)queue_new(state->Queue_type);
        if (mailbox == NULL) {
            return -1;
        }
        Py_XSETREF(process->mailbox, mailbox);
    }
    if (Py_IS_TYPE(process->mailbox, state->Queue_type)) {
        if (queue_append((Queue *)process->mailbox, message) < 0) {
            return -1;
        }
    }
    else { /* a mailbox in two parts */
        PyObject *done = PyObject_CallMethodOneArg(process->mailbox, state->str_append, message);
        if (done == NULL) {
            return -1;
        }
        Py_DECREF(done);
    }
    process->arrived++;
    return 0;
}

/* Hand `message` to `process`, which waits for any message and for nothing else. */
static inline int
hand_over(Core *core, Record *process, PyObject *message)
{
    Py_SETREF(process->waiting, Py_NewRef(core->state->HANDED));
    Py_XSETREF(process->value, Py_NewRef(message));
    return core_enqueue(core, process);
}

/* Send `message` to a process that lives; return it, a new reference. */
static PyObject *
send_to(Record *process, PyObject *message)
{
    Core *core = process->core;
    State *state = core->state;
    PyObject *waiting;
    int failed;
    Py_INCREF(process); /* what is called below may end it */
    if ((long long)PyThread_get_thread_ident() != core->fast_thread) {
        PyObject *done =
            PyObject_CallMethodObjArgs((PyObject *)core, state->str__send_slowly, (PyObject *)process, message, NULL);
        failed = done == NULL;
        Py_XDECREF(done);
    }
    else if (process->waiting == state->RECEIVE) {
        failed = hand_over(core, process, message) < 0;
    }
    else {
        failed = mailbox_append(process, message) < 0;
        waiting = process->waiting;
        if (!failed && waiting != NULL && (PyObject *)Py_TYPE(waiting) == state->Receive) {
            /* It is looked at by the receiver itself, in its own turn. */
            process->waiting = NULL;
            Py_XSETREF(process->value, waiting);
            Py_XSETREF(process->resume, Py_NewRef(state->again));
            failed = core_enqueue(core, process) < 0;
        }
    }
    Py_DECREF(process);
    return failed ? NULL : Py_NewRef(message);
}

#endif
