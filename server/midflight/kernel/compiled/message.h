/* `CallMessage`: the message of a call, its request and the client that waits for the answer. As in `pure_client`. */

#ifndef MIDFLIGHT_MESSAGE_H
#define MIDFLIGHT_MESSAGE_H

#include "state.h"

typedef struct {
    PyObject_HEAD
    PyObject *request, *client;
} CallMessage;

/* `CallMessage(request, client)`. */
static int
CallMessage_init(CallMessage *self, PyObject *args, PyObject *kwargs)
{
    PyObject *request, *client;
    static char *names[] = {"request", "client", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:Call", names, &request, &client)) {
        return -1;
    }
    Py_XSETREF(self->request, Py_NewRef(request));
    Py_XSETREF(self->client, Py_NewRef(client));
    return 0;
}

/* Copied and pickled as what was made of the same two. */
static PyObject *
CallMessage_reduce(CallMessage *self, PyObject *Py_UNUSED(none))
{
    PyObject *request = self->request == NULL ? Py_None : self->request;
    return Py_BuildValue("O(OO)", Py_TYPE(self), request, self->client == NULL ? Py_None : self->client);
}

static int
CallMessage_traverse(CallMessage *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->request);
    Py_VISIT(self->client);
    return 0;
}

static int
CallMessage_clear(CallMessage *self)
{
    Py_CLEAR(self->request);
    Py_CLEAR(self->client);
    return 0;
}

static void
CallMessage_dealloc(CallMessage *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    CallMessage_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef CallMessage_methods[] = {
    {"__reduce__", (PyCFunction)CallMessage_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef CallMessage_members[] = {
    {"request", T_OBJECT, offsetof(CallMessage, request), 0, NULL},
    {"client", T_OBJECT, offsetof(CallMessage, client), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot CallMessage_slots[] = {
    {Py_tp_init, CallMessage_init},
    {Py_tp_dealloc, CallMessage_dealloc},
    {Py_tp_traverse, CallMessage_traverse},
    {Py_tp_clear, CallMessage_clear},
    {Py_tp_methods, CallMessage_methods},
    {Py_tp_members, CallMessage_members},
    {0, NULL},
};

static PyType_Spec CallMessage_spec = {
    .name = "midflight.kernel._compiled.CallMessage",
    .basicsize = sizeof(CallMessage),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = CallMessage_slots,
};

#endif
