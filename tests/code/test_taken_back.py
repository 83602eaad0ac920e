"""What the body of a refused load did to the interpreter and to objects of others is taken back, or named."""

from __future__ import annotations

import asyncio
import builtins
import codecs
import gc
import logging
import os
import signal
import sys
import threading
import warnings

import pytest

from midflight import code

RAISES = "1 / 0\n"
REFUSED_AFTER = "globals()['late'] = 1\ndef f():\n    return nonesuch\n"  # the check cannot tell before the body


def refused(project, text, name="shop"):
    """Load a text that is refused; return what its report says was taken back, and what was left."""
    with pytest.raises(code.LoadError) as caught:
        project.load_text(name, text)
    found = caught.value.report.refusals
    return tuple([each.message for each in found if each.code == kind] for kind in ("taken-back", "left-behind"))


@pytest.fixture(autouse=True)
def tables():
    """Put the tables of the interpreter back after a test."""
    path, filters, environ, hook = list(sys.path), list(warnings.filters), dict(os.environ), sys.excepthook
    finders, handlers = list(sys.meta_path), list(logging.getLogger().handlers)
    handler = signal.getsignal(signal.SIGUSR1)
    yield
    sys.path[:], warnings.filters[:], sys.excepthook, sys.meta_path[:] = path, filters, hook, finders
    logging.getLogger().handlers[:] = handlers
    os.environ.clear()
    os.environ.update(environ)
    signal.signal(signal.SIGUSR1, handler)


@pytest.mark.parametrize("end", [RAISES, REFUSED_AFTER])
def test_a_signal_has_the_handler_that_it_had(project, end):
    """Whether the body raises, or a check refuses what it has made."""
    before = signal.getsignal(signal.SIGUSR1)

    (taken,), left = refused(project, f"import signal\ndef on(*_): pass\nsignal.signal(signal.SIGUSR1, on)\n{end}")

    assert signal.getsignal(signal.SIGUSR1) is before
    assert "the handler of SIGUSR1" in taken
    assert taken.startswith("the body of shop had run")
    assert left == []


def test_a_signal_set_on_the_runtimes_thread_is_set_back_there(project, runtime):
    """Where the body ran: another thread could not."""
    before = signal.getsignal(signal.SIGUSR1)
    path = project.write("shop.py", f"import signal\ndef on(*_): pass\nsignal.signal(signal.SIGUSR1, on)\n{RAISES}")

    async def main():
        with pytest.raises(code.LoadError):
            await asyncio.to_thread(code.load, path, thread="runtime")

    runtime.run(main)

    assert signal.getsignal(signal.SIGUSR1) is before


