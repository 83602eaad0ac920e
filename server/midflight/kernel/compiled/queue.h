/* A queue of objects in a ring of slots: the run queue, and the messages of a mailbox.

   It has those methods of a deque that the kernel uses, by the same names. Whatever drops a reference does so when
   the queue is whole again: a `__del__` may append to it. */

#ifndef MIDFLIGHT_QUEUE_H
#define MIDFLIGHT_QUEUE_H

#include "state.h"

#define SMALLEST_RING 4 /* slots; a power of two, as every size is */
#define KEPT_RING 1024  /* slots that an empty queue keeps at most */

typedef struct {
    PyObject_HEAD
    PyObject **slots; /* NULL: none yet */
    Py_ssize_t size, first, count;
} Queue;

static inline Py_ssize_t
queue_place(Queue *self, Py_ssize_t index)
{
    return (self->first + index) & (self->size - 1);
}

static int
queue_grow(Queue *self)
{
    Py_ssize_t size = self->size ? self->size * 2 : SMALLEST_RING, index;
    PyObject **slots = PyMem_New(PyObject *, size);
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (index = 0; index < self->count; index++) {
        slots[index] = self->slots[queue_place(self, index)];
    }
    PyMem_Free(self->slots);
    self->slots = slots;
    self->size = size;
    self->first = 0;
    return 0;
}

/* Append `item`; takes a reference of its own. */
static inline int
queue_append(Queue *self, PyObject *item)
{
    if (self->count == self->size && queue_grow(self) < 0) {
        return -1;
    }
    self->slots[queue_place(self, self->count)] = Py_NewRef(item);
    self->count++;
    return 0;
}

static int
queue_append_left(Queue *self, PyObject *item)
{
    if (self->count == self->size && queue_grow(self) < 0) {
        return -1;
    }
    self->first = (self->first - 1) & (self->size - 1);
    self->slots[self->first] = Py_NewRef(item);
    self->count++;
    return 0;
}

/* Take out the first item, of which there is one; a new reference. */
static inline PyObject *
queue_pop_left(Queue *self)
{
    PyObject *item = self->slots[self->first];
    self->first = (self->first + 1) & (self->size - 1);
    if (--self->count == 0 && self->size > KEPT_RING) {
        PyMem_Free(self->slots);
        self->slots = NULL;
        self->size = self->first = 0;
    }
    return item;
}

static Queue *
queue_new(PyTypeObject *type)
{
    return (Queue *)type->tp_alloc(type, 0);
}

