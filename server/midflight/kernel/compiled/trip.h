/* `CallTrip`: what `call(dest, request, timeout)` returns. The whole way of a call in one awaitable: it watches the server,
   sends the request, waits, and returns the reply, as `call` in `otp.calls` does.

   What is not the commonest case goes on as the coroutine of that function: a name for a destination, a server that is
   dead, a timeout that is wrong, a core that copies or traces. So does its end, if what came is no reply. */

#ifndef MIDFLIGHT_TRIP_H
#define MIDFLIGHT_TRIP_H

#include "fast_path.h"
#include "message.h"

typedef enum { TRIP_FRESH, TRIP_WAITS, TRIP_IN_PYTHON, TRIP_ENDED } TripStage;

typedef struct {
    PyObject_HEAD
    TripStage stage;
    State *state;
    PyObject *dest, *request, *timeout;
    CallRef *client; /* while it waits */
    PyObject *coro;  /* of the function in Python, if that has it */
} CallTrip;

/* Say whether the function in Python need not see to `timeout`. */
static inline int
is_usual_timeout(PyObject *timeout)
{
    double seconds;
    if (timeout == Py_None) {
        return 1;
    }
    if (!PyFloat_CheckExact(timeout) && !PyLong_CheckExact(timeout)) {
        return 0;
    }
    seconds = seconds_of(timeout);
    if (seconds == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
    }
    return seconds >= 0 && seconds <= LONG_SECONDS;
}

/* Watch the server and send the request; 0 if that is not the commonest case and nothing was done, -1 with an exception. */
static int
trip_begin(CallTrip *self)
{
    State *state = self->state;
    Core *core = fast_core(state);
    Record *me = core == NULL ? NULL : current_record(core), *process;
    CallMessage *message;
    PyObject *sent;
    if (me == NULL || !Py_IS_TYPE(self->dest, state->Pid_type) || !is_usual_timeout(self->timeout)) {
        return 0;
    }
    process = (Record *)((Pid *)self->dest)->process;
    if (is_none((PyObject *)process) || process == me || process->core != core ||
        (PyObject *)Py_TYPE(process) != state->Process) {
        return 0;
    }
    self->client = (CallRef *)((PyTypeObject *)state->Client)->tp_alloc((PyTypeObject *)state->Client, 0);
    if (self->client == NULL || watch(state, self->client, me, process) < 0) {
        return -1;
    }
    message = (CallMessage *)((PyTypeObject *)state->Call)->tp_alloc((PyTypeObject *)state->Call, 0);
    if (message == NULL) {
        return -1;
    }
    message->request = Py_NewRef(self->request);
    message->client = Py_NewRef((PyObject *)self->client);
    sent = send_to(process, (PyObject *)message); /* after the monitor: if the server ends now, its Down comes */
    Py_DECREF(message);
    Py_XDECREF(sent);
    return sent == NULL ? -1 : 1;
}

/* Go on as a coroutine, whose reference is taken. */
static PySendResult
trip_in_python(CallTrip *self, PyObject *coro, PyObject **result)
{
    PySendResult how;
    if (coro == NULL) {
        return PYGEN_ERROR;
    }
    Py_XSETREF(self->coro, coro);
    self->stage = TRIP_IN_PYTHON;
    Py_INCREF(coro);
    how = PyIter_Send(coro, Py_None, result);
    Py_DECREF(coro);
    if (how != PYGEN_NEXT) {
        self->stage = TRIP_ENDED;
        Py_CLEAR(self->coro);
    }
    return how;
}

