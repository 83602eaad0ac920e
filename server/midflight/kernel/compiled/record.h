/* The process record and the pid: plain data, with the names that the record in Python has.

   `resume` is NULL for what nearly all do: send to the coroutine, or begin. To Python it looks as in the other kernel:
   who reads it gets a bound `send`, and who sets it to that sets it to NULL. */

#ifndef MIDFLIGHT_RECORD_H
#define MIDFLIGHT_RECORD_H

#include "open_calls.h"

struct Core {
    PyObject_HEAD
    State *state;
    PyObject *loop, *tasks, *struck, *tail_called, *processes, *numbers, *tracer, *doomed, *on_result;
    Queue *queue;
    long long thread, fast_thread;
    char awake;
};

/* --- Pid --- */

static PyObject *send_to(Record *process, PyObject *message);

static PyObject *
Pid_lshift(PyObject *left, PyObject *message)
{
    PyObject *process;
    PyNumberMethods *methods = Py_TYPE(left)->tp_as_number;
    if (methods == NULL || methods->nb_lshift != Pid_lshift) { /* the pid stands on the right */
        Py_RETURN_NOTIMPLEMENTED;
    }
    process = ((Pid *)left)->process;
    if (is_none(process)) {
        return Py_NewRef(message);
    }
    return send_to((Record *)process, message);
}

static PyObject *
Pid_compare(PyObject *one, PyObject *two, int how)
{
    if (how != Py_LT || Py_TYPE(one) != Py_TYPE(two)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Pid *left = (Pid *)one, *right = (Pid *)two;
    switch (PyObject_RichCompareBool(left->number, right->number, Py_EQ)) {
    case 0:
        return PyObject_RichCompare(left->number, right->number, Py_LT);
    case 1:
        return PyBool_FromLong(left->node < right->node ||
                               (left->node == right->node && left->creation < right->creation));
    default:
        return NULL;
    }
}

static Py_hash_t
Pid_hash(PyObject *self)
{
    return PyBaseObject_Type.tp_hash(self);
}

static PyObject *
Pid_repr(Pid *self)
{
    return PyUnicode_FromFormat("<%u.%S.0>", self->node, or_none(self->number));
}

static PyObject *
Pid_itself(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(self);
}

static int
Pid_init(Pid *self, PyObject *args, PyObject *kwargs)
{
    PyObject *number, *process = Py_None;
    static char *names[] = {"number", "process", "node", "creation", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OII:Pid", names, &number, &process, &self->node,
                                     &self->creation)) {
        return -1;
    }
    Py_XSETREF(self->number, Py_NewRef(number));
    Py_XSETREF(self->process, Py_NewRef(process));
    return 0;
}

static PyObject *
Pid_get_process(Pid *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(or_none(self->process));
}

/* Only a record may be there: `<<` takes it for one. */
static int
Pid_set_process(Pid *self, PyObject *value, void *Py_UNUSED(closure))
{
    State *state = PyType_GetModuleState(Py_TYPE(self));
    if (!is_none(value) && !PyObject_TypeCheck(value, state->Record_type)) {
        PyErr_SetString(PyExc_TypeError, "the process of a pid is a process record or None; it stays as it was");
        return -1;
    }
    Py_XSETREF(self->process, Py_NewRef(or_none(value)));
    return 0;
}

static int
Pid_traverse(Pid *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->process);
    return 0;
}

static int
Pid_clear(Pid *self)
{
    Py_CLEAR(self->process);
    return 0;
}