static PyObject *
Queue_append(Queue *self, PyObject *item)
{
    return queue_append(self, item) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
Queue_appendleft(Queue *self, PyObject *item)
{
    return queue_append_left(self, item) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
Queue_popleft(Queue *self, PyObject *Py_UNUSED(none))
{
    if (!self->count) {
        PyErr_SetString(PyExc_IndexError, "pop from an empty queue");
        return NULL;
    }
    return queue_pop_left(self);
}

static PyObject *
Queue_pop(Queue *self, PyObject *Py_UNUSED(none))
{
    if (!self->count) {
        PyErr_SetString(PyExc_IndexError, "pop from an empty queue");
        return NULL;
    }
    self->count--;
    return self->slots[queue_place(self, self->count)];
}

static PyObject *
queue_extend_by(Queue *self, PyObject *items, int (*add)(Queue *, PyObject *))
{
    PyObject *iterator = PyObject_GetIter(items), *item;
    if (iterator == NULL) {
        return NULL;
    }
    while ((item = PyIter_Next(iterator)) != NULL) {
        int failed = add(self, item) < 0;
        Py_DECREF(item);
        if (failed) {
            break;
        }
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *
Queue_extend(Queue *self, PyObject *items)
{
    return queue_extend_by(self, items, queue_append);
}

static PyObject *
Queue_extendleft(Queue *self, PyObject *items)
{
    return queue_extend_by(self, items, queue_append_left);
}

static Py_ssize_t
Queue_length(Queue *self)
{
    return self->count;
}

static PyObject *
Queue_item(Queue *self, Py_ssize_t index)
{
    if (index < 0 || index >= self->count) {
        PyErr_SetString(PyExc_IndexError, "queue index out of range");
        return NULL;
    }
    return Py_NewRef(self->slots[queue_place(self, index)]);
}

/* Take out or replace the item at `index`; what stands nearer to an end moves up. */
static int
Queue_set_item(Queue *self, Py_ssize_t index, PyObject *value)
{
    PyObject *old;
    if (index < 0 || index >= self->count) {
        PyErr_SetString(PyExc_IndexError, "queue index out of range");
        return -1;
    }
    old = self->slots[queue_place(self, index)];
    if (value != NULL) {
        self->slots[queue_place(self, index)] = Py_NewRef(value);
    }
    else if (index < self->count / 2) {
        for (; index > 0; index--) {
            self->slots[queue_place(self, index)] = self->slots[queue_place(self, index - 1)];
        }
        self->first = (self->first + 1) & (self->size - 1);
        self->count--;
    }
    else {
        for (; index < self->count - 1; index++) {
            self->slots[queue_place(self, index)] = self->slots[queue_place(self, index + 1)];
        }
        self->count--;
    }
    Py_DECREF(old);
    return 0;
}

static int
Queue_traverse(Queue *self, visitproc visit, void *arg)
{
    Py_ssize_t index;
    Py_VISIT(Py_TYPE(self));
    for (index = 0; index < self->count; index++) {
        Py_VISIT(self->slots[queue_place(self, index)]);
    }
    return 0;
}

static int
Queue_clear(Queue *self)
{
    Queue had = *self;
    self->slots = NULL;
    self->size = self->first = self->count = 0;
    for (Py_ssize_t index = 0; index < had.count; index++) {
        Py_DECREF(had.slots[queue_place(&had, index)]);
    }
    PyMem_Free(had.slots);
    return 0;
}

static PyObject *
Queue_clear_method(Queue *self, PyObject *Py_UNUSED(none))
{
    Queue_clear(self);
    Py_RETURN_NONE;
}

static void
Queue_dealloc(Queue *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Queue_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* `Queue()` or `Queue(items)`. */
static int
Queue_init(Queue *self, PyObject *args, PyObject *kwargs)
{
    PyObject *items = NULL, *done;
    static char *names[] = {"items", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Queue", names, &items)) {
        return -1;
    }
    if (items == NULL) {
        return 0;
    }
    done = queue_extend_by(self, items, queue_append);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *
Queue_repr(Queue *self)
{
    return PyUnicode_FromFormat("<Queue of %zd>", self->count);
}

static PyMethodDef Queue_methods[] = {
    {"append", (PyCFunction)Queue_append, METH_O, "Put an item behind all others."},
    {"appendleft", (PyCFunction)Queue_appendleft, METH_O, "Put an item before all others."},
    {"popleft", (PyCFunction)Queue_popleft, METH_NOARGS, "Take out the first item. Raises: IndexError if none is left."},
    {"pop", (PyCFunction)Queue_pop, METH_NOARGS, "Take out the last item. Raises: IndexError if none is left."},
    {"extend", (PyCFunction)Queue_extend, METH_O, "Put items behind all others."},
    {"extendleft", (PyCFunction)Queue_extendleft, METH_O, "Put items before all others, the last of them first."},
    {"clear", (PyCFunction)Queue_clear_method, METH_NOARGS, "Take out all items."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Queue_slots[] = {
    {Py_tp_doc, "A queue of objects: a deque, as far as the kernel uses one. An index costs the same everywhere."},
    {Py_tp_init, Queue_init},
    {Py_tp_dealloc, Queue_dealloc},
    {Py_tp_traverse, Queue_traverse},
    {Py_tp_clear, Queue_clear},
    {Py_tp_repr, Queue_repr},
    {Py_tp_methods, Queue_methods},
    {Py_sq_length, Queue_length},
    {Py_sq_item, Queue_item},
    {Py_sq_ass_item, Queue_set_item},
    {0, NULL},
};

static PyType_Spec Queue_spec = {
    .name = "midflight.kernel.core.Queue",
    .basicsize = sizeof(Queue),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Queue_slots,
};

#endif
