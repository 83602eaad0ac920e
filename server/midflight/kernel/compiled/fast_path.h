/* A function of the API in C, with the one in Python behind it for all but the commonest case.

   To programs it looks like that one. `functools.update_wrapper` gives it the name, docstring and signature; all else
   that a function has (`__code__`, `__defaults__`...) is that of the one in Python. In a class it is a method, and it is
   pickled and copied by its name, as functions are. */

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

/* Return an attribute; that of the function in Python where this has none of its own. */
static PyObject *
FastPath_getattr(FastPath *self, PyObject *name)
{
    PyObject *found = PyObject_GenericGetAttr((PyObject *)self, name);
    if (found == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        found = PyObject_GetAttr(self->slow, name);
    }
    return found;
}

/* Bind to an instance, as a function does that is found in its class. */
static PyObject *
FastPath_get(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(type))
{
    return is_none(instance) ? Py_NewRef(self) : PyMethod_New(self, instance);
}

/* Pickled by its name. */
static PyObject *
FastPath_reduce(FastPath *self, PyObject *Py_UNUSED(none))
{
    return PyObject_GetAttrString(self->slow, "__qualname__");
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

static PyMethodDef FastPath_methods[] = {
    {"__reduce__", (PyCFunction)FastPath_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

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
    {Py_tp_getattro, FastPath_getattr},
    {Py_tp_descr_get, FastPath_get},
    {Py_tp_methods, FastPath_methods},
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

/* --- What attempts have in common --- */

#define LONG_SECONDS 1e9 /* up to here a float needs no further check: LONG in `seconds` */

/* Return the core of this thread whose turn is on and that does not copy or trace; NULL if it is not known. */
static inline Core *
fast_core(State *state)
{
    Core *core = state->running;
    return core != NULL && (long long)PyThread_get_thread_ident() == core->fast_thread ? core : NULL;
}

/* Return the process that is the current task of the loop, borrowed; NULL if none is. */
static inline Record *
current_record(Core *core)
{
    PyObject *found;
    if (!PyDict_CheckExact(core->tasks)) {
        return NULL;
    }
    found = PyDict_GetItemWithError(core->tasks, core->loop);
    if (found == NULL) {
        PyErr_Clear();
        return NULL;
    }
    return (PyObject *)Py_TYPE(found) == core->state->Process ? (Record *)found : NULL;
}

#endif
