/* A function of the API in C, with the one in Python behind it for all but the commonest case.

   `functools.update_wrapper` makes it look like that one: name, docstring, signature. */

#ifndef MIDFLIGHT_FAST_PATH_H
#define MIDFLIGHT_FAST_PATH_H

#include "turn.h"

struct FastPath;
typedef PyObject *(*Attempt)(struct FastPath *self, PyObject *const *args, Py_ssize_t count, PyObject *names);

typedef struct FastPath {
    PyObject_HEAD
    vectorcallfunc call;
    Attempt attempt;
    PyObject *slow, *type; /* type: the class of what it makes, if that is in Python; else NULL */
    PyObject *dictionary;
    PyObject *weak_references;
    State *state;
} FastPath;

/* Call the attempt; where it has nothing to say (NULL and no exception), the function in Python. */
static PyObject *
FastPath_call(PyObject *callable, PyObject *const *args, size_t flags, PyObject *names)
{
    FastPath *self = (FastPath *)callable;
    PyObject *result = self->attempt(self, args, PyVectorcall_NARGS(flags), names);
    if (result != NULL || PyErr_Occurred()) {
        return result;
    }
    return PyObject_Vectorcall(self->slow, args, flags, names);
}

static PyObject *
FastPath_repr(FastPath *self)
{
    return PyUnicode_FromFormat("<%S in C>", self->slow);
}

static int
FastPath_traverse(FastPath *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->slow);
    Py_VISIT(self->type);
    Py_VISIT(self->dictionary);
    return 0;
}

static int
FastPath_clear(FastPath *self)
{
    Py_CLEAR(self->dictionary);
    return 0;
}

static void
FastPath_dealloc(FastPath *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_CLEAR(self->slow);
    Py_CLEAR(self->type);
    Py_CLEAR(self->dictionary);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMemberDef FastPath_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(FastPath, call), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(FastPath, dictionary), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(FastPath, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef FastPath_computed[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot FastPath_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_dealloc, FastPath_dealloc},
    {Py_tp_traverse, FastPath_traverse},
    {Py_tp_clear, FastPath_clear},
    {Py_tp_repr, FastPath_repr},
    {Py_tp_members, FastPath_members},
    {Py_tp_getset, FastPath_computed},
    {0, NULL},
};

static PyType_Spec FastPath_spec = {
    .name = "midflight.kernel._compiled.FastPath",
    .basicsize = sizeof(FastPath),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = FastPath_slots,
};

#endif
