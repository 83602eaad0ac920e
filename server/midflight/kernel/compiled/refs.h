/* Refs: plain ones and aliases, those that a call waits by, and those of timers. As in `pure_refs` and `pure_client`.

   The classes that programs see are subclasses in Python of the second and the third. */

#ifndef MIDFLIGHT_REFS_H
#define MIDFLIGHT_REFS_H

#include "send.h"

typedef struct {
    Ref ref;
    PyObject *ahead, *dest, *scheduler;
    double deadline;
} TimerRef;

static inline State *
state_of(PyObject *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &compiled_module);
    return module == NULL ? NULL : PyModule_GetState(module);
}

static inline State *
state_of_call(CallRef *self)
{
    return self->state != NULL ? self->state : state_of((PyObject *)self);
}

/* Fill a new ref that `owner` makes, if it is not NULL. */
static int
ref_fill(State *state, Ref *self, Record *owner)
{
    PyObject *number = PyIter_Next(state->ref_numbers);
    if (number == NULL) {
        return -1;
    }
    Py_XSETREF(self->number, number);
    Py_XSETREF(self->owner, owner == NULL ? NULL : Py_NewRef(or_none(owner->pid)));
    self->mark = owner == NULL ? 0 : owner->arrived;
    self->once = 0;
    return 0;
}

/* Send `message` to the process whose record is `alias`, alive or not; 0 if that is done. */
static int
send_to_record(Record *process, PyObject *message)
{
    PyObject *pid = or_none(process->pid), *sent;
    if (!Py_IS_TYPE(pid, process->core->state->Pid_type) || is_none(((Pid *)pid)->process)) {
        return 0;
    }
    sent = send_to((Record *)((Pid *)pid)->process, message);
    Py_XDECREF(sent);
    return sent == NULL ? -1 : 0;
}

static PyObject *
Ref_lshift(PyObject *left, PyObject *message)
{
    Ref *self = (Ref *)left;
    State *state;
    PyObject *process;
    int failed;
    PyNumberMethods *methods = Py_TYPE(left)->tp_as_number;
    if (methods == NULL || methods->nb_lshift != Ref_lshift) { /* the ref stands on the right */
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (is_none(self->alias)) {
        return Py_NewRef(message);
    }
    state = state_of(left);
    process = Py_NewRef(self->alias);
    if (state == NULL || !PyObject_TypeCheck(process, state->Record_type)) {
        PyErr_SetString(PyExc_TypeError, "the alias of a ref is a process record or None; nothing was sent");
        Py_DECREF(process);
        return NULL;
    }
    failed = 0;
    if (self->once) {
        PyObject *done = PyObject_CallMethodNoArgs(left, state->str_close);
        failed = done == NULL;
        Py_XDECREF(done);
    }
    failed = failed || send_to_record((Record *)process, message) < 0;
    Py_DECREF(process);
    return failed ? NULL : Py_NewRef(message);
}

/* Take no more messages, and forget the owner. */
static PyObject *
Ref_close(Ref *self, PyObject *Py_UNUSED(none))
{
    PyObject *process = self->alias, *aliases;
    int failed = 0;
    self->alias = NULL;
    if (!is_none(process)) {
        State *state = state_of((PyObject *)self);
        aliases = PyObject_TypeCheck(process, state->Record_type) ? ((Record *)process)->aliases : NULL;
        failed = !is_none(aliases) && PySet_Check(aliases) && PySet_Discard(aliases, (PyObject *)self) < 0;
    }
    Py_XDECREF(process);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* Take the pid and the count of messages of an object that has what a record has: a test's. */
static int
ref_fill_from(State *state, Ref *self, PyObject *owner)
{
    PyObject *pid = PyObject_GetAttr(owner, state->str_pid);
    PyObject *arrived = pid == NULL ? NULL : PyObject_GetAttr(owner, state->str_arrived);
    self->mark = arrived == NULL ? -1 : PyLong_AsLongLong(arrived);
    Py_XSETREF(self->owner, pid);
    Py_XDECREF(arrived);
    return PyErr_Occurred() ? -1 : 0;
}

static int
Ref_init(Ref *self, PyObject *args, PyObject *kwargs)
{
    PyObject *owner = Py_None;
    static char *names[] = {"owner", NULL};
    State *state = state_of((PyObject *)self);
    if (state == NULL || !PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Ref", names, &owner)) {
        return -1;
    }
    if (owner == Py_None || PyObject_TypeCheck(owner, state->Record_type)) {
        return ref_fill(state, self, owner == Py_None ? NULL : (Record *)owner);
    }
    return ref_fill(state, self, NULL) < 0 ? -1 : ref_fill_from(state, self, owner);
}

static PyObject *
Ref_repr(Ref *self)
{
    State *state = state_of((PyObject *)self);
    PyObject *node = state == NULL ? NULL : PyObject_GetAttr((PyObject *)self, state->str_node);
    PyObject *shown = node == NULL ? NULL : PyUnicode_FromFormat("#Ref<%S.%S>", node, or_none(self->number));
    Py_XDECREF(node);
    return shown;
}

static int
Ref_traverse(Ref *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->owner);
    Py_VISIT(self->alias);
    return 0;
}

static int
Ref_clear(Ref *self)
{
    Py_CLEAR(self->owner);
    Py_CLEAR(self->alias);
    return 0;
}

/* What the three kinds have in common of their end; `clear` is that of the kind. */
static void
ref_free(PyObject *self, inquiry clear)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((Ref *)self)->weak_references != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    clear(self);
    Py_CLEAR(((Ref *)self)->number);
    type->tp_free(self);
    Py_DECREF(type);
}