static void
Pid_dealloc(Pid *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_CLEAR(self->process);
    Py_CLEAR(self->number);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef Pid_methods[] = {
    {"__copy__", Pid_itself, METH_NOARGS, NULL},
    {"__deepcopy__", Pid_itself, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef Pid_members[] = {
    {"number", T_OBJECT, offsetof(Pid, number), READONLY, NULL},
    {"node", T_UINT, offsetof(Pid, node), READONLY, NULL},
    {"creation", T_UINT, offsetof(Pid, creation), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Pid, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef Pid_computed[] = {
    {"process", (getter)Pid_get_process, (setter)Pid_set_process, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Pid_slots[] = {
    {Py_tp_doc, "A process identifier, shown as <0.37.0>. Equal to itself only; ordered by age. OTP: pid()."},
    {Py_tp_init, Pid_init},
    {Py_tp_dealloc, Pid_dealloc},
    {Py_tp_traverse, Pid_traverse},
    {Py_tp_clear, Pid_clear},
    {Py_tp_repr, Pid_repr},
    {Py_tp_richcompare, Pid_compare},
    {Py_tp_hash, Pid_hash},
    {Py_tp_methods, Pid_methods},
    {Py_tp_members, Pid_members},
    {Py_tp_getset, Pid_computed},
    {Py_nb_lshift, Pid_lshift},
    {0, NULL},
};

static PyType_Spec Pid_spec = {
    .name = "midflight.kernel.core.Pid",
    .basicsize = sizeof(Pid),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Pid_slots,
};

/* --- Record --- */

/* Fill a record that is all NULL, and give it its pid. Steals nothing. */
static int
record_fill(Record *self, PyObject *number, Core *core, PyObject *context, PyObject *start)
{
    State *state = core->state;
    Pid *pid = (Pid *)state->Pid_type->tp_alloc(state->Pid_type, 0);
    if (pid == NULL) {
        return -1;
    }
    pid->number = Py_NewRef(number);
    pid->process = Py_NewRef((PyObject *)self);
    Py_XSETREF(self->pid, (PyObject *)pid);
    Py_XSETREF(self->core, (Core *)Py_NewRef((PyObject *)core));
    Py_XSETREF(self->context, Py_NewRef(context));
    Py_XSETREF(self->start, Py_NewRef(start));
    return 0;
}

static int
Record_init(Record *self, PyObject *args, PyObject *kwargs)
{
    PyObject *number, *core, *context, *start;
    static char *names[] = {"number", "core", "context", "start", NULL};
    PyObject *module;
    State *state;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO!O!:Process", names, &number, &core, &PyContext_Type, &context,
                                     &PyTuple_Type, &start)) {
        return -1;
    }
    module = PyType_GetModuleByDef(Py_TYPE(self), &compiled_module);
    state = module == NULL ? NULL : PyModule_GetState(module);
    if (state == NULL) {
        return -1;
    }
    if (!PyObject_TypeCheck(core, state->Core_type)) {
        PyErr_SetString(PyExc_TypeError, "a process is of a core of the compiled kernel; it was not made");
        return -1;
    }
    if (PyTuple_GET_SIZE(start) != 2 || !PyTuple_Check(PyTuple_GET_ITEM(start, 1))) {
        PyErr_SetString(PyExc_TypeError, "a process starts with (function, arguments); it was not made");
        return -1;
    }
    return record_fill(self, number, (Core *)core, context, start);
}

static PyObject *
Record_get_resume(Record *self, void *Py_UNUSED(closure))
{
    if (self->resume != NULL) {
        return Py_NewRef(self->resume);
    }
    if (is_none(self->coro)) {
        Py_RETURN_NONE;
    }
    return PyObject_GetAttr(self->coro, self->core->state->str_send);
}

static int
Record_set_resume(Record *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value != NULL && PyCFunction_CheckExact(value) && PyCFunction_GET_SELF(value) != NULL &&
        PyCFunction_GET_SELF(value) == self->coro &&
        strcmp(((PyCFunctionObject *)value)->m_ml->ml_name, "send") == 0) {
        value = NULL;
    }
    Py_XSETREF(self->resume, Py_XNewRef(value));
    return 0;
}

/* `monitors` and `monitored_by`: who reads one finds all calls in it. */
#define DICTIONARY_OF_CALLS(field, side) \
    static PyObject *Record_get_##field(Record *self, void *Py_UNUSED(closure)) \
    { \
        return calls_write(self, side, &self->field) < 0 ? NULL : Py_NewRef(or_none(self->field)); \
    } \
    static int Record_set_##field(Record *self, PyObject *value, void *Py_UNUSED(closure)) \
    { \
        if (calls_write(self, side, &self->field) < 0) { \
            return -1; \
        } \
        Py_XSETREF(self->field, Py_XNewRef(value)); \
        return 0; \
    }
DICTIONARY_OF_CALLS(monitors, MONITORS)
DICTIONARY_OF_CALLS(monitored_by, MONITORED_BY)
#undef DICTIONARY_OF_CALLS

static PyObject *
Record_get_core(Record *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(or_none((PyObject *)self->core));
}

static int
Record_traverse(Record *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)self->core);
    Py_VISIT(self->resume);
#define FIELD(field) Py_VISIT(self->field);
    RECORD_FIELDS(FIELD)
#undef FIELD
    for (int side = 0; side < SIDES; side++) {
        int stop = calls_traverse(&self->calls[side], side, visit, arg);
        if (stop) {
            return stop;
        }
    }
    return 0;
}

static int
Record_clear(Record *self)
{
    Py_CLEAR(self->resume);
#define FIELD(field) Py_CLEAR(self->field);
    RECORD_FIELDS(FIELD)
#undef FIELD
    for (int side = 0; side < SIDES; side++) {
        calls_clear(&self->calls[side], side);
    }
    return 0;
}

static void
Record_dealloc(Record *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Record_clear(self);
    Py_CLEAR(self->core);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMemberDef Record_members[] = {
#define FIELD(field) {#field, T_OBJECT, offsetof(Record, field), 0, NULL},
    PLAIN_FIELDS(FIELD)
#undef FIELD
    {"arrived", T_LONGLONG, offsetof(Record, arrived), 0, NULL},
    {"reductions", T_LONGLONG, offsetof(Record, reductions), 0, NULL},
    {"cancels", T_LONGLONG, offsetof(Record, cancels), 0, NULL},
    {"trap_exit", T_BOOL, offsetof(Record, trap_exit), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef Record_computed[] = {
    {"resume", (getter)Record_get_resume, (setter)Record_set_resume, NULL, NULL},
    {"core", (getter)Record_get_core, NULL, NULL, NULL},
    {"monitors", (getter)Record_get_monitors, (setter)Record_set_monitors, NULL, NULL},
    {"monitored_by", (getter)Record_get_monitored_by, (setter)Record_set_monitored_by, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Record_slots[] = {
    {Py_tp_doc, "The fields of a process."},
    {Py_tp_init, Record_init},
    {Py_tp_dealloc, Record_dealloc},
    {Py_tp_traverse, Record_traverse},
    {Py_tp_clear, Record_clear},
    {Py_tp_members, Record_members},
    {Py_tp_getset, Record_computed},
    {0, NULL},
};

static PyType_Spec Record_spec = {
    .name = "midflight.kernel._compiled.Record",
    .basicsize = sizeof(Record),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = Record_slots,
};

#endif
