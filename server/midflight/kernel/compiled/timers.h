/* The heap of deadlines: earliest first, equal ones in the order they were set. As `TimerHeap` in `pure_timers`.

   Whatever may run code (an attribute of a timer of the program's, a reference that is dropped) is done when the heap
   is whole, and indices are not kept over it. */

#ifndef MIDFLIGHT_TIMERS_H
#define MIDFLIGHT_TIMERS_H

#include "refs.h"

#define SWEEP_FROM 64 /* entries; below that a sweep costs more than it frees */

typedef struct {
    double deadline;
    long long order;
    PyObject *timer;
} Entry;

typedef struct {
    PyObject_HEAD
    Entry *entries;
    Py_ssize_t size, count, dead;
    long long order;
} TimerHeap;

/* The fields of a timer of the kernel's own, which is no ref: those of `Timer` in `timers`. */
typedef struct {
    PyObject_HEAD
    PyObject *ahead;
    double deadline;
} TimerFields;

static inline int
is_before(const Entry *one, const Entry *two)
{
    return one->deadline < two->deadline || (one->deadline == two->deadline && one->order < two->order);
}

static void
heap_rise(TimerHeap *self, Py_ssize_t place)
{
    Entry entry = self->entries[place];
    while (place > 0 && is_before(&entry, &self->entries[(place - 1) / 2])) {
        self->entries[place] = self->entries[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    self->entries[place] = entry;
}

static void
heap_sink(TimerHeap *self, Py_ssize_t place)
{
    Entry entry = self->entries[place];
    for (;;) {
        Py_ssize_t child = place * 2 + 1;
        if (child >= self->count) {
            break;
        }
        if (child + 1 < self->count && is_before(&self->entries[child + 1], &self->entries[child])) {
            child++;
        }
        if (!is_before(&self->entries[child], &entry)) {
            break;
        }
        self->entries[place] = self->entries[child];
        place = child;
    }
    self->entries[place] = entry;
}

/* Take the first timer out, of which there is one; its reference goes to the caller. */
static PyObject *
heap_pop(TimerHeap *self)
{
    PyObject *timer = self->entries[0].timer;
    self->count--;
    if (self->count) {
        self->entries[0] = self->entries[self->count];
        heap_sink(self, 0);
    }
    return timer;
}

static int
heap_push(TimerHeap *self, double deadline, PyObject *timer)
{
    if (self->count == self->size) {
        Py_ssize_t size = self->size ? self->size * 2 : SWEEP_FROM;
        Entry *entries = PyMem_Resize(self->entries, Entry, size);
        if (entries == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->entries = entries;
        self->size = size;
    }
    self->entries[self->count] = (Entry){deadline, self->order++, Py_NewRef(timer)};
    heap_rise(self, self->count++);
    return 0;
}

static inline int
has_items(PyObject *ahead)
{
    return ahead != NULL && PyList_Check(ahead) && PyList_GET_SIZE(ahead) > 0;
}

/* Say whether a timer has something ahead; -1 with an exception. */
static int
is_ahead(State *state, PyObject *timer)
{
    PyObject *ahead;
    int answer;
    if (PyObject_TypeCheck(timer, state->TimerRef_type)) {
        return has_items(((TimerRef *)timer)->ahead);
    }
    if (PyObject_TypeCheck(timer, state->TimerFields_type)) {
        return has_items(((TimerFields *)timer)->ahead);
    }
    ahead = PyObject_GetAttr(timer, state->str_ahead);
    answer = ahead == NULL ? -1 : PyObject_IsTrue(ahead);
    Py_XDECREF(ahead);
    return answer;
}

static PyObject *
TimerHeap_add(TimerHeap *self, PyObject *timer)
{
    State *state = state_of((PyObject *)self);
    double deadline;
    if (state == NULL) {
        return NULL;
    }
    if (PyObject_TypeCheck(timer, state->TimerRef_type)) {
        deadline = ((TimerRef *)timer)->deadline;
    }
    else {
        PyObject *value = PyObject_GetAttr(timer, state->str_deadline);
        deadline = value == NULL ? -1.0 : PyFloat_AsDouble(value);
        Py_XDECREF(value);
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    return heap_push(self, deadline, timer) < 0 ? NULL : Py_NewRef(Py_None);
}

/* Leave only those in the heap that have something ahead. Those are timers of the kernel's own: to ask runs no code. */
static int
heap_sweep(TimerHeap *self, State *state)
{
    PyObject *dropped = PyList_New(0);
    Py_ssize_t kept = 0, index, count = self->count;
    int failed = dropped == NULL;
    for (index = 0; index < count; index++) {
        int ahead = failed ? 1 : is_ahead(state, self->entries[index].timer);
        failed = failed || ahead < 0 || (!ahead && PyList_Append(dropped, self->entries[index].timer) < 0);
        if (ahead || failed) {
            self->entries[kept++] = self->entries[index];
        }
        else {
            Py_DECREF(self->entries[index].timer); /* the list holds it */
        }
    }
    self->count = kept;
    for (index = kept / 2 - 1; index >= 0; index--) {
        heap_sink(self, index);
    }
    self->dead = 0;
    Py_XDECREF(dropped); /* last: with a timer its receiver may go */
    return failed ? -1 : 0;
}

static PyObject *
TimerHeap_note_cancelled(TimerHeap *self, PyObject *Py_UNUSED(none))
{
    State *state = state_of((PyObject *)self);
    self->dead++;
    if (state == NULL || (self->dead > SWEEP_FROM && self->dead * 2 > self->count && heap_sweep(self, state) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
TimerHeap_note_gone(TimerHeap *self, PyObject *Py_UNUSED(none))
{
    self->dead--;
    Py_RETURN_NONE;
}

static PyObject *
TimerHeap_take_due(TimerHeap *self, PyObject *now)
{
    State *state = state_of((PyObject *)self);
    double time = PyFloat_AsDouble(now);
    Queue *due = state == NULL || PyErr_Occurred() ? NULL : queue_new(state->Queue_type);
    while (due != NULL && self->count && self->entries[0].deadline <= time) {
        PyObject *timer = heap_pop(self);
        int failed = queue_append(due, timer) < 0;
        Py_DECREF(timer);
        if (failed) {
            Py_CLEAR(due);
        }
    }
    return (PyObject *)due;
}

static PyObject *
TimerHeap_next_deadline(TimerHeap *self, PyObject *Py_UNUSED(none))
{
    State *state = state_of((PyObject *)self);
    while (state != NULL && self->count) {
        PyObject *timer;
        int ahead = is_ahead(state, self->entries[0].timer);
        if (ahead) {
            return ahead < 0 ? NULL : PyFloat_FromDouble(self->entries[0].deadline);
        }
        timer = heap_pop(self);
        self->dead--;
        Py_DECREF(timer);
    }
    return state == NULL ? NULL : Py_NewRef(Py_None);
}

static Py_ssize_t
TimerHeap_length(TimerHeap *self)
{
    return self->count > self->dead ? self->count - self->dead : 0;
}

static int
TimerFields_traverse(TimerFields *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->ahead);
    return 0;
}

static int
TimerFields_clear(TimerFields *self)
{
    Py_CLEAR(self->ahead);
    return 0;
}

static void
TimerFields_dealloc(TimerFields *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->ahead);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMemberDef TimerFields_members[] = {
    {"ahead", T_OBJECT, offsetof(TimerFields, ahead), 0, NULL},
    {"deadline", T_DOUBLE, offsetof(TimerFields, deadline), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot TimerFields_slots[] = {
    {Py_tp_dealloc, TimerFields_dealloc},
    {Py_tp_traverse, TimerFields_traverse},
    {Py_tp_clear, TimerFields_clear},
    {Py_tp_members, TimerFields_members},
    {0, NULL},
};

static PyType_Spec TimerFields_spec = {
    .name = "midflight.kernel._compiled.TimerFields",
    .basicsize = sizeof(TimerFields),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = TimerFields_slots,
};

static int
TimerHeap_traverse(TimerHeap *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t index = 0; index < self->count; index++) {
        Py_VISIT(self->entries[index].timer);
    }
    return 0;
}

static int
TimerHeap_clear(TimerHeap *self)
{
    Entry *entries = self->entries;
    Py_ssize_t count = self->count;
    self->entries = NULL;
    self->size = self->count = self->dead = 0;
    for (Py_ssize_t index = 0; index < count; index++) {
        Py_DECREF(entries[index].timer);
    }
    PyMem_Free(entries);
    return 0;
}

static void
TimerHeap_dealloc(TimerHeap *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    TimerHeap_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef TimerHeap_methods[] = {
    {"add", (PyCFunction)TimerHeap_add, METH_O, "Keep a timer until its deadline is due."},
    {"note_cancelled", (PyCFunction)TimerHeap_note_cancelled, METH_NOARGS, "Count a timer out that is cancelled."},
    {"note_gone", (PyCFunction)TimerHeap_note_gone, METH_NOARGS, "A timer that was cancelled has left the heap."},
    {"take_due", (PyCFunction)TimerHeap_take_due, METH_O, "Take out those due at a time, earliest first."},
    {"next_deadline", (PyCFunction)TimerHeap_next_deadline, METH_NOARGS, "Return the earliest deadline, or None."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot TimerHeap_slots[] = {
    {Py_tp_dealloc, TimerHeap_dealloc},
    {Py_tp_traverse, TimerHeap_traverse},
    {Py_tp_clear, TimerHeap_clear},
    {Py_tp_methods, TimerHeap_methods},
    {Py_sq_length, TimerHeap_length},
    {0, NULL},
};

static PyType_Spec TimerHeap_spec = {
    .name = "midflight.kernel._compiled.TimerHeap",
    .basicsize = sizeof(TimerHeap),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = TimerHeap_slots,
};

#endif
