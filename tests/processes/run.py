#!/usr/bin/env python3
"""Tests real chat processes, on loopback and, as root, in network namespaces.

    run.py --chat PATH [--only WORD] [--quick] [--full] [--slow FACTOR]

Prints `ok <name>`, `skip <name>: why` or `FAIL <name>: why` for each check, and `N passed, M failed, K skipped` at the end.
"""

import argparse
import signal
import sys
import time
import traceback

import test_failure
import test_files
import test_network
import test_people
import test_process
import test_terminal
from chat import Failure, Skip, World

MODULES = (test_process, test_people, test_files, test_failure, test_terminal, test_network)


def checks():
    for module in MODULES:
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                yield name[len("test_"):], function


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chat", required=True, help="the chat to test")
    parser.add_argument("--only", action="append", default=[], help="only checks whose name contains this")
    parser.add_argument("--quick", action="store_true", help="smaller files, and no check that takes long")
    parser.add_argument("--full", action="store_true", help="the 5 GiB file too")
    parser.add_argument("--slow", type=float, default=1.0, help="multiply every deadline by this (a sanitised chat: 4)")
    options = parser.parse_args()

    passed, skipped, failed = 0, 0, []
    for name, check in checks():
        if options.only and not any(word in name for word in options.only):
            continue
        if getattr(check, "only_full", False) and not options.full:
            continue
        world, start = World(options.chat, options.slow, options.quick), time.monotonic()
        try:
            check(world)
            world.finish()
            print(f"ok {name} ({time.monotonic() - start:.1f} s)", flush=True)
            passed += 1
        except Skip as e:
            print(f"skip {name}: {e}", flush=True)
            skipped += 1
        except Failure as e:
            print(f"FAIL {name}: {e}", flush=True)
            failed.append(name)
        except Exception:  # noqa: BLE001: a check that breaks is one that failed
            print(f"FAIL {name}: {traceback.format_exc()}", flush=True)
            failed.append(name)
        finally:
            world.close()
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped" + (": " + ", ".join(failed) if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the processes and hosts are removed
    sys.exit(main())
