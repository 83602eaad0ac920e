/* `receive`: an awaitable that yields what it waits for, and returns the message that it is sent.

   It is a coroutine by its methods (send, throw, close), so that it can be spawned and handed to asyncio. A plain
   `receive()` holds nothing at all; one with patterns or a timeout keeps those. */

#ifndef MIDFLIGHT_RECEIVE_H
#define MIDFLIGHT_RECEIVE_H

#include "request.h"

typedef enum { FRESH, WAITS, ENDED } Stage;

typedef struct {
    PyObject_HEAD
    Stage stage;
} PlainReceive;

typedef struct {
    PyObject_HEAD
    Stage stage;
    PyObject *patterns;        /* a tuple */
    PyObject *timeout;         /* None: for as long as it takes */
    PyObject *default_message; /* NULL: a timeout is an error */
} PatternReceive;

static PyObject *
plain_receive(State *state)
{
    PlainReceive *self = PyObject_New(PlainReceive, state->PlainReceive_type);
    if (self != NULL) {
        self->stage = FRESH;
    }
    return (PyObject *)self;
}

static PyObject *
pattern_receive(State *state, PyObject *const *patterns, Py_ssize_t count, PyObject *timeout, PyObject *default_message)
{
    PyObject *copied = PyTuple_New(count);
    PatternReceive *self;
    if (copied == NULL) {
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyTuple_SET_ITEM(copied, index, Py_NewRef(patterns[index]));
    }
    self = (PatternReceive *)state->PatternReceive_type->tp_alloc(state->PatternReceive_type, 0);
    if (self == NULL) {
        Py_DECREF(copied);
        return NULL;
    }
    self->stage = FRESH;
    self->patterns = copied;
    self->timeout = Py_NewRef(timeout);
    self->default_message = Py_XNewRef(default_message);
    return (PyObject *)self;
}

static PySendResult
sent_too_early(void)
{
    PyErr_SetString(PyExc_TypeError, "can't send non-None value to a just-started coroutine");
    return PYGEN_ERROR;
}

static PySendResult
PlainReceive_send_step(PlainReceive *self, PyObject *value, PyObject **result)
{
    if (self->stage == FRESH) {
        if (!is_none(value)) {
            return sent_too_early();
        }
        self->stage = WAITS;
        *result = Py_NewRef(((State *)PyType_GetModuleState(Py_TYPE(self)))->RECEIVE);
        return PYGEN_NEXT;
    }
    *result = Py_NewRef(self->stage == WAITS ? or_none(value) : Py_None);
    self->stage = ENDED;
    return PYGEN_RETURN;
}

/* Return the timeout as the scheduler takes it: a float or an int that can be waited for, else None. */
static PyObject *
usable_timeout(State *state, PyObject *timeout)
{
    if (timeout == Py_None) {
        return Py_NewRef(timeout);
    }
    if (PyFloat_CheckExact(timeout) && PyFloat_AS_DOUBLE(timeout) >= 0 && PyFloat_AS_DOUBLE(timeout) <= 1e9) {
        return Py_NewRef(timeout);
    }
    return PyObject_CallFunction(state->checked_timeout, "sOs", "receive: timeout", timeout, "nothing was received");
}

