/* The identities of the values of many dictionaries: what `value_identities` of identities.py does in Python. */

#ifndef MIDFLIGHT_IDENTITIES_H
#define MIDFLIGHT_IDENTITIES_H

#include "state.h"

/* Return the addresses of the values of a dictionary, in its order, as bytes. Nothing of the program runs meanwhile. */
static PyObject *
identities_of(PyObject *dictionary)
{
    PyObject *value, *found = PyBytes_FromStringAndSize(NULL, PyDict_GET_SIZE(dictionary) * (Py_ssize_t)sizeof value);
    Py_ssize_t position = 0;
    char *to = found == NULL ? NULL : PyBytes_AS_STRING(found);
    while (to != NULL && PyDict_Next(dictionary, &position, NULL, &value)) {
        memcpy(to, &value, sizeof value);
        to += sizeof value;
    }
    return found;
}

static PyObject *
value_identities(PyObject *Py_UNUSED(module), PyObject *dictionaries)
{
    PyObject *found;
    if (!PyList_CheckExact(dictionaries)) {
        PyErr_SetString(PyExc_TypeError, "value_identities takes a list of dictionaries");
        return NULL;
    }
    found = PyList_New(PyList_GET_SIZE(dictionaries));
    for (Py_ssize_t index = 0; found != NULL && index < PyList_GET_SIZE(found); index++) {
        PyObject *dictionary = PyList_GET_ITEM(dictionaries, index), *identities = NULL;
        if (!PyDict_Check(dictionary)) {
            PyErr_SetString(PyExc_TypeError, "value_identities takes a list of dictionaries");
        } else {
            identities = identities_of(dictionary);
        }
        if (identities == NULL) {
            Py_CLEAR(found);
        } else {
            PyList_SET_ITEM(found, index, identities);
        }
    }
    return found;
}

#endif