/* The first step. */
static PySendResult
trip_starts(CallTrip *self, PyObject *value, PyObject **result)
{
    State *state = self->state;
    int begun;
    if (!is_none(value)) {
        return sent_too_early();
    }
    self->stage = TRIP_ENDED; /* if it fails */
    begun = trip_begin(self);
    if (begun < 0) {
        return PYGEN_ERROR;
    }
    if (!begun) {
        return trip_in_python(
            self, PyObject_CallFunctionObjArgs(state->call, self->dest, self->request, self->timeout, NULL), result);
    }
    *result = new_call_request(state, self->client, self->timeout);
    if (*result == NULL) {
        return PYGEN_ERROR;
    }
    Py_XSETREF(self->client->request, Py_NewRef(*result));
    self->stage = TRIP_WAITS;
    return PYGEN_NEXT;
}

/* What it waited for has come. */
static PySendResult
trip_ends(CallTrip *self, PyObject *message, PyObject **result)
{
    State *state = self->state;
    PyObject *done;
    self->stage = TRIP_ENDED;
    Py_CLEAR(self->client->request); /* they hold each other */
    if (message != NULL && PyTuple_CheckExact(message) && PyTuple_GET_SIZE(message) == 2) {
        *result = Py_NewRef(PyTuple_GET_ITEM(message, 1));
        return PYGEN_RETURN;
    }
    done = PyObject_CallFunctionObjArgs(state->call_failed, self->dest, self->request, or_none(message),
                                        (PyObject *)self->client, self->timeout, NULL);
    if (done != NULL) {
        PyErr_SetString(PyExc_SystemError, "a call that failed raised nothing");
        Py_DECREF(done);
    }
    return PYGEN_ERROR;
}

static PySendResult
CallTrip_send_step(CallTrip *self, PyObject *value, PyObject **result)
{
    PyObject *coro = self->coro;
    PySendResult how;
    switch (self->stage) {
    case TRIP_FRESH:
        return trip_starts(self, value, result);
    case TRIP_WAITS:
        return trip_ends(self, value, result);
    case TRIP_IN_PYTHON:
        Py_INCREF(coro);
        how = PyIter_Send(coro, or_none(value), result);
        Py_DECREF(coro);
        if (how != PYGEN_NEXT) {
            self->stage = TRIP_ENDED;
        }
        return how;
    default:
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        return PYGEN_ERROR;
    }
}

/* Close the client, and take what has come for it out of the mailbox: its owner waits no longer. */
static int
trip_abandon(CallTrip *self)
{
    PyObject *done;
    TripStage stage = self->stage;
    self->stage = TRIP_ENDED;
    if (stage != TRIP_WAITS) {
        return 0;
    }
    Py_CLEAR(self->client->request);
    done = PyObject_CallMethodNoArgs((PyObject *)self->client, self->state->str_abandon);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *
thrown_into(PyObject *coro, PyObject *name, PyObject *const *args, Py_ssize_t count)
{
    PyObject *all[4] = {coro};
    if (count > 3) {
        PyErr_SetString(PyExc_TypeError, "throw takes an exception");
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        all[index + 1] = args[index];
    }
    return PyObject_VectorcallMethod(name, all, count + 1, NULL);
}

static PyObject *
CallTrip_throw(CallTrip *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *result, *coro = self->coro;
    if (self->stage != TRIP_IN_PYTHON) {
        return trip_abandon(self) < 0 ? NULL : throw_what(args, count);
    }
    Py_INCREF(coro);
    result = thrown_into(coro, self->state->str_throw, args, count);
    Py_DECREF(coro);
    if (result == NULL) {
        self->stage = TRIP_ENDED;
    }
    return result;
}

static PyObject *
CallTrip_close(CallTrip *self, PyObject *Py_UNUSED(none))
{
    if (self->stage == TRIP_IN_PYTHON) {
        PyObject *done, *coro = Py_NewRef(self->coro);
        self->stage = TRIP_ENDED;
        done = PyObject_CallMethodNoArgs(coro, self->state->str_close);
        Py_DECREF(coro);
        return done;
    }
    return trip_abandon(self) < 0 ? NULL : Py_NewRef(Py_None);
}

/* Return a coroutine of the function in Python that does all that this would have, and end: for a process that is to go
   on as it, and so has frames. One that has begun is awaited as it is. */
static PyObject *
CallTrip_in_python(CallTrip *self, PyObject *Py_UNUSED(none))
{
    if (self->stage != TRIP_FRESH) {
        return Py_NewRef((PyObject *)self);
    }
    self->stage = TRIP_ENDED;
    return PyObject_CallFunctionObjArgs(self->state->call, self->dest, self->request, self->timeout, NULL);
}

/* The coroutine that it goes on as, for who looks at the stack. */
static PyObject *
CallTrip_get_await(CallTrip *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(or_none(self->coro));
}

static int
CallTrip_traverse(CallTrip *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->dest);
    Py_VISIT(self->request);
    Py_VISIT(self->timeout);
    Py_VISIT((PyObject *)self->client);
    Py_VISIT(self->coro);
    return 0;
}