static PySendResult
PatternReceive_send_step(PatternReceive *self, PyObject *value, PyObject **result)
{
    State *state = PyType_GetModuleState(Py_TYPE(self));
    if (self->stage == FRESH) {
        PyObject *timeout;
        if (!is_none(value)) {
            return sent_too_early();
        }
        self->stage = ENDED; /* if the timeout is wrong */
        timeout = usable_timeout(state, self->timeout);
        if (timeout == NULL) {
            return PYGEN_ERROR;
        }
        Py_SETREF(self->timeout, timeout);
        *result = new_request(state, self->patterns, timeout);
        if (*result == NULL) {
            return PYGEN_ERROR;
        }
        self->stage = WAITS;
        return PYGEN_NEXT;
    }
    if (self->stage == ENDED) {
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    self->stage = ENDED;
    if (value == state->TIMED_OUT) {
        if (self->default_message == NULL) {
            PyErr_Format(PyExc_TimeoutError, "receive: no message matched within %S s", self->timeout);
            return PYGEN_ERROR;
        }
        value = self->default_message;
    }
    *result = Py_NewRef(or_none(value));
    return PYGEN_RETURN;
}

/* --- What both share: they differ in the step, and the stage is their first field. --- */

static PySendResult
receive_step(PyObject *self, PyObject *value, PyObject **result)
{
    return Py_TYPE(self)->tp_as_async->am_send(self, value, result);
}

static PyObject *
receive_send(PyObject *self, PyObject *value)
{
    PyObject *result = NULL, *stop;
    switch (receive_step(self, value, &result)) {
    case PYGEN_NEXT:
        return result;
    case PYGEN_RETURN:
        stop = PyObject_CallOneArg(PyExc_StopIteration, result);
        Py_DECREF(result);
        if (stop != NULL) {
            PyErr_SetObject(PyExc_StopIteration, stop);
            Py_DECREF(stop);
        }
        return NULL;
    default:
        return NULL;
    }
}

static PyObject *
receive_next(PyObject *self)
{
    return receive_send(self, Py_None);
}

/* Raise what throw(error), or throw(type, value, traceback), which Python 3.12 and later warn of, was given. */
static PyObject *
throw_what(PyObject *const *args, Py_ssize_t count)
{
    PyObject *type, *value, *trace;
    if (count < 1 || count > 3) {
        PyErr_SetString(PyExc_TypeError, "throw takes an exception");
        return NULL;
    }
    type = args[0];
    value = count > 1 && args[1] != Py_None ? args[1] : NULL;
    trace = count > 2 && args[2] != Py_None ? args[2] : NULL;
    if (PyExceptionInstance_Check(type)) {
        value = type;
        type = PyExceptionInstance_Class(value);
        if (trace == NULL) {
            PyErr_SetObject(type, value);
            return NULL;
        }
    }
    if (!PyExceptionClass_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "throw takes an exception");
        return NULL;
    }
    PyErr_Restore(Py_NewRef(type), Py_XNewRef(value), Py_XNewRef(trace));
    return NULL;
}

static PyObject *
receive_throw(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count >= 1 && count <= 3) {
        ((PlainReceive *)self)->stage = ENDED;
    }
    return throw_what(args, count);
}

static PyObject *
receive_close(PyObject *self, PyObject *Py_UNUSED(none))
{
    ((PlainReceive *)self)->stage = ENDED;
    Py_RETURN_NONE;
}

static PyObject *
receive_itself(PyObject *self)
{
    return Py_NewRef(self);
}

static PyMethodDef receive_methods[] = {
    {"send", receive_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))receive_throw, METH_FASTCALL, NULL},
    {"close", receive_close, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static void
PlainReceive_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static int
PatternReceive_traverse(PatternReceive *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->patterns);
    Py_VISIT(self->timeout);
    Py_VISIT(self->default_message);
    return 0;
}

static int
PatternReceive_clear(PatternReceive *self)
{
    self->stage = ENDED;
    Py_CLEAR(self->patterns);
    Py_CLEAR(self->timeout);
    Py_CLEAR(self->default_message);
    return 0;
}

static void
PatternReceive_dealloc(PatternReceive *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PatternReceive_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyType_Slot PlainReceive_slots[] = {
    {Py_tp_dealloc, PlainReceive_dealloc},
    {Py_tp_methods, receive_methods},
    {Py_tp_iter, receive_itself},
    {Py_tp_iternext, receive_next},
    {Py_am_await, receive_itself},
    {Py_am_send, PlainReceive_send_step},
    {0, NULL},
};

static PyType_Spec PlainReceive_spec = {
    .name = "midflight.kernel._compiled.PlainReceive",
    .basicsize = sizeof(PlainReceive),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = PlainReceive_slots,
};

static PyType_Slot PatternReceive_slots[] = {
    {Py_tp_dealloc, PatternReceive_dealloc},
    {Py_tp_traverse, PatternReceive_traverse},
    {Py_tp_clear, PatternReceive_clear},
    {Py_tp_methods, receive_methods},
    {Py_tp_iter, receive_itself},
    {Py_tp_iternext, receive_next},
    {Py_am_await, receive_itself},
    {Py_am_send, PatternReceive_send_step},
    {0, NULL},
};

static PyType_Spec PatternReceive_spec = {
    .name = "midflight.kernel._compiled.PatternReceive",
    .basicsize = sizeof(PatternReceive),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = PatternReceive_slots,
};

#endif
