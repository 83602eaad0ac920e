/* The round trip of a call: the hot half of `Client`. As in `pure_client`, whose laws hold here.

   `answer` hands the value over when the owner waits for nothing else; `wait` is the awaitable that it waits in. */

#ifndef MIDFLIGHT_CALLS_H
#define MIDFLIGHT_CALLS_H

#include "receive.h"
#include "refs.h"

/* Fill a new client: it watches `target` for `owner`. */
static int
watch(State *state, CallRef *self, Record *owner, Record *target)
{
    self->state = state;
    if (ref_fill(state, &self->ref, owner) < 0) {
        return -1;
    }
    self->ref.once = 1;
    Py_XSETREF(self->ref.alias, Py_NewRef((PyObject *)owner));
    Py_XSETREF(self->pid, Py_NewRef(or_none(owner->pid)));
    Py_XSETREF(self->target, Py_NewRef(or_none(target->pid)));
    Py_XSETREF(self->watched, Py_NewRef((PyObject *)target));
    calls_append(&owner->calls[MONITORS], MONITORS, self);
    calls_append(&target->calls[MONITORED_BY], MONITORED_BY, self);
    return 0;
}

/* `CallRef(owner, target)`: watch `target` for `owner`. */
static int
CallRef_init(CallRef *self, PyObject *args, PyObject *kwargs)
{
    PyObject *one, *two;
    static char *names[] = {"owner", "target", NULL};
    State *state = state_of((PyObject *)self);
    Record *owner, *target;
    if (state == NULL) {
        return -1;
    }
    if (kwargs == NULL && PyTuple_GET_SIZE(args) == 2 &&
        Py_IS_TYPE(PyTuple_GET_ITEM(args, 0), (PyTypeObject *)state->Process) &&
        Py_IS_TYPE(PyTuple_GET_ITEM(args, 1), (PyTypeObject *)state->Process)) { /* nearly always: and much quicker */
        one = PyTuple_GET_ITEM(args, 0);
        two = PyTuple_GET_ITEM(args, 1);
    }
    else if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!:Client", names, state->Record_type, &one,
                                          state->Record_type, &two)) {
        return -1;
    }
    self->state = state;
    owner = (Record *)one;
    target = (Record *)two;
    if (target->core != owner->core) {
        PyObject *done = PyObject_CallMethodObjArgs((PyObject *)self, state->str_refuse, one, two, NULL);
        if (done == NULL) {
            return -1;
        }
        Py_DECREF(done);
    }
    if (self->places[MONITORS].list != NULL || self->places[MONITORED_BY].list != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a client is made once; it stays as it was");
        return -1;
    }
    return watch(state, self, owner, target);
}

