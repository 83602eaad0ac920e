/* A function of the API in C, with the one in Python behind it for all but the commonest case.

   `functools.update_wrapper` makes it look like that one: name, docstring, signature. */

#ifndef MIDFLIGHT_FAST_PATH_H
#define MIDFLIGHT_FAST_PATH_H

#include "turn.h"

typedef PyObject *(*Attempt)(State *state, PyObject *const *args, Py_ssize_t count, PyObject *names);

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Attempt attempt;
    PyObject *slow;
    PyObject *dictionary;
    PyObject *weak_references;
    State *state;
} FastPath;

/* Call the attempt; where it has nothing to say (NULL and no exception), the function in Python. */
static PyObject *
FastPath_call(PyObject *callable, PyObject *const *args, size_t flags, PyObject *names)
{
    FastPath *self = (FastPath *)callable;
    PyObject *result = self->attempt(self->state, args, PyVectorcall_NARGS(flags), names);
    if (result != NULL || PyErr_Occurred()) {
        return result;
    }
    return PyObject_Vectorcall(self->slow, args, flags, names);
}

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

/* --- receive(*patterns, timeout=None, default=...) --- */

static PyObject *
receive_attempt(State *state, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *timeout = Py_None, *default_message = NULL;
    Py_ssize_t index, named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (!count && !named) {
        return plain_receive(state);
    }
    for (index = 0; index < named; index++) {
        PyObject *name = PyTuple_GET_ITEM(names, index);
        if (name == state->str_timeout) {
            timeout = args[count + index];
        }
        else if (name == state->str_default) {
            default_message = args[count + index];
        }
        else {
            return NULL; /* a name that is wrong, or not interned */
        }
    }
    if (!count && timeout == Py_None) {
        return plain_receive(state);
    }
    return pattern_receive(state, args, count, timeout, default_message);
}

/* --- self_() --- */

static PyObject *
self_attempt(State *state, PyObject *const *Py_UNUSED(args), Py_ssize_t count, PyObject *names)
{
    Core *core = fast_core(state);
    Record *process = core == NULL || count || names != NULL ? NULL : current_record(core);
    return process == NULL ? NULL : Py_NewRef(or_none(process->pid));
}

/* --- spawn(function, *args) --- */

/* Make a process that will call `function` with `args`; its record, a new reference. */
static Record *
spawn_process(Core *core, PyObject *function, PyObject *const *args, Py_ssize_t count)
{
    State *state = core->state;
    PyTypeObject *type = (PyTypeObject *)state->Process;
    PyObject *arguments = PyTuple_New(count), *start, *context, *number;
    Record *process = NULL, *parent;
    if (arguments == NULL) {
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyTuple_SET_ITEM(arguments, index, Py_NewRef(args[index]));
    }
    start = PyTuple_Pack(2, function, arguments);
    Py_DECREF(arguments);
    context = start == NULL ? NULL : PyContext_CopyCurrent();
    number = context == NULL ? NULL : PyIter_Next(core->numbers);
    if (number != NULL) {
        process = (Record *)type->tp_alloc(type, 0);
    }
    if (process != NULL) {
        if (record_fill(process, number, core, context, start) < 0 ||
            PyObject_SetItem(core->processes, number, (PyObject *)process) < 0) {
            Py_CLEAR(process);
        }
    }
    if (process != NULL) {
        parent = current_record(core);
        if (parent != NULL) {
            Py_XSETREF(process->parent, Py_XNewRef(parent->pid));
        }
        if (core_enqueue(core, process) < 0) {
            Py_CLEAR(process);
        }
    }
    Py_XDECREF(start);
    Py_XDECREF(context);
    Py_XDECREF(number);
    return process;
}

static PyObject *
spawn_attempt(State *state, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Core *core = fast_core(state);
    Record *process;
    PyObject *pid;
    if (core == NULL || names != NULL || count < 1 || !PyCallable_Check(args[0]) || is_none(core->processes) ||
        is_none(core->numbers)) {
        return NULL;
    }
    process = spawn_process(core, args[0], args + 1, count - 1);
    if (process == NULL) {
        return NULL;
    }
    pid = Py_NewRef(process->pid);
    Py_DECREF(process);
    return pid;
}

/* --- The type --- */

static const struct {
    const char *name;
    Attempt attempt;
} ATTEMPTS[] = {
    {"receive", receive_attempt},
    {"self_", self_attempt},
    {"spawn", spawn_attempt},
    {NULL, NULL},
};

static PyObject *
fast_path_for(State *state, const char *name, PyObject *slow)
{
    for (int index = 0; ATTEMPTS[index].name != NULL; index++) {
        if (strcmp(ATTEMPTS[index].name, name) == 0) {
            FastPath *self = (FastPath *)state->FastPath_type->tp_alloc(state->FastPath_type, 0);
            if (self != NULL) {
                self->call = FastPath_call;
                self->attempt = ATTEMPTS[index].attempt;
                self->slow = Py_NewRef(slow);
                self->state = state;
            }
            return (PyObject *)self;
        }
    }
    return Py_NewRef(slow);
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
