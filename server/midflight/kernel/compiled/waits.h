/* What a process waits for that has yielded: a message, one that matches, its next turn, or something that only the
   scheduler knows. */

#ifndef MIDFLIGHT_WAITS_H
#define MIDFLIGHT_WAITS_H

#include "slice.h"

/* Take the first message out of a mailbox that is not empty into the slice's value. */
static int
take_first(Slice *slice)
{
    Record *process = slice->process;
    State *state = slice->core->state;
    PyObject *message;
    if (Py_IS_TYPE(process->mailbox, state->Queue_type)) {
        message = queue_pop_left((Queue *)process->mailbox);
    }
    else {
        message = PyObject_CallMethodNoArgs(process->mailbox, state->str_popleft);
        if (message == NULL) {
            return -1;
        }
    }
    Py_XSETREF(slice->value, message);
    return 0;
}

/* 1 if there are messages, 0 if there are none, -1 with an exception. */
static inline int
has_messages(Record *process)
{
    PyObject *mailbox = process->mailbox;
    if (is_none(mailbox)) {
        return 0;
    }
    if (Py_IS_TYPE(mailbox, process->core->state->Queue_type)) {
        return ((Queue *)mailbox)->count > 0;
    }
    return PyObject_IsTrue(mailbox);
}

/* The process waits for any message. */
static inline Course
waits_for_any(Slice *slice)
{
    Record *process = slice->process;
    State *state = slice->core->state;
    int has_one = has_messages(process);
    if (has_one) {
        if (has_one < 0 || take_first(slice) < 0) {
            return WENT_WRONG;
        }
        return --slice->budget ? GOES_ON : keep_value(slice, state->HANDED);
    }
    Py_XSETREF(process->waiting, Py_NewRef(state->RECEIVE));
    return is_none(process->pending) ? IS_OVER : tell_core(slice, state->str__throw_pending, NULL, NULL);
}

/* The process waits for `request`, which is no receive that can go on at once. */
static Course
parks(Slice *slice, PyObject *request)
{
    if (!is_none(slice->value)) {
        Py_XSETREF(slice->process->last_message, Py_NewRef(slice->value));
    }
    return tell_core(slice, slice->core->state->str__park, request, NULL);
}

/* Read an int attribute of a receive that is not 0 most rarely; -1 with an exception. */
static long
cost_of(State *state, PyObject *request)
{
    PyObject *cost = PyObject_GetAttr(request, state->str_cost);
    long value = cost == NULL ? -1 : PyLong_AsLong(cost);
    Py_XDECREF(cost);
    if (value > 0 && PyObject_SetAttr(request, state->str_cost, state->zero) < 0) {
        return -1;
    }
    return value;
}

/* Say whether the timeout of a receive is 0: it looks once. -1 with an exception. */
static int
looks_once(State *state, PyObject *request)
{
    PyObject *timeout = PyObject_GetAttr(request, state->str_timeout);
    int is_zero = timeout == NULL ? -1 : timeout == Py_None ? 0 : PyObject_RichCompareBool(timeout, state->zero, Py_EQ);
    Py_XDECREF(timeout);
    return is_zero;
}

/* The process waits for a message that matches, or for a time. */
static Course
waits_for_match(Slice *slice, PyObject *request)
{
    Record *process = slice->process;
    State *state = slice->core->state;
    PyObject *found;
    long cost;
    leave_context(slice);
    found = PyObject_CallMethodOneArg(request, state->str_take, (PyObject *)process);
    if (found == NULL) { /* not an Exception: a blow, or Ctrl-C, in a predicate */
        Py_CLEAR(process->waiting);
        Py_XSETREF(process->pending, take_exception());
        return tell_core(slice, state->str__throw_pending, NULL, NULL);
    }
    cost = cost_of(state, request);
    if (cost < 0) {
        Py_DECREF(found);
        return WENT_WRONG;
    }
    slice->budget -= (int)cost;
    if (found == state->NOT_FOUND) {
        int once = looks_once(state, request);
        if (once <= 0) {
            Py_DECREF(found);
            return once < 0 ? WENT_WRONG : parks(slice, request);
        }
        Py_SETREF(found, Py_NewRef(state->TIMED_OUT));
    }
    Py_XSETREF(slice->value, found);
    Py_CLEAR(process->resume);
    if (--slice->budget > 0) {
        return GOES_ON;
    }
    return keep_value(slice, found == state->TIMED_OUT ? NULL : state->HANDED);
}

/* See to what the process yielded, whose reference is taken. */
static inline Course
has_yielded(Slice *slice, PyObject *request)
{
    State *state = slice->core->state;
    Course course;
    if (!is_none(slice->core->struck)) { /* it hits here, if it has not in the step */
        PyObject *struck = Py_NewRef(slice->core->struck);
        int has_come = absorb_struck(slice);
        if (has_come) {
            Py_DECREF(request);
            if (has_come > 0) {
                PyErr_SetNone(struck);
            }
            Py_DECREF(struck);
            return has_come < 0 ? WENT_WRONG : has_raised(slice);
        }
        Py_DECREF(struck);
    }
    if (request == state->RECEIVE) {
        course = waits_for_any(slice);
    }
    else if ((PyObject *)Py_TYPE(request) == state->Receive) {
        course = waits_for_match(slice, request);
    }
    else if (request == state->YIELD) {
        course = let_others_run(slice);
    }
    else {
        course = parks(slice, request);
    }
    Py_DECREF(request);
    return course;
}

#endif
