/* `Answering`: the awaitable in which the loop of a server receives. It answers plain calls itself, and returns what is
   anything else: another message; a call of a class that was loaded since; itself, once `handle_call` has answered
   something that is more than a reply: a coroutine, or what says what comes next.

   To the core it waits in `receive()` before each message, so turns, budgets and the last message are those of the loop
   in Python, which is in `otp.serving`. What `handle_call` raises is raised there, and `client` is whom it was for. */

#ifndef MIDFLIGHT_ANSWERING_H
#define MIDFLIGHT_ANSWERING_H

#include "calls.h"
#include "message.h"

typedef struct {
    PyObject_HEAD
    Stage stage;
    State *state;
    PyObject *server, *home, *namespace; /* it answers as long as `namespace` is the home's, a module's */
    PyTypeObject *kind;                  /* the class of a call: of CallMessage */
    PyObject *no_reply, *more;           /* what is no reply, and a tuple of the types of what is more than one */
    PyObject *client, *answer;           /* of the call that is handled; NULL if none is */
} Answering;

/* `Answering(server, home, namespace, kind, no_reply, more)`. */
static int
Answering_init(Answering *self, PyObject *args, PyObject *kwargs)
{
    PyObject *server, *home, *namespace, *no_reply, *more;
    PyTypeObject *kind;
    static char *names[] = {"server", "home", "namespace", "kind", "no_reply", "more", NULL};
    State *state = state_of((PyObject *)self);
    if (state == NULL || !PyArg_ParseTupleAndKeywords(args, kwargs, "OO!OO!OO!:Answering", names, &server,
                                                      &PyModule_Type, &home, &namespace, &PyType_Type, &kind, &no_reply,
                                                      &PyTuple_Type, &more)) {
        return -1;
    }
    if (!PyType_IsSubtype(kind, state->CallMessage_type)) {
        PyErr_SetString(PyExc_TypeError, "the class of a call is one of CallMessage; nothing is answered");
        return -1;
    }
    self->state = state;
    self->stage = ENDED;
    Py_XSETREF(self->server, Py_NewRef(server));
    Py_XSETREF(self->home, Py_NewRef(home));
    Py_XSETREF(self->namespace, Py_NewRef(namespace));
    Py_XSETREF(self->kind, (PyTypeObject *)Py_NewRef((PyObject *)kind));
    Py_XSETREF(self->no_reply, Py_NewRef(no_reply));
    Py_XSETREF(self->more, Py_NewRef(more));
    return 0;
}

/* Begin to wait once more. */
static PyObject *
Answering_await(Answering *self)
{
    if (self->stage == WAITS) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return NULL;
    }
    self->stage = self->state == NULL ? ENDED : FRESH;
    Py_CLEAR(self->client);
    Py_CLEAR(self->answer);
    return Py_NewRef((PyObject *)self);
}

/* Say whether an answer is more than a reply. */
static inline int
is_more(Answering *self, PyObject *answer)
{
    if (PyCoro_CheckExact(answer) || Py_IS_TYPE(answer, self->state->CallTrip_type)) {
        return 1;
    }
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(self->more); index++) {
        if ((PyObject *)Py_TYPE(answer) == PyTuple_GET_ITEM(self->more, index)) {
            return 1;
        }
    }
    return 0;
}

/* Answer the call `message`. */
static PySendResult
answer_call(Answering *self, CallMessage *message, PyObject **result)
{
    PyObject *args[] = {self->server, message->request, message->client}, *answer, *done;
    Py_XSETREF(self->client, Py_NewRef(message->client));
    answer = PyObject_VectorcallMethod(self->state->str_handle_call, args, 3, NULL);
    if (answer == NULL) {
        return PYGEN_ERROR;
    }
    if (is_more(self, answer)) {
        Py_XSETREF(self->answer, answer);
        *result = Py_NewRef((PyObject *)self);
        return PYGEN_RETURN;
    }
    if (answer != self->no_reply) {
        done = CallRef_answer((CallRef *)self->client, answer);
        if (done == NULL) {
            Py_DECREF(answer);
            return PYGEN_ERROR;
        }
        Py_DECREF(done);
    }
    Py_DECREF(answer);
    Py_CLEAR(self->client);
    *result = Py_NewRef(self->state->RECEIVE);
    return PYGEN_NEXT;
}

