/* The end of a process that nobody hears of: it has returned, and has no link, monitor, name, timer, alias or callback.
   As `ended` in `ends`, which has all other ends. */

#ifndef MIDFLIGHT_ENDS_H
#define MIDFLIGHT_ENDS_H

#include "send.h"

/* Say whether a dictionary or set in a record is empty, or None. */
static inline int
is_empty(PyObject *container)
{
    return is_none(container) || (PyDict_CheckExact(container) && !PyDict_GET_SIZE(container)) ||
           (PyAnySet_CheckExact(container) && !PySet_GET_SIZE(container));
}

/* Say whether the end of `process`, which has returned, is one of these. */
static int
ends_unheard(Core *core, Record *process)
{
    return is_none(core->tracer) && is_empty(core->doomed) && is_empty(core->on_result) && is_none(process->pending) &&
           is_none(process->exit_reason) && is_none(process->name) && is_none(process->timer) &&
           is_none(process->extras) && is_empty(process->links) && is_empty(process->monitors) &&
           is_empty(process->monitored_by) && is_empty(process->aliases) && process->calls[MONITORS].first == NULL &&
           process->calls[MONITORED_BY].first == NULL && core->processes != NULL &&
           PyDict_CheckExact(core->processes) && PyDict_GET_SIZE(core->processes) > 1 && /* the last one is told of */
           Py_IS_TYPE(process->pid, core->state->Pid_type) && ((Pid *)process->pid)->process == (PyObject *)process;
}

/* Let it be dead. What it held is dropped last: a `__del__` may do anything. */
static int
end_unheard(Core *core, Record *process, PyObject *value)
{
    Pid *pid = (Pid *)process->pid;
    PyObject *kept[] = {process->mailbox, process->dictionary, process->value, process->waiting, process->resume,
                        process->links, process->monitors, process->monitored_by, process->aliases};
    if (PyDict_DelItem(core->processes, pid->number) < 0) {
        return -1;
    }
    Py_SETREF(pid->process, Py_NewRef(Py_None)); /* the record is held by who calls this */
    process->mailbox = process->dictionary = process->waiting = process->resume = NULL;
    process->links = process->monitors = process->monitored_by = process->aliases = NULL;
    process->value = Py_NewRef(value);
    Py_XSETREF(process->exit_reason, Py_NewRef(core->state->normal));
    for (size_t index = 0; index < sizeof kept / sizeof *kept; index++) {
        Py_XDECREF(kept[index]);
    }
    return 0;
}

#endif
