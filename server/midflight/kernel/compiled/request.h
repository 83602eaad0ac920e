/* What a selective receive yields: its patterns, its limit, and how far it has looked. The fields of `Receive` in
   `mailbox`, which is a subclass in Python and searches the mailbox; the commonest searches are done here. */

#ifndef MIDFLIGHT_REQUEST_H
#define MIDFLIGHT_REQUEST_H

#include "record.h"

typedef struct {
    PyObject_HEAD
    PyObject *patterns, *timeout;
    CallRef *client; /* of a call that waits: its patterns are made when they are asked for; else NULL */
    double deadline;
    long long looked;
    int cost;
} Request;

static PyObject *
new_request(State *state, PyObject *patterns, PyObject *timeout)
{
    PyTypeObject *type = (PyTypeObject *)state->Receive;
    Request *self = (Request *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->patterns = Py_NewRef(patterns);
        self->timeout = Py_NewRef(timeout);
        self->looked = -1;
    }
    return (PyObject *)self;
}

/* Make what a call waits for. */
static PyObject *
new_call_request(State *state, CallRef *client, PyObject *timeout)
{
    PyTypeObject *type = (PyTypeObject *)state->Receive;
    Request *self = (Request *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->client = (CallRef *)Py_NewRef((PyObject *)client);
        self->timeout = Py_NewRef(timeout);
        self->looked = -1;
    }
    return (PyObject *)self;
}

/* Return the patterns; of a call those of an answer and of a Down: ((client, ...), (client, ..., ...)). */
static PyObject *
Request_get_patterns(Request *self, void *Py_UNUSED(closure))
{
    if (self->patterns == NULL && self->client != NULL) {
        PyObject *client = (PyObject *)self->client, *any = Py_Ellipsis;
        self->patterns = Py_BuildValue("((OO)(OOO))", client, any, client, any, any);
    }
    return PyErr_Occurred() ? NULL : Py_NewRef(or_none(self->patterns));
}

/* `Request(patterns, timeout)`. */
static int
Request_init(Request *self, PyObject *args, PyObject *kwargs)
{
    PyObject *patterns, *timeout;
    static char *names[] = {"patterns", "timeout", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O:Receive", names, &PyTuple_Type, &patterns, &timeout)) {
        return -1;
    }
    Py_XSETREF(self->patterns, Py_NewRef(patterns));
    Py_XSETREF(self->timeout, Py_NewRef(timeout));
    self->looked = -1;
    return 0;
}

static int
Request_traverse(Request *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->patterns);
    Py_VISIT(self->timeout);
    Py_VISIT((PyObject *)self->client);
    return 0;
}

static int
Request_clear(Request *self)
{
    Py_CLEAR(self->patterns);
    Py_CLEAR(self->timeout);
    Py_CLEAR(self->client);
    return 0;
}

