/* The core: the run queue of one thread and what it knows of its surroundings. Its turn is in turn.h. */

#ifndef MIDFLIGHT_CORE_H
#define MIDFLIGHT_CORE_H

#include "attempts.h"

/* `Core(loop, tasks)`. */
static int
Core_init(Core *self, PyObject *args, PyObject *kwargs)
{
    PyObject *loop, *tasks, *module;
    static char *names[] = {"loop", "tasks", NULL};
    State *state;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:Core", names, &loop, &tasks)) {
        return -1;
    }
    module = PyType_GetModuleByDef(Py_TYPE(self), &compiled_module);
    state = module == NULL ? NULL : PyModule_GetState(module);
    if (state == NULL) {
        return -1;
    }
    if (state->again == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the compiled kernel is not set up; no core was made");
        return -1;
    }
    self->state = state;
    Py_XSETREF(self->loop, Py_NewRef(loop));
    Py_XSETREF(self->tasks, Py_NewRef(tasks));
    Py_XSETREF(self->queue, queue_new(state->Queue_type));
    self->thread = self->fast_thread = (long long)PyThread_get_thread_ident();
    self->awake = 0;
    return self->queue == NULL ? -1 : 0;
}

/* Let a process run in this turn or the next. */
static PyObject *
Core_enqueue(Core *self, PyObject *process)
{
    if (!PyObject_TypeCheck(process, self->state->Record_type)) {
        PyErr_SetString(PyExc_TypeError, "only a process can be in the run queue; nothing was changed");
        return NULL;
    }
    return core_enqueue(self, (Record *)process) < 0 ? NULL : Py_NewRef(Py_None);
}

static int
Core_traverse(Core *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->loop);
    Py_VISIT(self->tasks);
    Py_VISIT(self->struck);
    Py_VISIT(self->tail_called);
    Py_VISIT(self->processes);
    Py_VISIT(self->numbers);
    Py_VISIT(self->tracer);
    Py_VISIT(self->doomed);
    Py_VISIT(self->on_result);
    Py_VISIT((PyObject *)self->queue);
    return 0;
}

/* What a record that lives longer needs (the state, the queue) stays. */
static int
Core_clear(Core *self)
{
    Py_CLEAR(self->struck);
    Py_CLEAR(self->tail_called);
    Py_CLEAR(self->processes);
    Py_CLEAR(self->numbers);
    Py_CLEAR(self->tracer);
    Py_CLEAR(self->doomed);
    Py_CLEAR(self->on_result);
    if (self->queue != NULL) {
        Queue_clear(self->queue);
    }
    return 0;
}

static void
Core_dealloc(Core *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Core_clear(self);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->tasks);
    Py_CLEAR(self->queue);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef Core_methods[] = {
    {"turn", (PyCFunction)(void (*)(void))Core_turn, METH_FASTCALL,
     "Step processes until none can run or the time is up; say whether some still can."},
    {"enqueue", (PyCFunction)Core_enqueue, METH_O, "Let a process run in this turn or the next."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef Core_members[] = {
    {"loop", T_OBJECT, offsetof(Core, loop), READONLY, NULL},
    {"tasks", T_OBJECT, offsetof(Core, tasks), READONLY, NULL},
    {"queue", T_OBJECT, offsetof(Core, queue), READONLY, NULL},
    {"struck", T_OBJECT, offsetof(Core, struck), 0, NULL},
    {"tail_called", T_OBJECT, offsetof(Core, tail_called), 0, NULL},
    {"processes", T_OBJECT, offsetof(Core, processes), 0, NULL},
    {"numbers", T_OBJECT, offsetof(Core, numbers), 0, NULL},
    {"tracer", T_OBJECT, offsetof(Core, tracer), 0, NULL},
    {"doomed", T_OBJECT, offsetof(Core, doomed), 0, NULL},
    {"on_result", T_OBJECT, offsetof(Core, on_result), 0, NULL},
    {"thread", T_LONGLONG, offsetof(Core, thread), 0, NULL},
    {"fast_thread", T_LONGLONG, offsetof(Core, fast_thread), 0, NULL},
    {"awake", T_BOOL, offsetof(Core, awake), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Core_slots[] = {
    {Py_tp_doc, "The run queue of one thread, and the loop that steps it."},
    {Py_tp_init, Core_init},
    {Py_tp_dealloc, Core_dealloc},
    {Py_tp_traverse, Core_traverse},
    {Py_tp_clear, Core_clear},
    {Py_tp_methods, Core_methods},
    {Py_tp_members, Core_members},
    {0, NULL},
};

static PyType_Spec Core_spec = {
    .name = "midflight.kernel.core.Core",
    .basicsize = sizeof(Core),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = Core_slots,
};

#endif
