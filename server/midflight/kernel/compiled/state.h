/* The state of one module: its types, and what it was given by `setup`. One for each interpreter that imports it.

   Every reference here is owned, but for `running`. */

#ifndef MIDFLIGHT_STATE_H
#define MIDFLIGHT_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pythread.h>
#include <stddef.h>
#include <structmember.h>
#include <time.h>

/* What this and the Python around it need of each other: choice.py has the same number. */
#define INTERFACE 4

/* The objects that `setup` takes from Python, by these names. */
#define GIVEN(X) \
    X(RECEIVE) X(YIELD) X(HANDED) X(NOT_FOUND) X(TIMED_OUT) \
    X(again) X(coroutine_in) X(absorb) X(function_name) X(Behaviour) X(Process) X(Receive) X(checked_timeout) \
    X(ref_numbers) X(monotonic)

/* The objects that `fast_call` takes besides: of the module that has `call`. */
#define GIVEN_TO_CALL(X) X(call) X(call_failed) X(call_timeout) X(Call) X(Client)

/* The names of what is called or read by name. */
#define NAMES(X) \
    X(_ended) X(_failed) X(_park) X(_throw_pending) X(_send_slowly) X(_wake) \
    X(append) X(popleft) X(pop) X(take) X(timeout) X(default) X(send) X(ahead) X(deadline) X(close) X(abandon) X(refuse) \
    X(answer_slowly) X(timers) X(clock) X(now) X(pid) X(arrived) X(node) X(handle_call) X(throw) X(in_python)

/* The types of the module. */
#define TYPES(X) \
    X(Pid_type) X(Queue_type) X(Record_type) X(Core_type) X(Request_type) X(PlainReceive_type) X(PatternReceive_type) \
    X(Ref_type) X(CallRef_type) X(CallWait_type) X(TimerRef_type) X(TimerHeap_type) X(FastPath_type) X(CallMessage_type) \
    X(CallTrip_type) X(Answering_type) X(TimerFields_type)

typedef struct Core Core;

typedef struct {
#define FIELD(name) PyTypeObject *name;
    TYPES(FIELD)
#undef FIELD
#define FIELD(name) PyObject *name;
    GIVEN(FIELD)
    GIVEN_TO_CALL(FIELD)
#undef FIELD
#define FIELD(name) PyObject *str_##name;
    NAMES(FIELD)
#undef FIELD
    PyObject *zero, *normal; /* normal: the exit reason, in a tuple */
    Core *running; /* borrowed: the core whose turn is on, as long as it is */
} State;

static struct PyModuleDef compiled_module;

static inline int
is_none(PyObject *value)
{
    return value == NULL || value == Py_None;
}

static inline PyObject *
or_none(PyObject *value)
{
    return value == NULL ? Py_None : value;
}

/* Return a number of seconds; -1 with an exception if it is none. */
static inline double
seconds_of(PyObject *value)
{
    return PyFloat_CheckExact(value)  ? PyFloat_AS_DOUBLE(value)
           : PyLong_CheckExact(value) ? PyLong_AsDouble(value)
                                      : PyFloat_AsDouble(value);
}

/* Return what the clock `now` says: the machine's, read directly where that is the same; -1 with an exception. */
static inline double
time_by(State *state, PyObject *now)
{
    PyObject *time;
    double seconds;
#if defined(__linux__) && defined(CLOCK_MONOTONIC)
    struct timespec read;
    if (now == state->monotonic && clock_gettime(CLOCK_MONOTONIC, &read) == 0) {
        return (double)((long long)read.tv_sec * 1000000000 + read.tv_nsec) / 1e9;
    }
#else
    (void)state;
#endif
    time = PyObject_CallNoArgs(now);
    seconds = time == NULL ? -1.0 : seconds_of(time);
    Py_XDECREF(time);
    return seconds;
}

/* Take the exception that is raised, with its traceback; a new reference. */
static PyObject *
take_exception(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace != NULL && value != NULL && PyExceptionInstance_Check(value)) {
        PyException_SetTraceback(value, trace);
    }
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return value;
#endif
}

/* Raise `error` again, with its own traceback; steals the reference. */
static void
put_exception(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

/* If StopIteration is raised, take it and return its value, a new reference; else NULL, and what is raised stays. */
static PyObject *
take_stop_value(void)
{
    PyObject *error, *value;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return NULL;
    }
    error = take_exception();
    value = Py_NewRef(or_none(((PyStopIterationObject *)error)->value));
    Py_DECREF(error);
    return value;
}

#endif