static int
CallTrip_clear(CallTrip *self)
{
    self->stage = TRIP_ENDED;
    Py_CLEAR(self->dest);
    Py_CLEAR(self->request);
    Py_CLEAR(self->timeout);
    Py_CLEAR(self->client);
    Py_CLEAR(self->coro);
    return 0;
}

/* Warn of a call that was never awaited, as of any coroutine. */
static __attribute__((noinline)) void
trip_never_awaited(CallTrip *self)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (PyErr_WarnEx(PyExc_RuntimeWarning, "coroutine 'call' was never awaited", 1) < 0) {
        PyErr_WriteUnraisable((PyObject *)Py_TYPE(self));
    }
    PyErr_Restore(type, value, trace);
}

static void
CallTrip_dealloc(CallTrip *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->stage == TRIP_FRESH && self->dest != NULL) {
        trip_never_awaited(self);
    }
    CallTrip_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef CallTrip_methods[] = {
    {"send", receive_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))CallTrip_throw, METH_FASTCALL, NULL},
    {"close", (PyCFunction)CallTrip_close, METH_NOARGS, NULL},
    {"in_python", (PyCFunction)CallTrip_in_python, METH_NOARGS,
     "Return a coroutine of the function in Python in its place; itself if it has begun."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef CallTrip_computed[] = {
    {"cr_await", (getter)CallTrip_get_await, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot CallTrip_slots[] = {
    {Py_tp_doc, "What `call` returns, to be awaited."},
    {Py_tp_dealloc, CallTrip_dealloc},
    {Py_tp_traverse, CallTrip_traverse},
    {Py_tp_clear, CallTrip_clear},
    {Py_tp_methods, CallTrip_methods},
    {Py_tp_getset, CallTrip_computed},
    {Py_tp_iter, receive_itself},
    {Py_tp_iternext, receive_next},
    {Py_am_await, receive_itself},
    {Py_am_send, CallTrip_send_step},
    {0, NULL},
};

static PyType_Spec CallTrip_spec = {
    .name = "midflight.kernel._compiled.CallTrip",
    .basicsize = sizeof(CallTrip),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = CallTrip_slots,
};

/* --- call(dest, request, timeout=5) --- */

static PyObject *
call_attempt(FastPath *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    State *state = self->state;
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    PyObject *timeout = state->call_timeout;
    CallTrip *made;
    if (count == 3 && !named) {
        timeout = args[2];
    }
    else if (count == 2 && named == 1 && PyTuple_GET_ITEM(names, 0) == state->str_timeout) {
        timeout = args[2];
    }
    else if (count != 2 || named) {
        return NULL; /* other names, or wrong arguments */
    }
    made = (CallTrip *)state->CallTrip_type->tp_alloc(state->CallTrip_type, 0);
    if (made != NULL) {
        made->stage = TRIP_FRESH;
        made->state = state;
        made->dest = Py_NewRef(args[0]);
        made->request = Py_NewRef(args[1]);
        made->timeout = Py_NewRef(timeout);
    }
    return (PyObject *)made;
}

#endif
