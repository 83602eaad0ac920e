/* What a process waits for that has yielded: a message, one that matches, its next turn, or something that only the
   scheduler knows. */

#ifndef MIDFLIGHT_WAITS_H
#define MIDFLIGHT_WAITS_H

#include "slice.h"
#include "timers.h"

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

/* Say whether a timer of the process rings soon enough for `request`, whose deadline is set if it has none: then there
   is nothing to set. -1 with an exception. */
static int
has_deadline(Slice *slice, Request *request)
{
    State *state = slice->core->state;
    PyObject *timer = slice->process->timer;
    int is_soon = 0;
    if (request->timeout == Py_None) {
        return 1;
    }
    if (is_none(timer)) {
        return 0;
    }
    if (request->deadline == 0.0) {
        request->deadline = time_by(state, slice->now) + seconds_of(request->timeout);
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    if (PyObject_TypeCheck(timer, state->TimerFields_type)) {
        TimerFields *fields = (TimerFields *)timer;
        is_soon = has_items(fields->ahead) && fields->deadline <= request->deadline;
    }
    return is_soon;
}

/* Nothing matches: wait for a message, as `_park` has it in the commonest case. */
static Course
waits_for_later(Slice *slice, Request *request)
{
    Record *process = slice->process;
    if (request->looked == process->arrived && is_none(process->pending)) {
        int is_set = has_deadline(slice, request);
        if (is_set < 0) {
            PyErr_Clear(); /* `_park` meets it again, and knows what to do */
        }
        if (is_set > 0) {
            if (!is_none(slice->value)) {
                Py_XSETREF(process->last_message, Py_NewRef(slice->value));
            }
            Py_XSETREF(process->waiting, Py_NewRef((PyObject *)request));
            return IS_OVER;
        }
    }
    return parks(slice, (PyObject *)request);
}

/* The process waits for a message that matches, or for a time. */
static Course
waits_for_match(Slice *slice, Request *request)
{
    Record *process = slice->process;
    State *state = slice->core->state;
    int is_sure;
    PyObject *found = take_at_a_glance(state, request, process, &is_sure);
    if (!is_sure) {
        leave_context(slice);
        found = PyObject_CallMethodOneArg((PyObject *)request, state->str_take, (PyObject *)process);
        if (found == NULL) { /* not an Exception: a blow, or Ctrl-C, in a predicate */
            Py_CLEAR(process->waiting);
            Py_XSETREF(process->pending, take_exception());
            return tell_core(slice, state->str__throw_pending, NULL, NULL);
        }
        slice->budget -= request->cost;
        request->cost = 0;
        if (found == state->NOT_FOUND) {
            Py_CLEAR(found);
        }
    }
    if (found == NULL) {
        if (request->timeout == Py_None || seconds_of(request->timeout) != 0) {
            return PyErr_Occurred() ? WENT_WRONG : waits_for_later(slice, request);
        }
        found = Py_NewRef(state->TIMED_OUT);
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
        course = waits_for_match(slice, (Request *)request);
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
