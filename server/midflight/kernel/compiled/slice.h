/* What one process does in one turn: its budget, its context, and how it ends or goes on as another coroutine.

   The context of a process is entered once for all its steps in a turn, and left before anything is called that is
   not the process's own: what that calls runs in the context of the turn, as in the other kernel. */

#ifndef MIDFLIGHT_SLICE_H
#define MIDFLIGHT_SLICE_H

#include "calls.h"
#include "ends.h"
#include "step.h"

#define RECEIVES_A_TURN 200

/* What is known of the process that runs. All references are owned, but for `core`. */
typedef struct {
    Core *core;
    PyObject *now; /* borrowed: what tells the time */
    Record *process;
    PyObject *value; /* what the last step was given */
    PyObject *last;  /* the message before, if a tail call came since */
    int budget, is_inside;
} Slice;

/* What becomes of the slice. */
typedef enum { GOES_ON, IS_OVER, WENT_WRONG } Course;

static int
enter_context(Slice *slice)
{
    if (!slice->is_inside) {
        if (PyContext_Enter(or_none(slice->process->context)) < 0) {
            return -1;
        }
        slice->is_inside = 1;
    }
    return 0;
}

/* Leave the context, with what is raised as it was. */
static void
leave_context(Slice *slice)
{
    if (slice->is_inside) {
        PyObject *error = PyErr_Occurred() ? take_exception() : NULL;
        slice->is_inside = 0;
        if (PyContext_Exit(slice->process->context) < 0) {
            PyErr_WriteUnraisable(slice->process->context);
        }
        if (error != NULL) {
            put_exception(error);
        }
    }
}

/* Call a method of the core with the process and up to two more; WENT_WRONG if it raises. */
static Course
tell_core(Slice *slice, PyObject *name, PyObject *one, PyObject *two)
{
    PyObject *done;
    leave_context(slice);
    done = PyObject_CallMethodObjArgs((PyObject *)slice->core, name, (PyObject *)slice->process, one, two, NULL);
    Py_XDECREF(done);
    return done == NULL ? WENT_WRONG : IS_OVER;
}

/* Let the others run before the process goes on. */
static Course
let_others_run(Slice *slice)
{
    if (!is_none(slice->process->pending)) {
        return tell_core(slice, slice->core->state->str__throw_pending, NULL, NULL);
    }
    return queue_append(slice->core->queue, (PyObject *)slice->process) < 0 ? WENT_WRONG : IS_OVER;
}

/* Keep `value` for the next turn, which begins with it. Takes the slice's reference. */
static Course
keep_value(Slice *slice, PyObject *waiting)
{
    Record *process = slice->process;
    Py_XSETREF(process->value, slice->value);
    slice->value = NULL;
    Py_XSETREF(process->waiting, Py_XNewRef(waiting));
    return let_others_run(slice);
}

/* Drop what another thread has dealt to the process, if it has not hit yet; say whether it came. -1 with an exception. */
static int
absorb_struck(Slice *slice)
{
    PyObject *struck = slice->core->struck, *came;
    int has_come;
    slice->core->struck = NULL; /* first: from here on no other is dealt */
    if (is_none(struck)) {
        Py_XDECREF(struck);
        return 0;
    }
    leave_context(slice);
    came = PyObject_CallOneArg(slice->core->state->absorb, struck);
    has_come = came == NULL ? -1 : came == Py_True;
    if (came == NULL && PyErr_ExceptionMatches(struck)) { /* at the start of that call */
        PyErr_Clear();
        has_come = 1;
    }
    Py_XDECREF(came);
    Py_DECREF(struck);
    return has_come;
}

/* The process raised what is raised now. */
static Course
has_raised(Slice *slice)
{
    Core *core = slice->core;
    State *state = core->state;
    PyObject *error = take_exception(), *message;
    Course course;
    leave_context(slice);
    if (absorb_struck(slice) < 0) {
        Py_DECREF(error);
        return WENT_WRONG;
    }
    message = is_none(slice->value) ? slice->last : slice->value;
    if (!is_none(message)) {
        Py_XSETREF(slice->process->last_message, Py_NewRef(message));
    }
    course = tell_core(slice, state->str__ended, error, Py_None);
    Py_DECREF(error);
    return course;
}

/* The process function returned `result`, whose reference is taken: go on as that, or end. */
static Course
has_returned(Slice *slice, PyObject *result)
{
    Core *core = slice->core;
    State *state = core->state;
    Record *process = slice->process;
    if (!is_none(core->struck) && absorb_struck(slice) < 0) {
        Py_DECREF(result);
        return WENT_WRONG;
    }
    if (!PyCoro_CheckExact(result)) {
        PyObject *coro = Py_NewRef(Py_None);
        if (result != Py_None) {
            leave_context(slice);
            Py_SETREF(coro, PyObject_CallOneArg(state->coroutine_in, result));
            if (coro == NULL) {
                Py_DECREF(result);
                return WENT_WRONG;
            }
        }
        if (coro == Py_None) {
            Course course;
            leave_context(slice);
            if (ends_unheard(core, process)) {
                course = end_unheard(core, process, result) < 0 ? WENT_WRONG : IS_OVER;
            }
            else {
                course = tell_core(slice, state->str__ended, Py_None, result);
            }
            Py_DECREF(coro);
            Py_DECREF(result);
            return course;
        }
        Py_SETREF(result, coro);
    }
    if (!is_none(core->tail_called)) {
        PyObject *done, *args[2] = {(PyObject *)process, result};
        leave_context(slice);
        done = PyObject_Vectorcall(core->tail_called, args, 2, NULL);
        if (done == NULL) {
            Py_DECREF(result);
            return WENT_WRONG;
        }
        Py_DECREF(done);
    }
    Py_CLEAR(process->resume);
    Py_XSETREF(process->coro, result); /* the tail call: the old frame is gone */
    if (!is_none(slice->value)) {
        Py_XSETREF(slice->last, slice->value);
        slice->value = NULL;
    }
    if (--slice->budget && is_none(process->pending)) {
        return GOES_ON;
    }
    return let_others_run(slice);
}

#endif
