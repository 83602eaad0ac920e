/* The compiled kernel: the hot core of `pure_core` in C, one concept a file in compiled/.

   Laws: whatever this file does, `pure_core` does the same in Python, and is right where they differ. What is rare is
   not done here: it is called back by name (`_ended`, `_park`, `Receive.take`...). All state is in the module, so
   every interpreter has its own. */

#include "compiled/answering.h"
#include "compiled/core.h"
#include "compiled/identities.h"

static PyObject *
setup(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    State *state = PyModule_GetState(module);
    if (count) {
        PyErr_SetString(PyExc_TypeError, "setup takes its objects by name");
        return NULL;
    }
#define TAKE(field) \
    for (Py_ssize_t index = 0; names != NULL && index < PyTuple_GET_SIZE(names); index++) { \
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, index), #field) == 0) { \
            Py_XSETREF(state->field, Py_NewRef(args[index])); \
        } \
    } \
    if (state->field == NULL) { \
        return PyErr_Format(PyExc_TypeError, "setup needs " #field); \
    }
    GIVEN(TAKE)
    if (!PyType_Check(state->Process) || !PyType_IsSubtype((PyTypeObject *)state->Process, state->Record_type) ||
        !PyType_Check(state->Receive) || !PyType_IsSubtype((PyTypeObject *)state->Receive, state->Request_type)) {
        Py_CLEAR(state->again);
        PyErr_SetString(PyExc_TypeError, "Process must be a subclass of Record, and Receive one of Request");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Have objects of a class in Python freed as those of its base in C, if it adds nothing to be freed. Python's own way looks
   for that each time, at a tenth of what a call costs. */
static void
die_as(PyObject *subclass, PyTypeObject *base)
{
    PyTypeObject *type = (PyTypeObject *)subclass;
    if (type->tp_base == base && type->tp_basicsize == base->tp_basicsize && type->tp_dictoffset == base->tp_dictoffset &&
        type->tp_weaklistoffset == base->tp_weaklistoffset && type->tp_finalize == NULL && type->tp_del == NULL) {
        type->tp_dealloc = base->tp_dealloc;
    }
}

static PyObject *
fast_call(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    State *state = PyModule_GetState(module);
    if (count) {
        PyErr_SetString(PyExc_TypeError, "fast_call takes its objects by name");
        return NULL;
    }
    GIVEN_TO_CALL(TAKE)
#undef TAKE
    if (!PyType_Check(state->Call) || !PyType_IsSubtype((PyTypeObject *)state->Call, state->CallMessage_type) ||
        !PyType_Check(state->Client) || !PyType_IsSubtype((PyTypeObject *)state->Client, state->CallRef_type)) {
        PyErr_SetString(PyExc_TypeError, "Call must be a subclass of CallMessage, and Client one of CallRef");
        return NULL;
    }
    die_as(state->Call, state->CallMessage_type);
    die_as(state->Client, state->CallRef_type);
    die_as(state->Receive, state->Request_type);
    return fast_path_for(state, "call", state->call, NULL);
}

static PyObject *
fast_path(PyObject *module, PyObject *args)
{
    State *state;
    const char *name;
    PyObject *slow, *type = NULL;
    if (!PyArg_ParseTuple(args, "sO|O:fast_path", &name, &slow, &type)) {
        return NULL;
    }
    state = PyModule_GetState(module);
    if (type != NULL && !(PyType_Check(type) && PyType_IsSubtype((PyTypeObject *)type, state->TimerRef_type))) {
        PyErr_SetString(PyExc_TypeError, "fast_path takes a subclass of TimerRef");
        return NULL;
    }
    return fast_path_for(state, name, slow, type);
}

static PyMethodDef module_methods[] = {
    {"setup", (PyCFunction)(void (*)(void))setup, METH_FASTCALL | METH_KEYWORDS,
     "Take the objects in Python that the core knows, by name."},
    {"fast_call", (PyCFunction)(void (*)(void))fast_call, METH_FASTCALL | METH_KEYWORDS,
     "Take what a call needs, by name; return `call` in C."},
    {"fast_path", fast_path, METH_VARARGS, "Return the function of that name in C, or the one given if C has none."},
    {"value_identities", value_identities, METH_O, "Return the identities of the values of each dictionary, as bytes."},
    {NULL, NULL, 0, NULL},
};

/* Add a type to the module; `base` is NULL for none of ours. */
static int
add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base, PyTypeObject **where)
{
    *where = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    return *where == NULL ? -1 : PyModule_AddType(module, *where);
}

static int
module_exec(PyObject *module)
{
    State *state = PyModule_GetState(module);
#define INTERN(name) \
    if ((state->str_##name = PyUnicode_InternFromString(#name)) == NULL) { \
        return -1; \
    }
    NAMES(INTERN)
#undef INTERN
    if ((state->zero = PyLong_FromLong(0)) == NULL || (state->normal = Py_BuildValue("(s)", "normal")) == NULL) {
        return -1;
    }
#define ADD(name, base) \
    if (add_type(module, &name##_spec, base, &state->name##_type) < 0) { \
        return -1; \
    }
    ADD(Pid, NULL)
    ADD(Queue, NULL)
    ADD(Record, NULL)
    ADD(Core, NULL)
    ADD(Request, NULL)
    ADD(PlainReceive, NULL)
    ADD(PatternReceive, NULL)
    ADD(Ref, NULL)
    ADD(CallRef, state->Ref_type)
    ADD(CallWait, NULL)
    ADD(TimerRef, state->Ref_type)
    ADD(TimerHeap, NULL)
    ADD(FastPath, NULL)
    ADD(TimerFields, NULL)
    ADD(CallMessage, NULL)
    ADD(CallTrip, NULL)
    ADD(Answering, NULL)
#undef ADD
    if (PyModule_AddIntMacro(module, INTERFACE) < 0 ||
        PyObject_SetAttrString((PyObject *)state->Ref_type, "node", state->zero) < 0 ||
        PyObject_SetAttrString((PyObject *)state->Ref_type, "creation", state->zero) < 0) {
        return -1;
    }
    return 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = PyModule_GetState(module);
    if (state == NULL) {
        return 0;
    }
#define FIELD(name) Py_VISIT(state->name);
    GIVEN(FIELD)
    GIVEN_TO_CALL(FIELD)
#undef FIELD
#define TYPE(name) Py_VISIT((PyObject *)state->name);
    TYPES(TYPE)
#undef TYPE
    return 0;
}

static int
module_clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (state == NULL) {
        return 0;
    }
#define FIELD(name) Py_CLEAR(state->name);
    GIVEN(FIELD)
    GIVEN_TO_CALL(FIELD)
    TYPES(FIELD)
#undef FIELD
#define FIELD(name) Py_CLEAR(state->str_##name);
    NAMES(FIELD)
#undef FIELD
    Py_CLEAR(state->zero);
    Py_CLEAR(state->normal);
    return 0;
}

static void
module_free(void *module)
{
    module_clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef compiled_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "midflight.kernel._compiled",
    .m_doc = "The hot core of the kernel, compiled.",
    .m_size = sizeof(State),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__compiled(void)
{
    return PyModuleDef_Init(&compiled_module);
}
