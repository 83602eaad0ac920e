/* The calls that are open, in lists: of a process that calls, and of the server that it watches meanwhile.

   Law: a client is in the `monitors` of its owner and in the `monitored_by` of its server from its making until it is
   closed, in the order of all that are made. Nearly none is ever looked for there. So each is put into a list of the two
   records, and written into the dictionaries when anybody asks for those: by `Record_get_monitors` and its like.

   Each list has a reference of its own to a client. What drops one does so when the list is whole again. */

#ifndef MIDFLIGHT_OPEN_CALLS_H
#define MIDFLIGHT_OPEN_CALLS_H

#include "queue.h"

typedef struct {
    PyObject_HEAD
    PyObject *number, *owner, *alias; /* alias: a record, or None */
    PyObject *weak_references;
    long long mark;
    char once;
} Ref;

typedef struct {
    PyObject_HEAD
    PyObject *process; /* None once it is dead */
    PyObject *number;
    PyObject *weak_references;
    unsigned int node, creation; /* 0: of this life of this node */
} Pid;

/* Return the record of the process with that pid, borrowed; None or NULL once it is dead. */
static inline PyObject *
process_of(State *state, PyObject *pid)
{
    return pid != NULL && Py_IS_TYPE(pid, state->Pid_type) ? ((Pid *)pid)->process : NULL;
}

enum { MONITORS, MONITORED_BY, SIDES };

typedef struct CallRef {
    Ref ref;
    PyObject *pid, *target, *request;
    PyObject *watched; /* the record of the server, as long as the client is in the list of its owner */
    State *state;      /* NULL until its init: state_of_call says it then, too */
    PyObject *hold;    /* who is to be given the answer in place of the owner, or None */
    struct Place {
        struct CallRef *before, *behind;
        struct Calls *list; /* the one that it is in; NULL: none */
    } places[SIDES];
} CallRef;

typedef struct Calls {
    CallRef *first, *last;
} Calls;

/* The fields of a record that hold objects, and that Python may set to any. */
#define PLAIN_FIELDS(X) \
    X(pid) X(context) X(value) X(waiting) X(coro) X(start) X(mailbox) X(pending) X(exit_reason) X(extras) \
    X(last_message) X(initial_name) X(behaviour) X(links) X(aliases) X(name) X(dictionary) X(timer) X(parent)
#define RECORD_FIELDS(X) PLAIN_FIELDS(X) X(monitors) X(monitored_by)

typedef struct {
    PyObject_HEAD
    Core *core;
    PyObject *resume;
#define FIELD(field) PyObject *field;
    RECORD_FIELDS(FIELD)
#undef FIELD
    Calls calls[SIDES]; /* clients that are not in `monitors`, and not in `monitored_by` */
    long long arrived, reductions, cancels;
    char trap_exit;
} Record;

static inline int
is_record(State *state, PyObject *value)
{
    return (PyObject *)Py_TYPE(value) == state->Process || PyObject_TypeCheck(value, state->Record_type);
}

static inline int
is_client(State *state, PyObject *value)
{
    return (PyObject *)Py_TYPE(value) == state->Client || PyObject_TypeCheck(value, state->CallRef_type);
}

/* Put a client, which is in no list of that side, behind all others. */
static void
calls_append(Calls *list, int side, CallRef *client)
{
    struct Place *place = &client->places[side];
    Py_INCREF(client);
    *place = (struct Place){list->last, NULL, list};
    if (list->last != NULL) {
        list->last->places[side].behind = client;
    }
    else {
        list->first = client;
    }
    list->last = client;
}

/* Take a client out of the list that it is in, and drop what is held for that. */
static void
calls_drop(int side, CallRef *client)
{
    PyObject *watched = side == MONITORS ? client->watched : NULL;
    struct Place place = client->places[side];
    client->places[side] = (struct Place){NULL, NULL, NULL};
    if (place.before != NULL) {
        place.before->places[side].behind = place.behind;
    }
    else {
        place.list->first = place.behind;
    }
    if (place.behind != NULL) {
        place.behind->places[side].before = place.before;
    }
    else {
        place.list->last = place.before;
    }
    if (side == MONITORS) {
        client->watched = NULL;
    }
    Py_DECREF(client);
    Py_XDECREF(watched);
}

static void
calls_clear(Calls *list, int side)
{
    while (list->first != NULL) {
        calls_drop(side, list->first);
    }
}

static int
calls_traverse(Calls *list, int side, visitproc visit, void *arg)
{
    for (CallRef *client = list->first; client != NULL; client = client->places[side].behind) {
        Py_VISIT((PyObject *)client);
    }
    return 0;
}

/* Write the clients of one side into the dictionary of that side, `*where`, which is made if it is None. */
static int
calls_write(Record *process, int side, PyObject **where)
{
    Calls *list = &process->calls[side];
    while (list->first != NULL) {
        CallRef *client = list->first;
        PyObject *dictionary = is_none(*where) ? PyDict_New() : Py_NewRef(*where), *value;
        int failed;
        if (dictionary == NULL) {
            return -1;
        }
        if (is_none(*where)) {
            Py_XSETREF(*where, Py_NewRef(dictionary));
        }
        value = side == MONITORS ? Py_NewRef(or_none(client->watched))
                                 : PyTuple_Pack(2, or_none(client->ref.alias), or_none(client->target));
        failed = value == NULL || PyObject_SetItem(dictionary, (PyObject *)client, value) < 0;
        Py_XDECREF(value);
        Py_DECREF(dictionary);
        if (failed) {
            return -1; /* it stays in the list */
        }
        calls_drop(side, client);
    }
    return 0;
}

#endif