/* Say whether a message is a call that can be answered here. */
static inline int
is_plain_call(Answering *self, PyObject *message)
{
    CallMessage *call = (CallMessage *)message;
    return Py_IS_TYPE(message, self->kind) && PyModule_GetDict(self->home) == self->namespace &&
           call->client != NULL && call->request != NULL &&
           is_client(self->state, call->client);
}

static PySendResult
Answering_send_step(Answering *self, PyObject *value, PyObject **result)
{
    if (self->stage == FRESH) {
        if (!is_none(value)) {
            return sent_too_early();
        }
        self->stage = WAITS;
        *result = Py_NewRef(self->state->RECEIVE);
        return PYGEN_NEXT;
    }
    if (self->stage == WAITS && value != NULL && is_plain_call(self, value)) {
        PySendResult how = answer_call(self, (CallMessage *)value, result);
        if (how != PYGEN_NEXT) {
            self->stage = ENDED;
        }
        return how;
    }
    *result = Py_NewRef(self->stage == WAITS ? or_none(value) : Py_None);
    self->stage = ENDED;
    return PYGEN_RETURN;
}

static int
Answering_traverse(Answering *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->server);
    Py_VISIT(self->home);
    Py_VISIT(self->namespace);
    Py_VISIT((PyObject *)self->kind);
    Py_VISIT(self->no_reply);
    Py_VISIT(self->more);
    Py_VISIT(self->client);
    Py_VISIT(self->answer);
    return 0;
}

static int
Answering_clear(Answering *self)
{
    self->stage = ENDED;
    self->state = NULL;
    Py_CLEAR(self->server);
    Py_CLEAR(self->home);
    Py_CLEAR(self->namespace);
    Py_CLEAR(self->kind);
    Py_CLEAR(self->no_reply);
    Py_CLEAR(self->more);
    Py_CLEAR(self->client);
    Py_CLEAR(self->answer);
    return 0;
}

static void
Answering_dealloc(Answering *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Answering_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* Return what `handle_call` answered last, if that is more than a reply, and hold it no longer; else None. */
static PyObject *
Answering_take(Answering *self, PyObject *Py_UNUSED(none))
{
    PyObject *answer = self->answer;
    self->answer = NULL;
    return answer == NULL ? Py_NewRef(Py_None) : answer;
}

static PyMethodDef Answering_methods[] = {
    {"take", (PyCFunction)Answering_take, METH_NOARGS, "Return what `handle_call` answered last, and hold it no longer."},
    {"send", receive_send, METH_O, NULL},
    {"throw", (PyCFunction)(void (*)(void))receive_throw, METH_FASTCALL, NULL},
    {"close", receive_close, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef Answering_members[] = {
    {"client", T_OBJECT, offsetof(Answering, client), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Answering_slots[] = {
    {Py_tp_doc, "The awaitable in which the loop of a server receives, and that answers plain calls itself."},
    {Py_tp_init, Answering_init},
    {Py_tp_dealloc, Answering_dealloc},
    {Py_tp_traverse, Answering_traverse},
    {Py_tp_clear, Answering_clear},
    {Py_tp_methods, Answering_methods},
    {Py_tp_members, Answering_members},
    {Py_tp_iter, receive_itself},
    {Py_tp_iternext, receive_next},
    {Py_am_await, Answering_await},
    {Py_am_send, Answering_send_step},
    {0, NULL},
};

static PyType_Spec Answering_spec = {
    .name = "midflight.kernel._compiled.Answering",
    .basicsize = sizeof(Answering),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Answering_slots,
};

#endif