static void
Request_dealloc(Request *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Request_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMemberDef Request_members[] = {
    {"timeout", T_OBJECT, offsetof(Request, timeout), 0, NULL},
    {"deadline", T_DOUBLE, offsetof(Request, deadline), 0, NULL},
    {"looked", T_LONGLONG, offsetof(Request, looked), 0, NULL},
    {"cost", T_INT, offsetof(Request, cost), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef Request_computed[] = {
    {"patterns", (getter)Request_get_patterns, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Request_slots[] = {
    {Py_tp_init, Request_init},
    {Py_tp_dealloc, Request_dealloc},
    {Py_tp_traverse, Request_traverse},
    {Py_tp_clear, Request_clear},
    {Py_tp_members, Request_members},
    {Py_tp_getset, Request_computed},
    {0, NULL},
};

static PyType_Spec Request_spec = {
    .name = "midflight.kernel._compiled.Request",
    .basicsize = sizeof(Request),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = Request_slots,
};

/* Say whether a value is of a type whose `==` and `__class__` are the interpreter's or ours: to ask runs no other code. */
static inline int
is_plain(State *state, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type || type == &PyBool_Type ||
           type == &PyBytes_Type || value == Py_None || type == state->Pid_type;
}

/* Say whether a pattern takes a message, if that can be told without running code of anybody's: 1 yes, 0 no,
   -1 it cannot. */
static int
takes_at_a_glance(State *state, PyObject *pattern, PyObject *message)
{
    if (pattern == Py_Ellipsis) {
        return 1;
    }
    if (PyType_CheckExact(pattern)) { /* for its subclasses in name only, `__class__` is asked elsewhere */
        return PyType_IsSubtype(Py_TYPE(message), (PyTypeObject *)pattern)  ? 1
               : is_plain(state, message) || PyTuple_CheckExact(message) ? 0
                                                                         : -1;
    }
    if (PyTuple_CheckExact(pattern)) {
        if (!PyTuple_CheckExact(message)) {
            return is_plain(state, message) ? 0 : -1;
        }
        if (PyTuple_GET_SIZE(pattern) != PyTuple_GET_SIZE(message)) {
            return 0;
        }
        for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(pattern); index++) {
            int takes;
            if (Py_EnterRecursiveCall(" in a pattern")) {
                PyErr_Clear();
                return -1;
            }
            takes = takes_at_a_glance(state, PyTuple_GET_ITEM(pattern, index), PyTuple_GET_ITEM(message, index));
            Py_LeaveRecursiveCall();
            if (takes != 1) {
                return takes;
            }
        }
        return 1;
    }
    if (is_plain(state, pattern) && (is_plain(state, message) || PyTuple_CheckExact(message))) {
        int is_equal = PyObject_RichCompareBool(pattern, message, Py_EQ);
        if (is_equal < 0) {
            PyErr_Clear();
        }
        return is_equal;
    }
    return -1;
}

/* Take the message that `Receive.take` would take, a new reference; `*is_sure` is 0 if that has to be asked. NULL with
   `*is_sure` 1: none matches. */
static PyObject *
take_at_a_glance(State *state, Request *self, Record *process, int *is_sure)
{
    Queue *mailbox = (Queue *)process->mailbox;
    Py_ssize_t index, start;
    PyObject *first;
    *is_sure = 1;
    if (is_none(process->mailbox)) {
        self->looked = process->arrived;
        return NULL;
    }
    *is_sure = 0;
    if (!Py_IS_TYPE(process->mailbox, state->Queue_type)) {
        return NULL;
    }
    if (self->client != NULL) { /* what came before the client was made cannot be its answer */
        if (process->arrived == (self->looked < 0 ? self->client->ref.mark : self->looked) &&
            self->client->ref.owner == process->pid) {
            self->looked = process->arrived;
            *is_sure = 1;
        }
        return NULL;
    }
    if (mailbox->count && !PyTuple_GET_SIZE(self->patterns)) {
        self->looked = process->arrived;
        *is_sure = 1;
        return queue_pop_left(mailbox);
    }
    start = self->looked < 0 ? 0 : (Py_ssize_t)(self->looked - (process->arrived - mailbox->count));
    if (start >= mailbox->count) {
        self->looked = process->arrived;
        *is_sure = 1;
        return NULL;
    }
    start = start < 0 ? 0 : start;
    first = mailbox->slots[queue_place(mailbox, start)];
    for (index = 0; index < PyTuple_GET_SIZE(self->patterns); index++) {
        int takes = takes_at_a_glance(state, PyTuple_GET_ITEM(self->patterns, index), first);
        if (takes < 0) {
            return NULL;
        }
        if (takes) {
            self->looked = process->arrived;
            *is_sure = 1;
            if (start == 0) {
                return queue_pop_left(mailbox);
            }
            Py_INCREF(first);
            Queue_set_item(mailbox, start, NULL);
            return first;
        }
    }
    if (start == mailbox->count - 1) { /* it is the only one left, and none takes it */
        self->looked = process->arrived;
        *is_sure = 1;
    }
    return NULL;
}

#endif
