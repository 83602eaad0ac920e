/* The functions of the API that are quick in C: each an attempt, which leaves all but the commonest case to Python. */

#ifndef MIDFLIGHT_ATTEMPTS_H
#define MIDFLIGHT_ATTEMPTS_H

#include "timers.h"
#include "trip.h"

/* --- receive(*patterns, timeout=None, default=...) --- */

static PyObject *
receive_attempt(FastPath *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    State *state = self->state;
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
self_attempt(FastPath *self, PyObject *const *Py_UNUSED(args), Py_ssize_t count, PyObject *names)
{
    Core *core = fast_core(self->state);
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
spawn_attempt(FastPath *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Core *core = fast_core(self->state);
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

/* --- current_process(what) --- */

static PyObject *
current_attempt(FastPath *self, PyObject *const *Py_UNUSED(args), Py_ssize_t count, PyObject *names)
{
    Core *core = fast_core(self->state);
    return core == NULL || count != 1 || names != NULL ? NULL : Py_XNewRef((PyObject *)current_record(core));
}

/* --- make_ref() --- */

static PyObject *
make_ref_attempt(FastPath *self, PyObject *const *Py_UNUSED(args), Py_ssize_t count, PyObject *names)
{
    State *state = self->state;
    Core *core = fast_core(state);
    Record *owner = core == NULL || count || names != NULL ? NULL : current_record(core);
    PyObject *made = owner == NULL ? NULL : state->Ref_type->tp_alloc(state->Ref_type, 0);
    if (made != NULL && ref_fill(state, (Ref *)made, owner) < 0) {
        Py_CLEAR(made);
    }
    return made;
}

/* --- send_after(seconds, dest, message): a timer for a pid --- */

/* Return what the clock of the core says; -1 with an exception. */
static double
time_of(Core *core)
{
    State *state = core->state;
    PyObject *clock = PyObject_GetAttr((PyObject *)core, state->str_clock);
    PyObject *now = clock == NULL ? NULL : PyObject_CallMethodNoArgs(clock, state->str_now);
    double seconds = now == NULL ? -1.0 : PyFloat_AsDouble(now);
    Py_XDECREF(clock);
    Py_XDECREF(now);
    return seconds;
}

/* Return the timers of the core, a new reference; NULL with an exception. */
static TimerHeap *
timers_of(Core *core)
{
    State *state = core->state;
    PyObject *timers = PyObject_GetAttr((PyObject *)core, state->str_timers);
    if (timers != NULL && !PyObject_TypeCheck(timers, state->TimerHeap_type)) {
        PyErr_SetString(PyExc_TypeError, "the timers of a core are of the same kernel; no timer was set");
        Py_CLEAR(timers);
    }
    return (TimerHeap *)timers;
}

static PyObject *
send_after_attempt(FastPath *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    State *state = self->state;
    Core *core = fast_core(state);
    PyTypeObject *type = (PyTypeObject *)self->type;
    TimerHeap *timers;
    TimerRef *timer;
    double seconds, now;
    if (core == NULL || count != 3 || names != NULL || !core->awake || !Py_IS_TYPE(args[1], state->Pid_type) ||
        !(PyFloat_CheckExact(args[0]) || PyLong_CheckExact(args[0]))) {
        return NULL;
    }
    seconds = PyFloat_AsDouble(args[0]);
    if (seconds == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    if (!(seconds >= 0 && seconds <= LONG_SECONDS)) {
        return NULL;
    }
    now = time_of(core);
    if (now == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    timer = (TimerRef *)type->tp_alloc(type, 0);
    if (timer == NULL || ref_fill(state, &timer->ref, NULL) < 0 || (timer->ahead = PyList_New(1)) == NULL) {
        Py_XDECREF(timer);
        return NULL;
    }
    PyList_SET_ITEM(timer->ahead, 0, Py_NewRef(args[2]));
    timer->dest = Py_NewRef(args[1]);
    timer->scheduler = Py_NewRef((PyObject *)core);
    timer->deadline = now + seconds;
    timers = timers_of(core);
    if (timers == NULL || heap_push(timers, timer->deadline, (PyObject *)timer) < 0) {
        Py_CLEAR(timer);
    }
    Py_XDECREF(timers);
    return (PyObject *)timer;
}

/* --- cancel_timer(ref) --- */

static PyObject *
cancel_timer_attempt(FastPath *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Core *core = fast_core(self->state);
    TimerRef *timer;
    TimerHeap *timers;
    PyObject *done;
    double now;
    if (core == NULL || count != 1 || names != NULL || (PyObject *)Py_TYPE(args[0]) != self->type) {
        return NULL;
    }
    timer = (TimerRef *)args[0];
    if (timer->scheduler != (PyObject *)core || timer->ahead == NULL || !PyList_CheckExact(timer->ahead)) {
        return NULL;
    }
    if (!PyList_GET_SIZE(timer->ahead)) {
        Py_RETURN_NONE;
    }
    if (PyList_SetSlice(timer->ahead, 0, PyList_GET_SIZE(timer->ahead), NULL) < 0) {
        return NULL;
    }
    timers = timers_of(core);
    done = timers == NULL ? NULL : TimerHeap_note_cancelled(timers, NULL);
    Py_XDECREF(timers);
    Py_XDECREF(done);
    now = done == NULL ? -1.0 : time_of(core);
    if (now == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    return PyFloat_FromDouble(timer->deadline > now ? timer->deadline - now : 0.0);
}

/* --- All of them --- */

static const struct {
    const char *name;
    Attempt attempt;
} ATTEMPTS[] = {
    {"call", call_attempt}, /* made by `fast_call` */
    {"cancel_timer", cancel_timer_attempt},
    {"current_process", current_attempt},
    {"make_ref", make_ref_attempt},
    {"receive", receive_attempt},
    {"self_", self_attempt},
    {"send_after", send_after_attempt},
    {"spawn", spawn_attempt},
    {NULL, NULL},
};

static PyObject *
fast_path_for(State *state, const char *name, PyObject *slow, PyObject *type)
{
    for (int index = 0; ATTEMPTS[index].name != NULL; index++) {
        if (strcmp(ATTEMPTS[index].name, name) == 0) {
            FastPath *self = (FastPath *)state->FastPath_type->tp_alloc(state->FastPath_type, 0);
            if (self != NULL) {
                self->call = FastPath_call;
                self->attempt = ATTEMPTS[index].attempt;
                self->slow = Py_NewRef(slow);
                self->type = Py_XNewRef(type);
                self->state = state;
            }
            return (PyObject *)self;
        }
    }
    return Py_NewRef(slow);
}

#endif
