/* One step of a process: begin, or send to its coroutine, or what its `resume` says. */

#ifndef MIDFLIGHT_STEP_H
#define MIDFLIGHT_STEP_H

#include "send.h"

/* The name of a process function as `function_name` in `frames` gives it; a new reference. */
static PyObject *
name_of(State *state, PyObject *function)
{
    if (PyFunction_Check(function)) {
        PyObject *module = PyFunction_GET_MODULE(function);
        PyObject *name = ((PyFunctionObject *)function)->func_qualname;
        if (module != NULL && PyUnicode_CheckExact(module) && PyUnicode_CheckExact(name)) {
            return PyUnicode_FromFormat("%U.%U", module, name);
        }
    }
    return PyObject_CallOneArg(state->function_name, function);
}

/* Call the process function. A coroutine of its is gone on with; any other value is the process's. */
static PySendResult
begin(Record *process, PyObject **result)
{
    State *state = process->core->state;
    PyObject *start = process->start, *function, *name;
    process->start = NULL;
    if (start == NULL || !PyTuple_Check(start) || PyTuple_GET_SIZE(start) != 2 ||
        !PyTuple_Check(PyTuple_GET_ITEM(start, 1))) {
        Py_XDECREF(start);
        PyErr_SetString(PyExc_SystemError, "a process has no coroutine, and nothing to start");
        return PYGEN_ERROR;
    }
    function = PyTuple_GET_ITEM(start, 0);
    name = name_of(state, function);
    if (name == NULL) {
        Py_DECREF(start);
        return PYGEN_ERROR;
    }
    Py_XSETREF(process->initial_name, name);
    if (!PyFunction_Check(function)) {
        int is_behaviour = PyObject_IsInstance(function, state->Behaviour);
        if (is_behaviour < 0) {
            Py_DECREF(start);
            return PYGEN_ERROR;
        }
        if (is_behaviour) {
            Py_XSETREF(process->behaviour, Py_NewRef(function));
        }
    }
    *result = PyObject_Call(function, PyTuple_GET_ITEM(start, 1), NULL);
    Py_DECREF(start);
    if (*result == NULL) {
        *result = take_stop_value();
        return *result == NULL ? PYGEN_ERROR : PYGEN_RETURN;
    }
    if (Py_IS_TYPE(*result, state->CallTrip_type)) {
        Py_SETREF(*result, PyObject_CallMethodNoArgs(*result, state->str_in_python));
        if (*result == NULL) {
            return PYGEN_ERROR;
        }
    }
    if (!PyCoro_CheckExact(*result)) {
        return PYGEN_RETURN;
    }
    Py_XSETREF(process->coro, *result);
    return PyIter_Send(process->coro, Py_None, result);
}

/* Let the process go on with `value`; `*result` is what it yields or returns, a new reference. */
static inline PySendResult
step(Record *process, PyObject *value, PyObject **result)
{
    PyObject *resume = process->resume, *coro = process->coro;
    PySendResult how;
    if (resume == NULL) {
        if (is_none(coro)) {
            return begin(process, result);
        }
        Py_INCREF(coro); /* a kill from within takes it out of the record */
        how = PyIter_Send(coro, or_none(value), result);
        Py_DECREF(coro);
        return how;
    }
    if (resume == process->core->state->again) {
        *result = Py_NewRef(or_none(value));
        return PYGEN_NEXT;
    }
    Py_INCREF(resume);
    *result = PyObject_CallOneArg(resume, or_none(value));
    Py_DECREF(resume);
    if (*result != NULL) {
        return PYGEN_NEXT;
    }
    *result = take_stop_value();
    return *result == NULL ? PYGEN_ERROR : PYGEN_RETURN;
}

#endif