static void
Ref_dealloc(PyObject *self)
{
    ref_free(self, (inquiry)Ref_clear);
}

static PyMethodDef Ref_methods[] = {
    {"close", (PyCFunction)Ref_close, METH_NOARGS, "Take no more messages, and forget the owner."},
    {"__copy__", Pid_itself, METH_NOARGS, NULL},
    {"__deepcopy__", Pid_itself, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef Ref_members[] = {
    {"number", T_OBJECT, offsetof(Ref, number), 0, NULL},
    {"owner", T_OBJECT, offsetof(Ref, owner), 0, NULL},
    {"alias", T_OBJECT, offsetof(Ref, alias), 0, NULL},
    {"mark", T_LONGLONG, offsetof(Ref, mark), 0, NULL},
    {"once", T_BOOL, offsetof(Ref, once), 0, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Ref, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Ref_slots[] = {
    {Py_tp_doc, "A reference: equal to itself only. OTP: reference()."},
    {Py_tp_init, Ref_init},
    {Py_tp_dealloc, Ref_dealloc},
    {Py_tp_traverse, Ref_traverse},
    {Py_tp_clear, Ref_clear},
    {Py_tp_repr, Ref_repr},
    {Py_tp_methods, Ref_methods},
    {Py_tp_members, Ref_members},
    {Py_nb_lshift, Ref_lshift},
    {0, NULL},
};

static PyType_Spec Ref_spec = {
    .name = "midflight.kernel.refs.Ref",
    .basicsize = sizeof(Ref),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = Ref_slots,
};

/* --- Of a timer: fields, and nothing more --- */

static int
TimerRef_traverse(TimerRef *self, visitproc visit, void *arg)
{
    Py_VISIT(self->ahead);
    Py_VISIT(self->dest);
    Py_VISIT(self->scheduler);
    return Ref_traverse(&self->ref, visit, arg);
}

static int
TimerRef_clear(TimerRef *self)
{
    Py_CLEAR(self->ahead);
    Py_CLEAR(self->dest);
    Py_CLEAR(self->scheduler);
    return Ref_clear(&self->ref);
}

static void
TimerRef_dealloc(PyObject *self)
{
    ref_free(self, (inquiry)TimerRef_clear);
}

static PyMemberDef TimerRef_members[] = {
    {"ahead", T_OBJECT, offsetof(TimerRef, ahead), 0, NULL},
    {"dest", T_OBJECT, offsetof(TimerRef, dest), 0, NULL},
    {"scheduler", T_OBJECT, offsetof(TimerRef, scheduler), 0, NULL},
    {"deadline", T_DOUBLE, offsetof(TimerRef, deadline), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot TimerRef_slots[] = {
    {Py_tp_dealloc, TimerRef_dealloc},
    {Py_tp_traverse, TimerRef_traverse},
    {Py_tp_clear, TimerRef_clear},
    {Py_tp_members, TimerRef_members},
    {0, NULL},
};

static PyType_Spec TimerRef_spec = {
    .name = "midflight.kernel._compiled.TimerRef",
    .basicsize = sizeof(TimerRef),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = TimerRef_slots,
};

#endif