TABLES = {
    "sys.path": ('import sys\nsys.path.append("/a/b")\n', lambda: list(sys.path), "sys.path '/a/b'"),
    "own folder": (
        "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'vendor'))\n",
        lambda: list(sys.path),
        "vendor'",
    ),
    "sys.meta_path": (
        "import sys\nclass Finder:\n    def find_spec(self, *_): return None\nsys.meta_path.append(Finder())\n",
        lambda: list(sys.meta_path),
        "sys.meta_path",
    ),
    "os.environ": ('import os\nos.environ["SHOP"] = "1"\n', lambda: dict(os.environ), "os.environ['SHOP']"),
    "os.environ changed": ('import os\nos.environ["PATH"] += ":x"\n', lambda: dict(os.environ), "os.environ['PATH']"),
    "warnings": (
        'import warnings\nwarnings.filterwarnings("ignore", "never so")\n',
        lambda: list(warnings.filters),
        "a filter of warnings",
    ),
    "logging": (
        "import logging\nH = logging.NullHandler()\nlogging.getLogger().addHandler(H)\n",
        lambda: list(logging.getLogger().handlers),
        "a handler of the root logger",
    ),
    "logging class": (
        "import logging\nclass H(logging.Handler): pass\nlogging.getLogger().addHandler(H())\n",
        lambda: list(logging.getLogger().handlers),
        "a handler of the root logger",
    ),
    "level": (
        "import logging\nlogging.getLogger('a.b').setLevel(logging.ERROR)\n",
        lambda: logging.getLogger("a.b").level,
        "the level of logger a.b",
    ),
    "excepthook": ("import sys\ndef hook(*_): pass\nsys.excepthook = hook\n", lambda: sys.excepthook, "sys.excepthook"),
    "threads": (
        "import threading\ndef hook(*_): pass\nthreading.excepthook = hook\n",
        lambda: threading.excepthook,
        "threading.excepthook",
    ),
    "builtins": (
        "import builtins\ndef shout(): pass\nbuiltins.shout = shout\n",
        lambda: dict(vars(builtins)),
        "builtins.shout",
    ),
    "folder": ("import os\nos.chdir('/')\n", os.getcwd, "the working folder"),
    "sys.modules": (
        "import sys, types\nFAKE = types.ModuleType('fake_of_shop')\nsys.modules['fake_of_shop'] = FAKE\n",
        lambda: "fake_of_shop" in sys.modules,
        "sys.modules['fake_of_shop']",
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_each_table_is_as_it_was(project, kind):
    """And the refusal says that it was taken back."""
    text, state, word = TABLES[kind]
    project.load_text("shop", "x = 1\n")
    before = state()

    (taken,), left = refused(project, text + RAISES)

    assert state() == before
    assert word in taken
    assert left == []


@pytest.mark.parametrize("kind", TABLES)
def test_a_load_that_is_done_keeps_all(project, kind):
    """Only a refusal takes back."""
    text, state, _ = TABLES[kind]
    folder, hook, names = os.getcwd(), threading.excepthook, dict(vars(builtins))
    project.load_text("shop", "x = 1\n")
    before = state()

    project.load_text("shop", text)

    after = state()
    os.chdir(folder)
    threading.excepthook = hook
    for name in vars(builtins).keys() - names.keys():
        delattr(builtins, name)
    sys.modules.pop("fake_of_shop", None)
    logging.getLogger("a.b").setLevel(0)
    assert after != before


@pytest.mark.parametrize(
    "text",
    [
        "@atexit.register\ndef bye(): pass\nREFS.append(weakref.ref(bye))\n",
        "REFS.append(weakref.ref(atexit.register(lambda: 1)))\n",
        "class Pool:\n    def close(self): pass\n"
        "POOL = Pool()\natexit.register(POOL.close)\nREFS.append(weakref.ref(POOL))\n",
    ],
)
def test_atexit_calls_nothing_of_a_refused_body(project, monkeypatch, text):
    """A function, a lambda and a method of an object: none is held any more."""
    references = []
    monkeypatch.setattr(builtins, "REFS", references, raising=False)

    (taken,), left = refused(project, f"import atexit, weakref\n{text}{RAISES}")
    gc.collect()

    assert references[0]() is None
    assert "of atexit" in taken
    assert left == []


def test_a_codec_is_not_found_any_more(project):
    """A search function of the refused body is asked no more."""
    text = (
        "import codecs\ndef search(name):\n    return codecs.lookup('utf-8') if name == 'shopcodec' else None\n"
        "codecs.register(search)\n"
    )

    (taken,), _ = refused(project, text + RAISES)

    with pytest.raises(LookupError):
        codecs.lookup("shopcodec")
    assert "codec" in taken


def test_what_another_thread_does_meanwhile_stays(project, gates):
    """It is named, for nobody can tell whose it is; the body's own is taken back."""
    project.load_text("shop", "x = 1\n")
    other = logging.NullHandler()
    found = []
    text = f'import os, sys\nsys.path.append("/of/body")\nos.environ["OF_BODY"] = "1"\nGATES["body"].wait()\n{RAISES}'
    thread = threading.Thread(target=lambda: found.append(refused(project, text)))
    thread.start()
    gates["body"].reached.wait(10)
    sys.path.append("/of/other")
    os.environ["OF_OTHER"] = "1"
    logging.getLogger().addHandler(other)

    gates["body"].opened.set()
    thread.join()

    ((taken,), (left,)) = found[0]
    assert "/of/other" in sys.path
    assert "/of/body" not in sys.path
    assert "OF_OTHER" in os.environ
    assert "OF_BODY" not in os.environ
    assert other in logging.getLogger().handlers
    assert "/of/body" in taken
    assert "/of/other" not in taken
    assert "/of/other" in left


def test_a_thread_that_the_body_started_is_named(project, gates):
    """Nobody can end it; so it is not a surprise."""
    text = "import threading\ndef run():\n    GATES['run'].wait()\nthreading.Thread(target=run, name='pump').start()\n"

    _, left = refused(project, text + RAISES)

    gates["run"].opened.set()
    assert any("thread pump" in each for each in left)


def test_classes_of_a_refused_body_die(project):
    """Nothing of the load holds them when its error is gone."""
    project.load_text("base", "class Base:\n    pass\n")
    base = sys.modules["base"].Base

    refused(project, f"from base import Base\nclass Shop(Base):\n    pass\n{RAISES}")
    gc.collect()

    assert base.__subclasses__() == []