/* Take `key` out of a dictionary, if it is there. */
static int
take_key_out(PyObject *dictionary, PyObject *key)
{
    if (is_none(dictionary) || !PyDict_Check(dictionary) || PyDict_DelItem(dictionary, key) == 0) {
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

/* Take the client out of a list, or of the dictionary that it was written into. */
static int
unwatch(State *state, CallRef *self, int side, PyObject *process)
{
    if (self->places[side].list != NULL) {
        calls_drop(side, self); /* the caller has a reference, too */
        return 0;
    }
    if (is_none(process) || !is_record(state, process)) {
        return 0;
    }
    return take_key_out(side == MONITORS ? ((Record *)process)->monitors : ((Record *)process)->monitored_by,
                        (PyObject *)self);
}

static int
call_close(State *state, CallRef *self)
{
    PyObject *owner = self->ref.alias;
    int failed;
    self->ref.alias = NULL;
    Py_INCREF(self);
    failed = unwatch(state, self, MONITORS, owner) < 0;
    failed = unwatch(state, self, MONITORED_BY, process_of(state, self->target)) < 0 || failed;
    Py_XDECREF(owner);
    Py_DECREF(self);
    return failed ? -1 : 0;
}

static PyObject *
CallRef_close(CallRef *self, PyObject *Py_UNUSED(none))
{
    State *state = state_of_call(self);
    return state == NULL || call_close(state, self) < 0 ? NULL : Py_NewRef(Py_None);
}

/* Hand `value` over and close. */
static PyObject *
CallRef_answer(CallRef *self, PyObject *value)
{
    State *state = state_of_call(self);
    PyObject *message;
    Record *owner;
    int failed;
    if (state == NULL || is_none(self->ref.alias) || !is_record(state, self->ref.alias)) {
        return state == NULL ? NULL : Py_NewRef(Py_None);
    }
    owner = (Record *)self->ref.alias;
    if ((long long)PyThread_get_thread_ident() != owner->core->fast_thread) {
        return PyObject_CallMethodOneArg((PyObject *)self, state->str_answer_slowly, value);
    }
    if (!is_none(self->hold)) {
        return PyObject_CallFunctionObjArgs(self->hold, (PyObject *)self, value, NULL);
    }
    message = PyTuple_Pack(2, (PyObject *)self, value);
    if (message == NULL) {
        return NULL;
    }
    Py_INCREF(owner);
    failed = call_close(state, self) < 0;
    if (!failed && !is_none(self->request) && owner->waiting == self->request) {
        Py_CLEAR(owner->resume); /* it has begun, so it is its coroutine that goes on */
        failed = hand_over(owner->core, owner, message) < 0;
    }
    else {
        failed = failed || send_to_record(owner, message) < 0;
    }
    Py_DECREF(owner);
    Py_DECREF(message);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* --- wait(timeout): the awaitable --- */

typedef struct {
    PyObject_HEAD
    Stage stage;
    CallRef *client;
    PyObject *timeout;
} CallWait;

static PyObject *
CallRef_wait(CallRef *self, PyObject *timeout)
{
    State *state = state_of_call(self);
    CallWait *made = state == NULL ? NULL : (CallWait *)state->CallWait_type->tp_alloc(state->CallWait_type, 0);
    if (made == NULL) {
        return NULL;
    }
    made->stage = FRESH;
    made->client = (CallRef *)Py_NewRef((PyObject *)self);
    made->timeout = Py_NewRef(timeout);
    return (PyObject *)made;
}

static PySendResult
CallWait_send_step(CallWait *self, PyObject *value, PyObject **result)
{
    if (self->stage == FRESH) {
        State *state = PyType_GetModuleState(Py_TYPE(self));
        PyObject *request;
        if (!is_none(value)) {
            return sent_too_early();
        }
        self->stage = ENDED;
        request = new_call_request(state, self->client, self->timeout);
        if (request == NULL) {
            return PYGEN_ERROR;
        }
        self->stage = WAITS;
        Py_XSETREF(self->client->request, Py_NewRef(request));
        *result = request;
        return PYGEN_NEXT;
    }
    *result = Py_NewRef(self->stage == WAITS ? or_none(value) : Py_None);
    self->stage = ENDED;
    if (self->client != NULL) {
        Py_CLEAR(self->client->request); /* they hold each other */
    }
    return PYGEN_RETURN;
}

/* Close the client, and take what has come for it out of the mailbox: its owner waits no longer. */
static int
abandon(CallWait *self)
{
    PyObject *done;
    State *state = PyType_GetModuleState(Py_TYPE(self));
    if (self->stage != WAITS) {
        self->stage = ENDED;
        return 0;
    }
    self->stage = ENDED;
    Py_CLEAR(self->client->request);
    done = PyObject_CallMethodNoArgs((PyObject *)self->client, state->str_abandon);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *
CallWait_throw(CallWait *self, PyObject *const *args, Py_ssize_t count)
{
    return abandon(self) < 0 ? NULL : receive_throw((PyObject *)self, args, count);
}

static PyObject *
CallWait_close(CallWait *self, PyObject *Py_UNUSED(none))
{
    return abandon(self) < 0 ? NULL : Py_NewRef(Py_None);
}

static int
CallWait_traverse(CallWait *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)self->client);
    Py_VISIT(self->timeout);
    return 0;
}

static int
CallWait_clear(CallWait *self)
{
    self->stage = ENDED;
    Py_CLEAR(self->client);
    Py_CLEAR(self->timeout);
    return 0;
}

static void
CallWait_dealloc(CallWait *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    CallWait_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef CallWait_methods[] = {
    {"send", receive_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))CallWait_throw, METH_FASTCALL, NULL},
    {"close", (PyCFunction)CallWait_close, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot CallWait_slots[] = {
    {Py_tp_dealloc, CallWait_dealloc},
    {Py_tp_traverse, CallWait_traverse},
    {Py_tp_clear, CallWait_clear},
    {Py_tp_methods, CallWait_methods},
    {Py_tp_iter, receive_itself},
    {Py_tp_iternext, receive_next},
    {Py_am_await, receive_itself},
    {Py_am_send, CallWait_send_step},
    {0, NULL},
};

static PyType_Spec CallWait_spec = {
    .name = "midflight.kernel._compiled.CallWait",
    .basicsize = sizeof(CallWait),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = CallWait_slots,
};

/* --- The type --- */

static int
CallRef_traverse(CallRef *self, visitproc visit, void *arg)
{
    Py_VISIT(self->pid);
    Py_VISIT(self->target);
    Py_VISIT(self->request);
    Py_VISIT(self->watched);
    Py_VISIT(self->hold);
    return Ref_traverse(&self->ref, visit, arg);
}

static int
CallRef_clear(CallRef *self)
{
    Py_CLEAR(self->pid);
    Py_CLEAR(self->target);
    Py_CLEAR(self->request);
    Py_CLEAR(self->watched);
    Py_CLEAR(self->hold);
    return Ref_clear(&self->ref);
}

static void
CallRef_dealloc(PyObject *self)
{
    ref_free(self, (inquiry)CallRef_clear);
}

static PyMethodDef CallRef_methods[] = {
    {"answer", (PyCFunction)CallRef_answer, METH_O, "Hand a value over and close; nothing happens if it is closed."},
    {"close", (PyCFunction)CallRef_close, METH_NOARGS, "Stop watching and take no more messages."},
    {"wait", (PyCFunction)CallRef_wait, METH_O, "Wait for (client, value), or the Down of the target, or TIMED_OUT."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef CallRef_members[] = {
    {"pid", T_OBJECT, offsetof(CallRef, pid), 0, NULL},
    {"target", T_OBJECT, offsetof(CallRef, target), 0, NULL},
    {"request", T_OBJECT, offsetof(CallRef, request), 0, NULL},
    {"hold", T_OBJECT, offsetof(CallRef, hold), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot CallRef_slots[] = {
    {Py_tp_init, CallRef_init},
    {Py_tp_dealloc, CallRef_dealloc},
    {Py_tp_traverse, CallRef_traverse},
    {Py_tp_clear, CallRef_clear},
    {Py_tp_methods, CallRef_methods},
    {Py_tp_members, CallRef_members},
    {0, NULL},
};

static PyType_Spec CallRef_spec = {
    .name = "midflight.kernel._compiled.CallRef",
    .basicsize = sizeof(CallRef),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = CallRef_slots,
};

#endif
